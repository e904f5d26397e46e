#!/usr/bin/env bash
# manipulations_test.sh PROGRAM WRITE_TINY_MODEL: vary --eta, embed --invert, interpolate, edit, probe, inpaint and
# upscale, right and wrong, one line per case.
set -euo pipefail
program=$1 write_tiny_model=$2
source=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/cli/verdict.sh
source "$source/tests/cli/verdict.sh"

"$write_tiny_model" "$folder/model" # draws 16 and 32 pixels
tiny=(--model "$folder/model" --quiet)
small=("${tiny[@]}" --size 16 --seed 1)

# png NAME WIDTH HEIGHT BYTES-PER-PIXEL EXPRESSION: a picture whose pixel (x, y) is the Python expression.
png() {
  python3 - "$folder/$1" "$2" "$3" "$4" "$5" <<'PYTHON'
import struct, sys, zlib
name, width, height, channels, pixel = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
draw = eval(f"lambda x, y: ({pixel})")
chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\0" + b"".join(bytes(draw(x, y)) for x in range(width)) for y in range(height))
header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
with open(name, "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PYTHON
}
png a.png 16 16 3 '40 + 10 * x, 200 - 8 * y, 90'
png b.png 21 16 3 '200 - 6 * x, 60 + 5 * y, 30 + 9 * x'
png mask.png 21 16 3 '(255, 255, 255) if 5 < x < 15 and y > 6 else (0, 0, 0)'
png black.png 21 16 3 '0, 0, 0'
png hole.png 21 16 4 '200 - 6 * x, 60 + 5 * y, 30, 0 if x < 9 else 255'
mkdir "$folder/pictures"
for i in 1 2 3 4 5 6; do png "pictures/$i.png" 16 16 3 "(40 * $i) % 256, 10 * x, 15 * y"; done
printf 'no picture' >"$folder/text.png"

# pixels FILE: a number for what a PNG shows, whatever its text says.
pixels() {
  python3 - "$1" <<'PYTHON'
import sys, zlib
data, at, packed = open(sys.argv[1], "rb").read(), 8, b""
while at < len(data):
    length, kind = int.from_bytes(data[at:at + 4], "big"), data[at + 4:at + 8]
    packed += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
    at += 12 + length
print(zlib.crc32(zlib.decompress(packed)))
PYTHON
}

# written FILE…: exit code 0, and these files are there.
written() {
  local right=yes file
  [[ $code == 0 ]] || right=no
  for file in "$@"; do [[ -s $file ]] || right=no; done
  verdict $right "should write $*"
}

# --- what must work ----------------------------------------------------------------------------------------
run vary "$folder/a.png" "${small[@]}" --eta 0 --steps 200 --n 1 -o again.png
written again.png
run embed --invert "$folder/a.png" "${tiny[@]}" --steps 200 -o a.safetensors --json
written a.safetensors
verdict "$(python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); assert o["x_T"] == [1, 3, 16, 16] and o["steps"] == "200"' "$folder/out" && echo yes)" \
  'embed --invert --json should tell the shapes'
run vary a.safetensors "${small[@]}" --eta 0 --n 1 -o stored.png
written stored.png
verdict "$([[ $(pixels again.png) == "$(pixels stored.png)" ]] && echo yes)" 'a stored latent should draw the same picture'
run vary "$folder/a.png" "${small[@]}" --eta 1 --steps 10 --n 2 -o varied.png
written varied-1.png varied-2.png varied-sheet.png
run interpolate "$folder/a.png" "$folder/b.png" "${small[@]}" --n 3 -o between.png --frames --gif between.gif --webp between.webp --json
written between.png between-1.png between-3.png between.gif between.webp
verdict "$(python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); assert o["labels"] == ["θ=0.00", "θ=0.50", "θ=1.00"] and len(o["frames"]) == 3 and o["gif"] and o["webp"]' "$folder/out" && echo yes)" \
  'interpolate --json should tell labels and files'
verdict "$(grep -aq '"command":"interpolate"' between.png && echo yes)" 'a strip should carry its recipe'
run interpolate 'a red heart' "$folder/b.png" "${small[@]}" --n 2 -o captioned.png
written captioned.png
run interpolate "$folder/a.png" "$folder/b.png" "${small[@]}" --n 3 --latent inverted --steps 10 -o inverted.png
written inverted.png
run edit "$folder/a.png" --from 'a heart' --to 'a red heart' "${small[@]}" --steps 10 --n 3 -o edited.png
written edited.png
run edit "$folder/a.png" --to 'a red heart' "${small[@]}" --steps 10 --n 2 -o edited-without-from.png
written edited-without-from.png
run probe "$folder/a.png" --data "$folder/pictures" "${small[@]}" -o probed.png --json
written probed.png
verdict "$(python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); assert o["labels"] == ["k=5"], o' "$folder/out" && echo yes)" \
  'six pictures should have five components'
run inpaint "$folder/b.png" 'a heart' --mask "$folder/mask.png" "${tiny[@]}" --size 32 --steps 4 --resamplings 2 --n 2 -o inpainted.png
written inpainted-1.png inpainted-2.png inpainted-sheet.png
run inpaint "$folder/hole.png" 'a heart' "${small[@]}" --steps 4 --resamplings 1 -o filled.png
written filled.png
run upscale "$folder/a.png" "$folder/b.png" "${tiny[@]}" --seed 1 -o upscaled.png --json
written upscaled-1.png upscaled-2.png upscaled-sheet.png
verdict "$(python3 -c 'import json, struct, sys
pictures = json.load(open(sys.argv[1]))["pictures"]
assert [p["seed"] for p in pictures] == ["1", "2"], pictures
assert [struct.unpack(">II", open(p["file"], "rb").read()[16:24]) for p in pictures] == [(32, 32), (42, 32)]' "$folder/out" && echo yes)" \
  'pictures should keep their proportions'

# --- flags -------------------------------------------------------------------------------------------------
wrong 2 "--eta is '1.5', expected 0 to 1" vary "$folder/a.png" "${small[@]}" --eta 1.5
wrong 2 "--eta is '-0.1', expected 0 to 1" vary "$folder/a.png" "${small[@]}" --eta -0.1
wrong 2 "--theta is '2', expected 0 to 1" edit "$folder/a.png" --to x "${small[@]}" --theta 2
wrong 2 "--theta is '-1', expected 0 to 1" edit "$folder/a.png" --to x "${small[@]}" --theta -1
wrong 2 'inverted latents are decoded by ddim' vary "$folder/a.png" "${small[@]}" --eta 0 --sampler ddpm
wrong 2 'a stored latent has its own steps' vary "$folder/work/a.safetensors" "${small[@]}" --steps 5 -o x.png
wrong 2 "the decoder's steps: " vary "$folder/a.png" "${small[@]}" --eta 0 --steps none
wrong 2 "--n is '1', expected 2 to 1000" interpolate "$folder/a.png" "$folder/b.png" "${small[@]}" --n 1
wrong 2 "--latent is 'random', expected fixed or inverted" \
  interpolate "$folder/a.png" "$folder/b.png" "${small[@]}" --latent random
wrong 2 '--eta has no effect on inverted latents' \
  interpolate "$folder/a.png" "$folder/b.png" "${small[@]}" --latent inverted --eta 0.5
wrong 2 '--pictures says how many of --data are looked at' probe "$folder/a.png" "${small[@]}" --pictures 9
wrong 2 '--resamplings and --jump have no effect on --method finetuned' \
  inpaint "$folder/b.png" x --mask "$folder/mask.png" "${small[@]}" --method finetuned --jump 2
wrong 2 "'a heart' is a caption" interpolate "$folder/a.png" 'a heart' "${small[@]}" --latent inverted
wrong 2 'B is required' interpolate "$folder/a.png" "${small[@]}"
wrong 2 'a caption is empty' interpolate '' "$folder/b.png" "${small[@]}"
wrong 2 '--to is required' edit "$folder/a.png" "${small[@]}"
wrong 2 'a caption is empty' edit "$folder/a.png" --to ' ' "${small[@]}"
wrong 2 "--k is '0', expected 1 to 1000000" probe "$folder/a.png" --data "$folder/pictures" "${small[@]}" --k 0
wrong 2 '7 components were asked for, expected 1 to 5' \
  probe "$folder/a.png" --data "$folder/pictures" "${small[@]}" --k 3,7
wrong 2 "--gif is 'x.png', expected a name that ends in .gif" \
  interpolate "$folder/a.png" "$folder/b.png" "${small[@]}" --gif x.png
wrong 2 '--webp and --output are the same file' \
  interpolate "$folder/a.png" "$folder/b.png" "${small[@]}" --webp x.webp -o x.webp
wrong 2 'a JPEG changes the pixels that shall stay' \
  inpaint "$folder/b.png" x --mask "$folder/mask.png" "${small[@]}" -o x.jpg
wrong 2 'which part shall be repainted?' inpaint "$folder/b.png" x "${small[@]}"
wrong 2 "--method is 'magic'" inpaint "$folder/b.png" x --mask "$folder/mask.png" "${small[@]}" --method magic
wrong 2 "--resamplings is '0', expected 1 to 100" \
  inpaint "$folder/b.png" x --mask "$folder/mask.png" "${small[@]}" --resamplings 0
wrong 2 "the decoder's steps: " inpaint "$folder/b.png" x --mask "$folder/mask.png" "${small[@]}" --steps 5000
wrong 2 "this model draws pictures of 16, 32 pixels a side, not 77" upscale "$folder/a.png" "${tiny[@]}" --size 77
wrong 2 'ask for 32 or more' upscale "$folder/a.png" "${tiny[@]}" --size 16
wrong 2 'an upsampler begins at 16, not at 8' upscale "$folder/a.png" "${tiny[@]}" --from 8
wrong 2 "upscaled-2.png' of 42 × 32 pixels is not smaller than the 32" upscale "$folder/work/upscaled-2.png" "${tiny[@]}" -o x.png
wrong 2 'IMAGE is required' upscale "${tiny[@]}"
wrong 2 "--output is 'x.png', expected a name that ends in .safetensors" \
  embed --invert "$folder/a.png" "${tiny[@]}" -o x.png

# --- files and models --------------------------------------------------------------------------------------
wrong 1 'text.png' vary "$folder/text.png" "${small[@]}" --eta 0
wrong 1 'text.png' interpolate "$folder/a.png" "$folder/text.png" "${small[@]}"
wrong 1 'text.png' edit "$folder/text.png" --to x "${small[@]}"
wrong 1 'text.png' probe "$folder/text.png" --data "$folder/pictures" "${small[@]}"
wrong 1 'text.png' inpaint "$folder/text.png" x --mask "$folder/mask.png" "${small[@]}"
wrong 1 'text.png' inpaint "$folder/b.png" x --mask "$folder/text.png" "${small[@]}"
wrong 1 'text.png' upscale "$folder/a.png" "$folder/text.png" "${tiny[@]}" -o x.png
wrong 1 'text.png' embed --invert "$folder/text.png" "${tiny[@]}" -o x.safetensors
wrong 1 'nowhere.png cannot be opened' edit nowhere.png --to x "${small[@]}"
wrong 1 'nowhere' vary nowhere.safetensors "${small[@]}"
wrong 1 'holds no latent' vary "$folder/model/clip/model.safetensors" "${small[@]}"
wrong 1 'the mask has 21 × 16 pixels, but the picture has 16 × 16: they must be of one size' \
  inpaint "$folder/a.png" x --mask "$folder/mask.png" "${small[@]}"
wrong 1 'black.png: the mask has nothing to repaint' \
  inpaint "$folder/b.png" x --mask "$folder/black.png" "${small[@]}"
cp -r "$folder/model" "$folder/one-prior"
sed -i '/"ar_prior": {/,/}/d' "$folder/one-prior/model.json"
wrong 1 "has no stage 'ar_prior' whose principal components could be used" \
  probe "$folder/a.png" --model "$folder/one-prior" --quiet --size 16 --seed 1
run probe "$folder/a.png" "${small[@]}" -o own.png --json
written own.png
wrong 1 "has no stage 'decoder_inpaint'" \
  inpaint "$folder/b.png" x --mask "$folder/mask.png" "${small[@]}" --method finetuned
wrong 1 'nowhere' probe "$folder/a.png" --data nowhere "${small[@]}"
wrong 1 'both captions mean the same' edit "$folder/a.png" --from x --to x "${small[@]}"
wrong 1 'exists already' interpolate "$folder/a.png" "$folder/b.png" "${small[@]}" -o between.png
wrong 1 'exists already' interpolate "$folder/a.png" "$folder/b.png" "${small[@]}" -o new.png --gif between.gif
cp -r "$folder/model" "$folder/undecoded"
sed -i '/"decoder": {/,/}/d' "$folder/undecoded/model.json"
for command in "vary $folder/a.png --eta 0" "edit $folder/a.png --to x" "interpolate $folder/a.png $folder/b.png"; do
  # shellcheck disable=SC2086 # words
  wrong 1 "has no stage 'decoder'" $command --model "$folder/undecoded" --quiet --size 16 -o x.png
done

all_passed
