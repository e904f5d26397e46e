#!/usr/bin/env bash
# released_models_test.sh PROGRAM WRITE_TINY_MODEL: folders in others' layouts, recorded noise; one line per case.
set -euo pipefail
program=$1 write_tiny_model=$2
source=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/cli/verdict.sh
source "$source/tests/cli/verdict.sh"

recorded=$source/tests/fixtures/karlo
cp -r "$recorded/generating" "$recorded/varying" "$folder/"
karlo=(--model "$folder/generating" --quiet)
draw=(generate 'a red cat!' "the moon's 2 robots" "${karlo[@]}" --steps 5 --prior-guidance 4 --guidance 8 --dtype fp32)
repeat=("${draw[@]}" --prior-steps 4 --upsampler-steps 3)

# broken NAME: a copy of the folder that generates, to be damaged.
broken() {
  rm -rf "${folder:?}/$1"
  cp -r "$folder/generating" "$folder/$1"
}
# wrong_model CODE SENTENCE NAME: drawing with the broken model says so.
wrong_model() { wrong "$1" "$2" generate x --model "$folder/$3" --quiet --prior-steps 2 --steps 2 --upsampler-steps 2; }

# --- what must work, so that the cases below fail for their reason alone -----------------------------------
run "${repeat[@]}" --noise "$recorded/guided.safetensors" --dump "$folder/drawn.safetensors" -o "$folder/cats.png"
verdict "$([[ $code == 0 && -s $folder/cats-2.png ]] && echo yes)" 'recorded noise should draw pictures'
verdict "$(python3 - "$folder/drawn.safetensors" "$recorded/guided.safetensors" <<'PYTHON' && echo yes
import array, json, struct, sys
def read(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    return header, lambda name: array.array("f", data[8 + size:][slice(*header[name]["data_offsets"])])
header, drawn = read(sys.argv[1])
assert {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"} == {
    "image_embeds": [2, 24], "image_base": [2, 8, 8, 3], "image": [2, 32, 32, 3]}, header
_, expected = read(sys.argv[2])
for ours, theirs in (("image", "image"), ("image_embeds", "text_proj.in.image_embeddings")):
    assert max(abs(a - b) for a, b in zip(drawn(ours), expected(theirs))) < 1e-3, ours
assert 0 <= min(drawn("image_base")) and max(drawn("image_base")) <= 1
PYTHON
)" '--dump should hold what the reference drew'
run generate 'a cat' "${karlo[@]}" --prior-steps 2 --steps 2 --size 8 --seed 7 -o "$folder/small.png"
verdict "$([[ $code == 0 && -s $folder/small.png ]] && echo yes)" 'Karlo should draw from a seed'
run vary "$folder/small.png" --model "$folder/varying" --steps 2 --upsampler-steps 2 --n 1 --quiet --dtype bf16 \
  -o "$folder/varied.png"
verdict "$([[ $code == 0 && -s $folder/varied.png ]] && echo yes)" 'Karlo should draw variations'
run inspect "$folder/generating" --json
verdict "$(python3 - "$folder/out" <<'PYTHON' && echo yes
import json, sys
told = json.load(open(sys.argv[1]))
assert told["kind"].startswith("Karlo, text to image") and told["licence"] == "cc0-1.0", told
assert told["stages"].keys() == {"prior", "decoder", "text_proj", "super_res_first", "super_res_last", "text_encoder"}
assert told["stages"]["text_encoder"]["dtypes"] == {"Float": told["stages"]["text_encoder"]["parameters"], "Long": 20}
assert told["bytes_as_fp32"]["all_weights"] == 2 * told["bytes_as_bf16"]["all_weights"] > 10**6
assert told["unknown_settings"] == ["super_res_first/config.json: 'colour'"] and "problem" not in told
PYTHON
)" 'inspect should tell what the folder is'
broken gap && rm "$folder/gap/prior/diffusion_pytorch_model.safetensors"
run inspect "$folder/gap"
verdict "$([[ $code == 0 && $out == *'stage prior: missing: '*'holds no weights'* ]] && echo yes)" \
  'inspect should tell what is missing'
