#!/usr/bin/env bash
# study_test.sh PROGRAM WRITE_TINY_MODEL: what `unclip study` says and writes, one line per case. tests/study examines all
# claims.
set -euo pipefail
program=$1 write_tiny_model=$2
source=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/cli/verdict.sh
source "$source/tests/cli/verdict.sh"

"$write_tiny_model" "$folder/model" # draws 16 and 32 pixels
tiny=(--model "$folder/model" --quiet)
mkdir "$folder/pictures" "$folder/few"
"$program" generate 'a red heart' "${tiny[@]}" --n 10 --size 16 --seed 1 -o "$folder/pictures/a.png" 2>/dev/null
rm "$folder/pictures/a-sheet.png"
for i in {1..10}; do echo "heart number $i, red" >"$folder/pictures/a-$i.txt"; done
cp "$folder"/pictures/a-1.* "$folder/few"

# Configurations of networks like the tiny model's.
mkdir "$folder/configs"
python3 - "$folder/model" "$folder/configs" <<'PYTHON'
import json, sys
model, configs = sys.argv[1:]
for name in ["prior", "ar_prior", "decoder"]:
    run = {"stage": name, "model": json.load(open(f"{model}/{name}/config.json")),
           "data": {"batch_size": 4, "workers": 1, "picture": {"size": 16}}}
    if name == "ar_prior":
        run["fit_pictures"] = 16
    if name == "decoder":
        run["sheet"] = {"pictures": 2, "steps": 2}
    json.dump(run, open(f"{configs}/{name}.json", "w"))
PYTHON

# --- what must work ----------------------------------------------------------------------------------------
data=(--data "$folder/pictures" --test "$folder/pictures" --configs "$folder/configs" "${tiny[@]}")
run study "${data[@]}" --budget 0.001 --claims text-diffs,typographic-attack -o "$folder/study" --json
verdict "$(python3 - "$folder/out" "$folder/study/results.json" <<'PYTHON' && echo yes
import json, sys
shown, written = (json.load(open(path)) for path in sys.argv[1:])
assert shown == written and shown["format"] == "unclip.study.1" and shown["test_pictures"] == 10
assert [f["id"] for f in shown["findings"]] == ["text-diffs", "typographic-attack"]
for finding in shown["findings"]:
    assert finding["verdict"] in ("holds", "does not hold here", "undecided")
    assert all(f["low"] <= f["high"] for f in finding["figures"].values())
PYTHON
)" 'study --json should print what it writes'
verdict "$(grep -q '<svg' "$folder/study/report.html" && echo yes)" 'study should write a report'
before=$(find "$folder/study/findings" -type f -printf '%p %T@\n' | sort)
run study "${data[@]}" --budget 0.001 --claims typographic-attack,text-diffs -o "$folder/study"
verdict "$([[ $code == 0 && $out == 'text-diffs: '*'/report.html' && $before == "$(find "$folder/study/findings" -type f -printf '%p %T@\n' | sort)" ]] && echo yes)" \
  'the same study should not be examined again'

# --- wrong input -------------------------------------------------------------------------------------------
out_folder=(-o "$folder/new")
wrong 2 '--data is required' study --test "$folder/pictures" "${tiny[@]}" "${out_folder[@]}"
wrong 2 '--test is required' study --data "$folder/pictures" "${tiny[@]}" "${out_folder[@]}"
wrong 2 '--output is required' study "${data[@]}"
wrong 2 "--budget is '0', expected 0.001 to 1000" study "${data[@]}" --budget 0 "${out_folder[@]}"
wrong 2 "there is no claim 'magic'" study "${data[@]}" --claims magic "${out_folder[@]}"
wrong 1 'there are 1 test pictures with captions, expected at least 8' \
  study --data "$folder/pictures" --test "$folder/few" --configs "$folder/configs" "${tiny[@]}" "${out_folder[@]}"
wrong 1 'nowhere' study --data "$folder/pictures" --test nowhere "${tiny[@]}" "${out_folder[@]}"
wrong 1 "'nowhere' does not exist: features come from a CLIP" study "${data[@]}" --features nowhere "${out_folder[@]}"
wrong 1 "there is no model 'nowhere'" study --data "$folder/pictures" --test "$folder/pictures" --model nowhere --quiet "${out_folder[@]}"
wrong 1 'is no folder; choose another name with -o' study "${data[@]}" -o "$folder/pictures/a-1.png"
wrong 1 'does not exist, create it first' study "${data[@]}" -o "$folder/nowhere/new"
wrong 1 'holds a study of another model, budget or data' study "${data[@]}" --budget 0.002 -o "$folder/study"
for stage in prior decoder; do
  cp -r "$folder/model" "$folder/without-$stage"
  sed -i "/\"$stage\": {/,/}/d" "$folder/without-$stage/model.json"
  wrong 1 "has no stage '$stage'" study --data "$folder/pictures" --test "$folder/pictures" \
    --model "$folder/without-$stage" --quiet "${out_folder[@]}"
done
verdict "$([[ ! -e $folder/new ]] && echo yes)" 'wrong input should write nothing'

all_passed
