#!/usr/bin/env bash
# wrong_input_test.sh PROGRAM WRITE_TINY_MODEL: captions, pictures, models and folders that are none, one line per case.
set -euo pipefail
program=$1 write_tiny_model=$2
source=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/cli/verdict.sh
source "$source/tests/cli/verdict.sh"

"$write_tiny_model" "$folder/model" # draws 16 and 32 pixels
tiny=(--model "$folder/model" --quiet)

# broken NAME: a copy of the model, to be damaged.
broken() {
  rm -rf "${folder:?}/$1"
  cp -r "$folder/model" "$folder/$1"
}

# --- what must work, so that the cases below fail for their reason alone -----------------------------------
run generate 'a red heart' "${tiny[@]}" --size 32 --seed 7 -o "$folder/heart.png"
verdict "$([[ $code == 0 && -s $folder/heart.png ]] && echo yes)" 'generate should draw a picture'
run generate --from-image "$folder/heart.png" "${tiny[@]}" -o "$folder/again.png"
verdict "$(cmp -s "$folder/heart.png" "$folder/again.png" && echo yes)" '--from-image should repeat the same picture'
run generate 'a red heart' "${tiny[@]}" --size 16 --seed 7 --prior ar --temperature 0.7 --top-p 0.9 -o "$folder/ar.png"
verdict "$([[ $code == 0 && -s $folder/ar.png ]] && echo yes)" 'generate --prior ar should draw a picture'
run generate --from-image "$folder/ar.png" "${tiny[@]}" -o "$folder/ar-again.png"
verdict "$(cmp -s "$folder/ar.png" "$folder/ar-again.png" && echo yes)" '--from-image should repeat an ar picture'
run generate 'a cat' 'a dog' "${tiny[@]}" --size 16 --seed 7 --n 2 -o "$folder/pair.png" --json
verdict "$(python3 - "$folder/out" <<'PYTHON' && echo yes
import json, sys
pictures = json.load(open(sys.argv[1]))["pictures"]
assert [(p["caption"], p["seed"]) for p in pictures] == [("a cat", "7"), ("a cat", "8"), ("a dog", "9"), ("a dog", "10")]
PYTHON
)" 'pictures should be caption-major with seeds in a row'
verdict "$([[ -s $folder/pair-4.png && -s $folder/pair-sheet.png ]] && echo yes)" 'several pictures should get a sheet'
run vary "$folder/heart.png" "${tiny[@]}" --size 32 --seed 1 -o "$folder/varied.png"
verdict "$([[ $code == 0 && -s $folder/varied-4.png ]] && echo yes)" 'vary should draw four variations'
run bench "${tiny[@]}" --size 32 --rounds 2 --json
verdict "$(python3 - "$folder/out" <<'PYTHON' && echo yes
import json, sys
result = json.load(open(sys.argv[1]))
assert [s["stage"] for s in result["stages"]] == ["prior", "decoder", "up-32"], result
assert result["peak_memory_bytes"] > 10**7 and result["seconds"] >= sum(s["seconds"] for s in result["stages"]) / 2
PYTHON
)" 'bench should time every stage'

# --- captions ----------------------------------------------------------------------------------------------
wrong 2 'generate needs a caption, for instance' generate "${tiny[@]}"
wrong 2 'a caption is empty' generate '' "${tiny[@]}"
wrong 2 'a caption is empty' generate $' \t\n' "${tiny[@]}"
wrong 2 'a caption has 70000 bytes, expected at most 65536' generate "$(printf '%070000d' 0)" "${tiny[@]}"
wrong 2 'a caption cannot be read' generate $'caf\xe9' "${tiny[@]}"

