#!/usr/bin/env bash
# clip_test.sh PROGRAM: embed, score and convert with released CLIPs, right and wrong, one line per case.
set -euo pipefail
program=$1
source=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/cli/verdict.sh
source "$source/tests/cli/verdict.sh"

released=$source/tests/fixtures/clip/released
pictures=$released/pictures
hf=(--model "$released/hf_quick_gelu" --quiet)

# equal FILE NAME REFERENCE NAME: two tensors of safetensors files, the second brought to unit length if asked.
equal() {
  python3 - "$@" <<'PYTHON' && echo yes
import json, math, struct, sys
def read(path, name):
    data = open(path, "rb").read()
    length, = struct.unpack("<Q", data[:8])
    entry = json.loads(data[8:8 + length])[name]
    begin, end = (8 + length + offset for offset in entry["data_offsets"])
    code, size = {"F32": ("f", 4), "I64": ("q", 8)}[entry["dtype"]]
    values = struct.unpack(f"<{(end - begin) // size}{code}", data[begin:end])
    width = math.prod(entry["shape"][1:])
    return [values[i:i + width] for i in range(0, len(values), width)]
def unit(row):
    norm = math.sqrt(sum(x * x for x in row))
    return [x / norm for x in row]
mine, theirs = read(sys.argv[1], sys.argv[2]), read(sys.argv[3], sys.argv[2])
if sys.argv[4] == "unit":
    theirs = [unit(row) for row in theirs]
assert len(mine) == len(theirs)
assert all(abs(a - b) < 2e-5 for x, y in zip(mine, theirs) for a, b in zip(x, y)), (mine, theirs)
PYTHON
}

# --- embed -------------------------------------------------------------------------------------------------
"$program" embed "$pictures" - "${hf[@]}" --batch 2 -o "$folder/unit.safetensors" <"$released/captions.txt" 2>"$folder/err"
code=$? out='' err=$(cat "$folder/err")
verdict "$(equal "$folder/unit.safetensors" image_embeds "$released/hf_quick_gelu/expected.safetensors" unit)" \
  'embed should give the pictures of a folder unit length'
verdict "$(equal "$folder/unit.safetensors" text_embeds "$released/hf_quick_gelu/expected.safetensors" unit)" \
  'embed should read captions from stdin'
run embed "$pictures" --model "$released/openai/tiny.pt" --raw -o "$folder/raw.safetensors"
verdict "$(equal "$folder/raw.safetensors" image_embeds "$released/openai/expected.safetensors" raw)" \
  "embed --raw should give OpenAI's embeddings"
run embed "$pictures/0.png" "$pictures/1.png" "${hf[@]}" -o "$folder/two.npy" --json
verdict "$(python3 - "$folder/two.npy" "$folder/out" <<'PYTHON' && echo yes
import json, struct, sys
data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x93NUMPY\x01\x00"
length, = struct.unpack("<H", data[8:10])
assert (10 + length) % 64 == 0
header = eval(data[10:10 + length])
assert header == {"descr": "<f4", "fortran_order": False, "shape": (2, 16)}, header
assert len(data) == 10 + length + 2 * 16 * 4
assert json.load(open(sys.argv[2]))["image_embeds"] == [2, 16]
PYTHON
)" 'embed should write .npy and say so as JSON'
"$program" embed "$pictures" - "${hf[@]}" --inputs -o "$folder/inputs.safetensors" <"$released/captions.txt" 2>"$folder/err"
code=$? out='' err=$(cat "$folder/err")
verdict "$(equal "$folder/inputs.safetensors" pixel_values "$released/hf_quick_gelu/expected.safetensors" raw)" \
  'embed --inputs should store what the image tower is given'
verdict "$(equal "$folder/inputs.safetensors" input_ids "$released/hf_quick_gelu/expected.safetensors" raw)" \
  'embed --inputs should store what the text tower is given'