run inspect "$recorded/kakao" --json
verdict "$(python3 - "$folder/out" <<'PYTHON' && echo yes
import json, sys
told = json.load(open(sys.argv[1]))
assert told["kind"] == "Karlo (Kakao's own files)" and "problem" not in told, told
assert told["stages"].keys() == {"prior", "statistics", "decoder", "super_res", "clip"}, told
assert told["stages"]["decoder"]["dtypes"] == {"Half": told["stages"]["decoder"]["parameters"]}, told
PYTHON
)" "inspect should tell what Kakao's files hold"
mkdir "$folder/part" && cp "$recorded/kakao/"decoder* "$recorded/kakao/"*.json "$folder/part"
run inspect "$folder/part"
verdict "$([[ $code == 0 && $out == *'stage clip: missing: '*'has no ViT-L-14.pt'*'problem: '* ]] && echo yes)" \
  "inspect should tell which of Kakao's files are missing"
kakao=(--model "$recorded/kakao" --quiet --steps 2 --upsampler-steps 2 --seed 3)
run generate 'a cat' "${kakao[@]}" --prior-steps 2 -o "$folder/kakao.png"
verdict "$([[ $code == 0 && -s $folder/kakao.png ]] && echo yes)" "Kakao's files should draw"
run vary "$folder/kakao.png" "${kakao[@]}" --n 1 -o "$folder/kakao-varied.png"
verdict "$([[ $code == 0 && -s $folder/kakao-varied.png ]] && echo yes)" "Kakao's files should draw variations"

# --- conversion --------------------------------------------------------------------------------------------
short=(--quiet --prior-steps 2 --steps 2 --upsampler-steps 2 --seed 3 --dtype fp32)
run generate 'a cat' --model "$folder/generating" "${short[@]}" -o "$folder/source.png"
run convert "$folder/generating" "$folder/ours" --quiet
run convert "$folder/ours" "$folder/back" --to huggingface --quiet
for model in ours back; do
  run generate 'a cat' --model "$folder/$model" "${short[@]}" --dump "$folder/$model.safetensors" -o "$folder/$model.png"
done
run generate 'a cat' --model "$folder/generating" "${short[@]}" --dump "$folder/source.safetensors" -o "$folder/source2.png"
verdict "$(cmp -s "$folder/source.safetensors" "$folder/ours.safetensors" && echo yes)" 'our folder should draw the same'
verdict "$(cmp -s "$folder/source.safetensors" "$folder/back.safetensors" && echo yes)" 'and the folder made of it, too'
for part in prior decoder text_proj super_res_first super_res_last; do
  file=$part/diffusion_pytorch_model.safetensors
  verdict "$(cmp -s "$folder/generating/$file" "$folder/back/$file" && echo yes)" "there and back should keep $file"
done
run convert "$recorded/kakao" "$folder/kakao-diffusers" --to huggingface --dtype bf16 --quiet
verdict "$([[ $code == 0 && -s $folder/kakao-diffusers/model_index.json ]] && echo yes)" "Kakao's files should become diffusers'"
wrong 1 'exists already; choose another name' convert "$folder/generating" "$folder/ours"
wrong 2 '--dtype: fp16 not in' convert "$folder/generating" "$folder/x" --dtype fp16

# --- memory ------------------------------------------------------------------------------------------------
run generate 'a cat' --model "$folder/generating" "${short[@]}" --memory 4GiB --dump "$folder/kept.safetensors" --json \
  -o "$folder/kept.png"