# --- flags -------------------------------------------------------------------------------------------------
wrong 2 "--n is '0', expected 1 to 10000" generate x "${tiny[@]}" --n 0
wrong 2 "--n is '-1', expected 1 to 10000" generate x "${tiny[@]}" --n -1
wrong 2 'this model draws pictures of 16, 32 pixels a side, not 77' generate x "${tiny[@]}" --size 77
wrong 2 "--size is 'big', expected a whole number" generate x "${tiny[@]}" --size big
wrong 2 "--seed is '-1', expected 0 to" generate x "${tiny[@]}" --seed -1
wrong 2 "--eta is '1.5', expected 0 to 1" generate x "${tiny[@]}" --eta 1.5
wrong 2 "--guidance is '-3', expected 0 to 100" generate x "${tiny[@]}" --guidance -3
wrong 2 "--sampler is 'plms'" generate x "${tiny[@]}" --size 16 --sampler plms
wrong 2 "--prior is 'gan'" generate x "${tiny[@]}" --prior gan
wrong 2 "--dtype is 'fp8', expected auto, fp32 or bf16" generate x "${tiny[@]}" --size 16 --dtype fp8
wrong 2 "--device is 'tpu', expected cpu" generate x "${tiny[@]}" --device tpu
wrong 2 'unknown flag --sead, did you mean --seed?' generate x --sead 7
wrong 2 "the decoder's steps: " generate x "${tiny[@]}" --size 16 --steps 0
wrong 2 "the decoder's steps: timesteps are 'ten'" generate x "${tiny[@]}" --size 16 --steps ten
wrong 2 "the prior's steps: " generate x "${tiny[@]}" --size 16 --prior-steps 5000
wrong 2 "the upsampler's steps: " generate x "${tiny[@]}" --size 32 --upsampler-steps 0
wrong 2 'steps of 2 upsamplers were given, but the model has 1' generate x "${tiny[@]}" --size 32 --upsampler-steps 3,3
wrong 2 'eta is a setting of the ddim sampler, but ddpm draws' generate x "${tiny[@]}" --size 16 --sampler ddpm --eta 0.5
wrong 2 "settings of the prior have no effect when the prior is 'text'" \
  generate x "${tiny[@]}" --size 16 --prior text --prior-guidance 2
wrong 2 "settings of the prior have no effect when the prior is 'none'" \
  generate x "${tiny[@]}" --size 16 --prior none --prior-guidance 2
wrong 2 "steps and samplers of the prior have no effect when the prior is 'ar'" \
  generate x "${tiny[@]}" --size 16 --prior ar --prior-steps 5
wrong 2 "steps and samplers of the prior have no effect when the prior is 'ar'" \
  generate x "${tiny[@]}" --size 16 --prior ar --prior-sampler ddim
wrong 2 "temperature and top-p have no effect when the prior is 'diffusion'" \
  generate x "${tiny[@]}" --size 16 --temperature 0.5
wrong 2 "temperature and top-p have no effect when the prior is 'text'" \
  generate x "${tiny[@]}" --size 16 --prior text --top-p 0.5
wrong 2 "--temperature is '0', expected 0.01 to 10" generate x "${tiny[@]}" --size 16 --prior ar --temperature 0
wrong 2 "--top-p is '2', expected 0.001 to 1" generate x "${tiny[@]}" --size 16 --prior ar --top-p 2
wrong 2 "--candidates is '0', expected 1 to 64" generate x "${tiny[@]}" --size 16 --candidates 0
wrong 2 'unknown flag --prior-steps' vary "$folder/heart.png" "${tiny[@]}" --prior-steps 3
wrong 2 "--rounds is '0', expected 1 to 1000" bench "${tiny[@]}" --rounds 0

# --- where pictures go -------------------------------------------------------------------------------------
mkdir "$folder/folder.png"
draw=(generate x "${tiny[@]}" --size 16 --seed 1)
wrong 1 'folder nowhere does not exist, create it first' "${draw[@]}" -o nowhere/x.png
wrong 1 'does not end like a picture: expected .png, .jpg, .jpeg or .webp' "${draw[@]}" -o x.bmp
wrong 1 'exists already; choose another name, or --force' "${draw[@]}" -o "$folder/heart.png"
wrong 1 'is a folder or device, expected the name of a file' "${draw[@]}" -o "$folder/folder.png" --force
# A file that may not grow is what a full disk looks like to write(); stderr is a pipe, which has no such limit.
code=0
(ulimit -f 0 && exec "$program" "${draw[@]}" -o full.png 2>&1) | cat >"$folder/err" || code=$?
out='' err=$(cat "$folder/err")
verdict "$([[ $code == 1 && $err == 'unclip: full.png cannot be written: '* && -z $(ls) ]] && echo yes)" \
  'a full disk should be an error and leave nothing'

