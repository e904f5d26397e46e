#!/usr/bin/env bash
# eval_test.sh PROGRAM WRITE_TINY_MODEL: what `unclip eval` says and writes, one line per case.
set -euo pipefail
program=$1 write_tiny_model=$2
source=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/cli/verdict.sh
source "$source/tests/cli/verdict.sh"

"$write_tiny_model" "$folder/model" # draws 16 and 32 pixels
tiny=(--model "$folder/model" --quiet)
# Pictures and captions that the tiny model can draw: its own.
"$program" generate 'a red heart' "${tiny[@]}" --n 8 --size 16 --seed 1 -o "$folder/a.png" 2>/dev/null
mkdir "$folder/real" "$folder/drawn" "$folder/empty" "$folder/few" "$folder/plain"
mv "$folder"/a-[1-4].png "$folder/real"
mv "$folder"/a-[5-8].png "$folder/drawn"
cp "$folder/real/a-1.png" "$folder/few"
cp "$folder"/real/*.png "$folder/plain"
for picture in "$folder"/{real,drawn}/*.png; do echo 'a red heart' >"${picture%.png}.txt"; done

# --- what must work ----------------------------------------------------------------------------------------
two=(--pictures "$folder/drawn" --reference "$folder/real" "${tiny[@]}")
run eval "${two[@]}" -o "$folder/evaluation" --json
verdict "$(python3 - "$folder/out" "$folder/evaluation/results.json" <<'PYTHON' && echo yes
import json, sys
shown, written = (json.load(open(path)) for path in sys.argv[1:])
assert shown == written
point, = shown["points"]
assert point["pictures"] == 4 and shown["real"]["pictures"] == 4 and point["fid"]["biased"]
assert 0 <= point["recall"]["low"] <= point["recall"]["value"] <= point["recall"]["high"] <= 1
assert point["captions"]["picture_finds_caption"]["median_rank"] == 1  # equal captions rank equally
PYTHON
)" 'eval --json should print what it writes'
verdict "$([[ $err == *'unclip: note: There are fewer pictures (4 drawn, 4 real) than feature dimensions (16)'* ]] && echo yes)" \
  'too few pictures should be a warning'
run eval --pictures "$folder/drawn" --reference "$folder/evaluation/real.safetensors" "${tiny[@]}" -o "$folder/again"
verdict "$([[ $code == 0 && $out == *'pictures: FID '*'/again/report.html' ]] && echo yes)" 'a feature file should do for pictures'
sweep=(--data "$folder/real" "${tiny[@]}" --n 5 --size 16 --guidance '1,2' -o "$folder/sweep")
run eval "${sweep[@]}"
verdict "$([[ $code == 0 && $out == *'guidance 1: FID '*'guidance 2: FID '* && -s $folder/sweep/report.html ]] && echo yes)" \
  'eval should sweep guidance'
"$write_tiny_model" "$folder/other"
run eval "${two[@]}" --clip "$folder/other" -o "$folder/judged"
verdict "$(python3 - "$folder/judged/results.json" "$folder/evaluation/results.json" <<'PYTHON' && echo yes
import json, sys
judged, plain = (json.load(open(path))["points"][0] for path in sys.argv[1:])
assert judged["fid"] == plain["fid"] and judged["captions"] == plain["captions"]  # the same weights
PYTHON
)" '--clip should judge captions'
# CLIPs of other libraries: tiny ones, saved by them.
released=$source/tests/fixtures/clip/released
for clip in hf_quick_gelu open_clip_gelu openai/tiny.pt; do
  run eval --pictures "$folder/drawn" --reference "$folder/real" --quiet --features "$released/$clip" -o "$folder/by-$(basename "$clip")"
  verdict "$(python3 - "$folder/by-$(basename "$clip")/results.json" <<'PYTHON' && echo yes
import json, sys
results = json.load(open(sys.argv[1]))
assert results["features"]["name"].startswith("CLIP (") and results["clip"] == results["features"]["name"]
assert results["points"][0]["fid"]["value"] > 0 and "clip_score" in results["points"][0]["captions"]
PYTHON
)" "--features should take $clip"
done
head -c 50 "$folder/real/a-1.png" >"$folder/plain/cut.png"
run eval --pictures "$folder/drawn" --reference "$folder/plain" "${tiny[@]}" -o "$folder/damaged"
verdict "$([[ $code == 0 && $err == *'1 damaged picture was left out (real): cut'* ]] && echo yes)" \
  'a damaged picture should be named'

# --- wrong input -------------------------------------------------------------------------------------------
out_folder=(-o "$folder/new")
wrong 2 'eval needs --pictures with --reference, or --data to draw pictures for' eval "${tiny[@]}" "${out_folder[@]}"
wrong 2 '--pictures needs --reference' eval --pictures "$folder/drawn" "${tiny[@]}" "${out_folder[@]}"
wrong 2 '--reference needs --pictures' eval --reference "$folder/real" "${tiny[@]}" "${out_folder[@]}"
wrong 2 '--data is for pictures that a model draws' eval "${two[@]}" --data "$folder/real" "${out_folder[@]}"
wrong 2 '--steps has no effect on pictures that are there already' eval "${two[@]}" --steps 3 "${out_folder[@]}"
wrong 2 '--guidance has no effect on pictures that are there already' eval "${two[@]}" --guidance 3 "${out_folder[@]}"
for list in x 1,x '1,,2' '1,' -1 101 nan; do
  wrong 2 "--guidance is '$list', expected numbers from 0 to 100" \
    eval --data "$folder/real" "${tiny[@]}" --size 16 --guidance="$list" "${out_folder[@]}"
done
wrong 2 '--guidance has 2 twice' eval --data "$folder/real" "${tiny[@]}" --size 16 --guidance 1,2,2 "${out_folder[@]}"
wrong 2 "--n is '3', expected 4 to 1000000" eval --data "$folder/real" "${tiny[@]}" --n 3 "${out_folder[@]}"
wrong 2 'this model draws pictures of 16, 32 pixels a side, not 64' \
  eval --data "$folder/real" "${tiny[@]}" --size 64 "${out_folder[@]}"
wrong 1 'nowhere' eval --pictures nowhere --reference "$folder/real" "${tiny[@]}" "${out_folder[@]}"
wrong 1 'empty' eval --pictures "$folder/empty" --reference "$folder/real" "${tiny[@]}" "${out_folder[@]}"
wrong 1 'there are 1 pictures, expected at least 4' \
  eval --pictures "$folder/few" --reference "$folder/real" "${tiny[@]}" "${out_folder[@]}"
wrong 1 'has no caption, but pictures are to be drawn from captions' \
  eval --data "$folder/plain" "${tiny[@]}" --size 16 "${out_folder[@]}"
wrong 1 'holds results already; choose another folder with -o, or --force' eval "${two[@]}" -o "$folder/evaluation"
wrong 1 'is no folder; choose another name with -o' eval "${two[@]}" -o "$folder/real/a-1.png"
wrong 1 'does not exist, create it first' eval "${two[@]}" -o "$folder/nowhere/new"
wrong 1 "'nowhere' does not exist: features come from a CLIP or" \
  eval "${two[@]}" --features nowhere "${out_folder[@]}"
wrong 1 'holds one tower of a CLIP' eval "${two[@]}" --features "$released/hf_towers/image_encoder" "${out_folder[@]}"
wrong 1 'is no CLIP model' eval "${two[@]}" --features "$folder/real" "${out_folder[@]}"
wrong 1 'holds no weights that this program knows' eval "${two[@]}" --features "$folder/real/a-1.png" "${out_folder[@]}"
wrong 1 'is no feature file of this program' eval --pictures "$folder/drawn" \
  --reference "$folder/model/clip/model.safetensors" "${tiny[@]}" "${out_folder[@]}"
python3 - "$folder/evaluation/real.safetensors" "$folder/narrow.safetensors" <<'PYTHON'
import json, struct, sys
bytes = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", bytes[:8])[0]
header, data = json.loads(bytes[8:8 + size]), bytes[8 + size:]
rows, width = header["features"]["shape"]
header["features"] |= {"shape": [rows, width // 2], "data_offsets": [0, len(data) // 2]}
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + data[:len(data) // 2])
PYTHON
wrong 1 '(width 8), expected those of' eval --pictures "$folder/drawn" --reference "$folder/narrow.safetensors" \
  "${tiny[@]}" "${out_folder[@]}"
wrong 1 'nowhere.csv' eval "${two[@]}" --ratings nowhere.csv "${out_folder[@]}"
printf 'file_name,score\nx.png,1\n' >"$folder/real/bad.csv"
wrong 1 "has no column 'rating'" eval "${two[@]}" --ratings "$folder/real/bad.csv" "${out_folder[@]}"
verdict "$([[ ! -e $folder/new ]] && echo yes)" 'wrong input should write nothing'

all_passed