verdict "$(cmp -s "$folder/source.safetensors" "$folder/kept.safetensors" && echo yes)" 'a budget should change no picture'
verdict "$(python3 - "$folder/out" <<'PYTHON' && echo yes
import json, sys
told = json.load(open(sys.argv[1]))
assert [s["stage"] for s in told["stages"]] == ["prior", "decoder", "up-32"], told
assert 10**7 < told["peak_memory_bytes"] < 4 * 2**30 and all(s["seconds"] >= 0 for s in told["stages"]), told
PYTHON
)" 'the peak and the stages should be told'
budget=(generate x --model "$folder/generating" --quiet --steps 2)
wrong 2 'a budget of 10 MiB is too small: the largest stage, ' "${budget[@]}" --memory 10MB
wrong 2 "--memory is 'lots', expected an amount such as 8GiB or 500MB" "${budget[@]}" --memory lots
wrong 2 "--memory is '8 parsecs', expected an amount" "${budget[@]}" --memory '8 parsecs'
wrong 2 "--memory is '-1GiB', expected an amount" "${budget[@]}" --memory=-1GiB
wrong 2 '--memory has no effect where' vary "$folder/small.png" --model "$folder/varying" --eta 0 --memory 4GiB --quiet

"$write_tiny_model" "$folder/own"
run generate 'a cat' --model "$folder/own" --quiet --seed 1 --dump "$folder/own.safetensors" -o "$folder/own.png"
verdict "$([[ $code == 0 && -s $folder/own.safetensors ]] && echo yes)" 'our own models should dump too'

# --- recorded noise ----------------------------------------------------------------------------------------
noise=(--noise "$recorded/guided.safetensors" -o drawn.png)
wrong 1 "has no tensor 'noise.prior.step3', which this drawing needs" "${draw[@]}" "${noise[@]}" --prior-steps 5
wrong 1 "did not use: 'noise.super_res.step1'" "${draw[@]}" "${noise[@]}" --prior-steps 4 --upsampler-steps 2
wrong 1 "'noise.init0' is Float [2, 24], expected floating point [1, 24]" generate x "${karlo[@]}" "${noise[@]}"
wrong 2 '--seed has no effect with --noise' "${repeat[@]}" "${noise[@]}" --seed 1
wrong 1 'nowhere.safetensors cannot be opened' "${repeat[@]}" --noise nowhere.safetensors
wrong 1 'holds no tensors called noise.*' "${repeat[@]}" --noise "$folder/own.safetensors"
wrong 1 'exists already' "${repeat[@]}" "${noise[@]}" --dump "$folder/own.safetensors"
head -c 1000 "$recorded/guided.safetensors" >"$folder/cut.safetensors"
wrong 1 'cut.safetensors' "${repeat[@]}" --noise "$folder/cut.safetensors"

# --- flags -------------------------------------------------------------------------------------------------
wrong 2 'this model draws pictures of 8, 32 pixels a side, not 256' generate x "${karlo[@]}" --size 256
wrong 2 "the prior's steps: cannot choose 1001 of 1000 timesteps" generate x "${karlo[@]}" --prior-steps 1001
wrong 2 "the decoder's steps: cannot choose 0 of 600 timesteps" generate x "${karlo[@]}" --steps 0
wrong 1 "has no stage 'image_encoder', only: decoder, prior" vary "$folder/small.png" "${karlo[@]}"
wrong 1 "has no stage 'prior', only: decoder, image_encoder" generate x --model "$folder/varying" --quiet