# --- models ------------------------------------------------------------------------------------------------
# wrong_model CODE SENTENCE NAME: drawing with the broken model says so.
wrong_model() { wrong "$1" "$2" generate x --model "$folder/$3" --quiet --size 32; }

wrong 1 "there is no model 'nowhere'" generate x --model nowhere
broken manifest && printf '{' >"$folder/manifest/model.json"
wrong_model 1 'model.json is damaged' manifest
broken format && printf '{"format": 9}' >"$folder/format/model.json"
wrong_model 1 'has format 9, expected 1' format
broken stage && sed -i '/"prior": {/,/}/d' "$folder/stage/model.json"
wrong_model 1 "has no stage 'prior', only: ar_prior, clip, decoder, upsampler_32" stage
broken without && sed -i '/"ar_prior": {/,/}/d' "$folder/without/model.json"
wrong 1 "has no stage 'ar_prior', only: clip, decoder, prior, upsampler_32" \
  generate x --model "$folder/without" --quiet --size 16 --prior ar
broken damaged && truncate -s -10 "$folder/damaged/ar_prior/model.safetensors"
wrong 1 'ar_prior/model.safetensors' generate x --model "$folder/damaged" --quiet --size 16 --prior ar
broken vocabulary && rm "$folder/vocabulary/tokenizer/vocab.json"
wrong_model 1 'vocab.json' vocabulary
broken setting && sed -i 's/"unet"/"unett"/' "$folder/setting/decoder/config.json"
wrong_model 1 "unknown setting 'unett', did you mean 'unet'?" setting
broken width && sed -i 's/"channels": 8/"channels": 12/' "$folder/width/decoder/config.json"
wrong_model 1 'does not fit the model' width
for stage in clip prior decoder upsampler_32; do
  broken missing && rm "$folder/missing/$stage/model.safetensors"
  wrong_model 1 "$stage' holds no weights: expected model.safetensors" missing
  broken cut && truncate -s -10 "$folder/cut/$stage/model.safetensors"
  wrong_model 1 "$stage/model.safetensors" cut
  broken lying
  printf '\377\377\377\377\377\377\377\177' |
    dd of="$folder/lying/$stage/model.safetensors" conv=notrunc status=none
  wrong_model 1 "$stage/model.safetensors" lying
done
broken last && rm "$folder/last/upsampler_32/model.safetensors"
wrong 1 "upsampler_32' holds no weights" generate x --model "$folder/last" --size 32 # one line: no stage began
wrong 1 "there is no folder 'nowhere'" inspect nowhere
wrong 1 'is no model directory' inspect .