run embed 'a cat' --model "$released/openai/tiny.pt" --inputs --quiet -o "$folder/ids.npy"
verdict "$(python3 - "$folder/ids.npy" <<'PYTHON' && echo yes
import struct, sys
data = open(sys.argv[1], "rb").read()
length, = struct.unpack("<H", data[8:10])
header = eval(data[10:10 + length])
assert header["descr"] == "<i8" and header["shape"][0] == 1, header
ids = struct.unpack(f"<{header['shape'][1]}q", data[10 + length:])
assert ids[0] == max(ids) - 1, ids
PYTHON
)" 'embed --inputs should write ids as .npy'
wrong 2 '--dtype excludes --inputs' embed 'a cat' "${hf[@]}" --inputs --dtype fp32
wrong 2 '--raw excludes --inputs' embed 'a cat' "${hf[@]}" --inputs --raw
wrong 2 'embed needs pictures or captions' embed "${hf[@]}"
wrong 2 "'x.txt' does not end in .npy or .safetensors" embed 'a cat' "${hf[@]}" -o x.txt
wrong 2 'a .npy file holds one array' embed 'a cat' "$pictures/0.png" "${hf[@]}" -o "$folder/x.npy"
wrong 2 "--batch is '0', expected 1 to 4096" embed 'a cat' "${hf[@]}" --batch 0
wrong 2 "--dtype is 'fp8', expected auto, fp32 or bf16" embed 'a cat' "${hf[@]}" --dtype fp8 -o "$folder/x.npy"
wrong 2 'a caption is empty' embed '' "${hf[@]}" -o "$folder/x.npy"
wrong 2 'unknown flag --rw, did you mean --raw?' embed 'a cat' --rw
wrong 1 "there is no picture 'cat.png'" embed cat.png "${hf[@]}"
wrong 1 'exists already; choose another name, or --force' embed 'a cat' "${hf[@]}" -o "$folder/two.npy"
wrong 1 "there is no model 'nowhere'" embed 'a cat' --model nowhere -o "$folder/x.npy"
wrong 1 'is no CLIP model' embed 'a cat' --model "$pictures" -o "$folder/x.npy"
wrong 1 'image tower only' embed 'a cat' --model "$released/hf_towers/image_encoder" -o "$folder/x.npy"
wrong 1 "asks for 'posix.system'" embed 'a cat' --model "$source/tests/fixtures/io/weights/evil_posix.bin" -o "$folder/x.npy"

# --- score -------------------------------------------------------------------------------------------------
run score "$pictures/0.png" "$pictures/1.png" 'a red heart' '!' "${hf[@]}" --json
verdict "$(python3 - "$folder/out" <<'PYTHON' && echo yes
import json, sys
result = json.load(open(sys.argv[1]))
assert result["captions"] == ["a red heart", "!"] and len(result["pictures"]) == 2
assert all(len(row) == 2 and all(-100 <= x <= 100 for x in row) for row in result["scores"])
assert all(abs(sum(row) - 1) < 1e-5 for row in result["probabilities"])
PYTHON
)" 'score --json should print a row per picture'
right '%  ' score "$pictures/0.png" heart cat "${hf[@]}" --labels --template 'a red {}'
wrong 2 'score needs pictures and captions' score 'a cat' "${hf[@]}"
wrong 2 "--template is 'a photo', expected a text with {}" score "$pictures/0.png" cat "${hf[@]}" --template 'a photo'

# --- convert -----------------------------------------------------------------------------------------------
run convert "$released/hf_quick_gelu" "$folder/ours" --quiet
run convert "$folder/ours" "$folder/back" --to huggingface --quiet
verdict "$(cmp -s "$released/hf_quick_gelu/model.safetensors" "$folder/back/model.safetensors" && echo yes)" \
  'there and back should give the same file of weights'
run embed "$pictures" --model "$folder/ours" --quiet -o "$folder/ours.safetensors"
verdict "$(equal "$folder/ours.safetensors" image_embeds "$released/hf_quick_gelu/expected.safetensors" unit)" \
  'a converted model should embed the same'
wrong 2 "DIR is required" convert
wrong 2 "--to: pth not in {unclip,huggingface}" convert "$folder/ours" "$folder/x" --to pth
wrong 1 'exists already; choose another name' convert "$folder/ours" "$folder/back"
wrong 1 'cannot be made' convert "$folder/ours" "$folder/no/where"

all_passed