# --- folders -----------------------------------------------------------------------------------------------
broken class && sed -i 's/"UnCLIPPipeline"/"KandinskyV22Pipeline"/' "$folder/class/model_index.json"
wrong_model 1 "model_index.json: '_class_name' is KandinskyV22Pipeline, expected UnCLIPPipeline" class
wrong 1 "'_class_name' is KandinskyV22Pipeline" inspect "$folder/class"
broken index && printf '[]' >"$folder/index/model_index.json"
wrong_model 1 'model_index.json is damaged: expected a JSON object' index
broken block && sed -i 's/SimpleCrossAttnDownBlock2D/CrossAttnDownBlock2D/' "$folder/block/decoder/config.json"
wrong_model 1 "decoder/config.json: 'down_block_types' has the block type 'CrossAttnDownBlock2D'" block
broken setting && sed -i 's/squaredcos_cap_v2/linear/' "$folder/setting/prior_scheduler/scheduler_config.json"
wrong_model 1 "prior_scheduler/scheduler_config.json: 'beta_schedule' is \"linear\"" setting
broken type && sed -i 's/"num_layers": 3/"num_layers": "three"/' "$folder/type/prior/config.json"
wrong_model 1 "prior/config.json: 'num_layers' is \"three\", expected a whole number" type
broken depth && sed -i 's/"num_layers": 3/"num_layers": 2/' "$folder/depth/prior/config.json"
wrong_model 1 "prior/diffusion_pytorch_model.safetensors does not fit the model: unexpected 'transformer_blocks.2." depth
broken huge && sed -i 's/"num_layers": 3/"num_layers": 1000000000000/' "$folder/huge/prior/config.json"
wrong_model 1 "prior/config.json: 'num_layers' is 1000000000000, expected a whole number" huge
broken twice && sed -i 's/"num_layers": 3/"num_layers": 3, "num_layers": 3/' "$folder/twice/prior/config.json"
wrong_model 1 "prior/config.json: 'num_layers' appears twice" twice
broken tokens && rm "$folder/tokens/tokenizer/vocab.json"
wrong_model 1 'tokenizer/vocab.json' tokens
# edit_header NAME EDIT: weights whose header Python changed, in the text encoder of the broken model.
edit_header() {
  broken "$1"
  python3 - "$folder/$1/text_encoder/model.safetensors" "$2" <<'PYTHON'
import json, struct, sys
path, edit = sys.argv[1:]
data = open(path, "rb").read()
size, = struct.unpack("<Q", data[:8])
text, rest = data[8:8 + size].decode(), data[8 + size:]
entries = [name for name in json.loads(text) if name != "__metadata__"]
header = json.loads(text)
first, second = (header[name]["data_offsets"] for name in entries[:2])
if edit == "overlap":
    second[0] -= 4; second[1] -= 4
elif edit == "outside":
    first[0] += 10**9; first[1] += 10**9
elif edit == "dtype":
    header[entries[0]]["dtype"] = "F8"
text = json.dumps(header)
if edit == "duplicate":
    text = text[:-1] + ", " + json.dumps({entries[0]: header[entries[0]]})[1:]
text = text.encode()
open(path, "wb").write(struct.pack("<Q", len(text)) + text + rest)
PYTHON
}
for edit in overlap outside dtype duplicate; do
  edit_header "header-$edit" "$edit"
  wrong_model 1 'text_encoder/model.safetensors' "header-$edit"
done
verdict "$([[ $err == *twice* || $err == *duplicate* ]] && echo yes)" 'a name that occurs twice should be called that'
broken pickle && rm "$folder/pickle/prior/diffusion_pytorch_model.safetensors"
cp "$source/tests/fixtures/io/weights/evil_system.bin" "$folder/pickle/prior/diffusion_pytorch_model.bin"
wrong_model 1 "prior/diffusion_pytorch_model.bin" pickle
verdict "$([[ $err == *"asks for '"*system* ]] && echo yes)" 'code in a pickle should be named, not run'
for part in text_encoder prior decoder text_proj super_res_first super_res_last; do
  weights=$(cd "$folder/generating" && ls "$part"/*.safetensors)
  broken missing && rm "$folder/missing/$weights"
  wrong_model 1 "$part' holds no weights: expected" missing
  broken cut && truncate -s -10 "$folder/cut/$weights"
  wrong_model 1 "$weights" cut
  broken lying && printf '\377\377\377\377\377\377\377\177' | dd of="$folder/lying/$weights" conv=notrunc status=none
  wrong_model 1 "$weights" lying
  broken settings && rm "$folder/settings/$part/config.json"
  wrong_model 1 "$part/config.json" settings
done

all_passed
