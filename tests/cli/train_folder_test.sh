#!/usr/bin/env bash
# train_folder_test.sh PROGRAM: `train all` of a folder as people have them: pictures of all kinds, captions in all scripts, some
# damage, a disk that fills up in the middle. The tiny preset, of few steps.
set -euo pipefail
program=$1
source=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/cli/verdict.sh
source "$source/tests/cli/verdict.sh"

cp -r "$source/configs/tiny" "$folder/preset"
sed -i -E 's/"steps": [0-9]+,$/"steps": 3,/; s/"evaluate_every": [0-9]+/"evaluate_every": 3/; s/"batch_size": [0-9]+/"batch_size": 4/' \
  "$folder"/preset/*.json

# Pictures of one's own: flat colours; the last two are a single pixel, and one that claims 20,000 × 20,000.
mkdir "$folder/pictures"
python3 - "$folder/pictures" <<'PYTHON'
import struct, sys, zlib
from pathlib import Path
folder = Path(sys.argv[1])
chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def write(name, width, height, rows, caption):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    (folder / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    (folder / f"{name}.txt").write_text(caption + "\n", encoding="utf-8")
captions = ["ein roter Kreis", "赤い丸", "красный круг", "دائرة حمراء", "वृत्त", "원", "κύκλος", "עיגול", "❤️ 🟥"]
for i in range(18):
    row = b"\0" + bytes([14 * i, 255 - 14 * i, 128]) * 80
    write(f"own{i:02}", 80, 80, row * 80, f"{captions[i % len(captions)]} {i}")
write("pixel", 1, 1, b"\0abc", "a pixel")
write("vast", 20_000, 20_000, b"", "a desert")
PYTHON
for kind in cmyk.jpg rgb16.png animated.webp rgba.png gray.png palette_transparent.png orientation_6.jpg; do
  cp "$source/tests/fixtures/image/pictures/$kind" "$folder/pictures/$kind"
  echo "a picture of the kind ${kind/./ }" >"$folder/pictures/${kind%.*}.txt"
done
printf 'GIF89a' >"$folder/pictures/moving.gif"
: >"$folder/pictures/empty.jpg" && echo 'nothing' >"$folder/pictures/empty.txt"

train=(train all "$folder/pictures" --preset "$folder/preset" --out model)

# --- a disk that fills up: a file may not grow beyond what the first checkpoints need ----------------------
code=0
(ulimit -f 1500 && exec "$program" "${train[@]}" --quiet 2>&1) | cat >"$folder/err" || code=$?
out='' err=$(cat "$folder/err")
verdict "$([[ $code == 1 && $err == 'unclip: '*' cannot be written: '* && $(wc -l <"$folder/err") == 1 ]] && echo yes)" \
  'a full disk should be one sentence'
verdict "$([[ ! -e model/model.json ]] && echo yes)" 'there should be no model yet'

# --- with room again it goes on, after it has said what is there -------------------------------------------
run "${train[@]}" --resume
verdict "$([[ $code == 0 && -s model/model.json && -s model/sheet.png ]] && echo yes)" 'the same command with --resume should end with a model'
for words in '26 pictures with ' ' 1×1 to ' ' 8 with a side of less than 32 pixels' ' 1 animated, ' ' with alpha, seen on white' \
  '3 damaged and left out:' 'vast' 'empty' 'moving.gif: ' "  $program generate "; do
  verdict "$([[ $err == *"$words"* ]] && echo yes)" "train all should say: $words"
done
run generate '赤い丸 1' --model model --size 64 --seed 1 -o drawn.png --quiet
verdict "$([[ $code == 0 && -s drawn.png ]] && echo yes)" 'the model should draw'

# --- a run of another configuration is left as it is -------------------------------------------------------
before=$(find model -type f -exec cksum {} + | sort)
sed -i 's/"layers": 3/"layers": 2/' "$folder/preset/prior.json"
run "${train[@]}" --resume --quiet
verdict "$([[ $code == 1 && $(wc -l <"$folder/err") == 1 && $(find model -type f -exec cksum {} + | sort) == "$before" ]] && echo yes)" \
  'another configuration should be refused in one sentence, and nothing touched'

# --- and so is a run of other pictures ---------------------------------------------------------------------
sed -i 's/"layers": 2/"layers": 3/' "$folder/preset/prior.json"
cp "$folder/pictures/own00.png" "$folder/pictures/another.png"
echo 'one more' >"$folder/pictures/another.txt"
wrong 1 'was started with other data: ' "${train[@]}" --resume --quiet

all_passed