# --- pictures ----------------------------------------------------------------------------------------------
vary=("${tiny[@]}" --size 16 -o varied.png)
wrong 1 'nowhere.png cannot be opened' vary nowhere.png "${vary[@]}"
: >"$folder/empty.png"
wrong 1 'empty.png' vary "$folder/empty.png" "${vary[@]}"
printf 'no picture' >"$folder/text.png"
wrong 1 'text.png' vary "$folder/text.png" "${vary[@]}"
head -c 100 "$folder/heart.png" >"$folder/cut.png"
wrong 1 'cut.png' vary "$folder/cut.png" "${vary[@]}"
python3 - "$folder/huge.png" <<'PYTHON'
import struct, sys, zlib
chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
header = struct.pack(">IIBBBBB", 1_000_000, 1_000_000, 8, 2, 0, 0, 0)
with open(sys.argv[1], "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))
PYTHON
wrong 1 'huge.png' vary "$folder/huge.png" "${vary[@]}"
wrong 1 'holds no recipe of this program' generate --from-image "$folder/pair-sheet.png" "${tiny[@]}"

# --- training ----------------------------------------------------------------------------------------------
configs=$source/configs/emoji
train=(train upsampler --quiet --out run)
wrong 1 "there is no configuration 'nowhere.json'" "${train[@]}" --config nowhere.json --data "$folder"
wrong 1 "configures the stage 'clip', expected 'upsampler'" "${train[@]}" --config "$configs/clip.json" --data "$folder"
wrong 2 "--set wants NAME=VALUE, got 'steps'" \
  "${train[@]}" --config "$configs/upsampler_256.json" --data "$folder" --set steps
wrong 2 "--set train.stepz=3: settings: unknown setting 'stepz', did you mean 'steps'?" \
  "${train[@]}" --config "$configs/upsampler_256.json" --data "$folder" --set train.stepz=3
wrong 1 'nowhere' "${train[@]}" --config "$configs/upsampler_256.json" --data nowhere
wrong 2 '--config is required' train clip --data "$folder" --out run --tokenizer "$folder/model/tokenizer"
mkdir "$folder/few" "$folder/alike"
cp "$folder/heart.png" "$folder/few/heart.png"
wrong 1 'neither a run nor a model directory' \
  "${train[@]}" --config "$configs/upsampler_256.json" --data "$folder/few" --from "$folder"
wrong 1 '1 pictures have no caption' train all "$folder/few" --out mine --quiet
echo 'a heart' >"$folder/few/heart.txt"
wrong 1 'there are 1 usable pictures with captions, expected at least 16' train all "$folder/few" --out mine --quiet
for i in {1..20}; do
  cp "$folder/heart.png" "$folder/alike/$i.png"
  echo 'a heart' >"$folder/alike/$i.txt"
done
wrong 1 'all 20 pictures have the same caption' train all "$folder/alike" --out mine --quiet
for i in {1..20}; do echo "heart $i" >"$folder/alike/$i.txt"; done
wrong 1 'all 20 pictures are the same file' train all "$folder/alike" --out mine --quiet
wrong 2 "--preset is 'huge', expected tiny, small, base, paper or a folder" \
  train all "$folder/alike" --out mine --preset huge --quiet
wrong 2 '--out is required' train all "$folder/alike"
wrong 2 '--clip is required' train ar-prior --config "$configs/ar_prior.json" --data "$folder" --out run
wrong 1 "configures the stage 'prior', expected 'ar_prior'" \
  train ar-prior --quiet --config "$configs/prior.json" --clip "$folder/model" --data "$folder" --out run
mkdir "$folder/pictures" && cp "$folder/heart.png" "$folder/pictures" && printf 'a red heart\n' >"$folder/pictures/heart.txt"
learn=(--quiet --clip "$folder/model" --data "$folder/pictures" --out run --set model.embed_dim=16)
wrong 1 "prior: text_width is 192, but CLIP's is 16" train prior --config "$configs/prior.json" "${learn[@]}"
wrong 1 "decoder: text.clip_width is 192, but CLIP's is 16" train decoder --config "$configs/decoder.json" "${learn[@]}"
learn=(train ar-prior --quiet --config "$configs/ar_prior.json" --clip "$folder/model" --data "$folder/pictures" --out run)
wrong 1 "ar_prior: embed_dim is 256, but CLIP's is 16" "${learn[@]}"
wrong 1 "ar_prior: text_width is 192, but CLIP's is 16" "${learn[@]}" --set model.embed_dim=16
wrong 1 'ar_prior: fit_pictures is 1, expected 2 to' \
  "${learn[@]}" --set model.embed_dim=16 --set model.text_width=16 --set fit_pictures=1
wrong 1 'ar_prior: components is 99, expected at most 16' \
  "${learn[@]}" --set model.embed_dim=16 --set model.components=99
wrong 1 "is no run folder: it has no config.json" export "$folder/work" -o exported
wrong 1 'nowhere' data inspect nowhere

all_passed
