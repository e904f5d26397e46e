#!/usr/bin/env python3
"""A sheet of what a model draws from held-out captions, uncurated, each beside the real drawing.

Takes the first COUNT samples of each shard in the order of the SHA-1 of their keys, without flags and lettered buttons
("hard": nobody can draw them from their names) and without skin tones (each drawing once), and their first caption.

Usage: sample_sheet.py --program ./unclip --model models/emoji --count 32 -o sheet.webp test_pairs-00000.tar test_emoji-00000.tar
"""
import argparse
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

COLUMNS, DRAWN, REAL, TEXT, GAP = 8, 128, 64, 40, 8


@dataclass
class Sample:
    key: str
    caption: str
    picture: Image.Image


def is_plain(sample: dict) -> bool:
    return not sample["hard"] and not sample["tone"]


def read_samples(shard: str, is_shown: Callable[[dict], bool] = is_plain) -> list[Sample]:
    """The samples that are shown, in an order that nobody chose."""
    with tarfile.open(shard) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}
    found = []
    for name, content in files.items():
        if not name.endswith(".json"):
            continue
        sample = json.loads(content)
        if is_shown(sample):
            picture = Image.open(io.BytesIO(files[name.removesuffix("json") + "png"])).convert("RGB")
            found.append(Sample(sample["key"], sample["captions"][0], picture))
    return sorted(found, key=lambda sample: hashlib.sha1(sample.key.encode()).hexdigest())


def draw(program: str, model: str, seed: int, captions: list[str]) -> list[Image.Image]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "generate", "-", "--model", model, "--seed", str(seed), "-o", f"{folder}/p.png"],
                       input="\n".join(captions), text=True, check=True)
        return [Image.open(f"{folder}/p-{i + 1}.png").convert("RGB") for i in range(len(captions))]


def paint(samples: list[Sample], drawn: list[Image.Image], headings: dict[int, str]) -> Image.Image:
    """headings: by the index of the sample before which they stand."""
    width, height, band = DRAWN + REAL + 3 * GAP, DRAWN + TEXT + GAP, 28
    rows = -(-len(samples) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width, rows * height + len(headings) * band), "white")
    pen, small, large = ImageDraw.Draw(sheet), ImageFont.load_default(11), ImageFont.load_default(16)
    top = 0
    for i, (sample, picture) in enumerate(zip(samples, drawn)):
        if i in headings:
            pen.text((GAP, top + 6), headings[i], "black", large)
            top += band
        left = (i % COLUMNS) * width + GAP
        sheet.paste(picture.resize((DRAWN, DRAWN), Image.Resampling.LANCZOS), (left, top))
        sheet.paste(sample.picture.resize((REAL, REAL), Image.Resampling.LANCZOS), (left + DRAWN + GAP, top))
        pen.text((left, top + DRAWN + 2), "\n".join(textwrap.wrap(sample.caption, 33)[:3]), "black", small)
        if i % COLUMNS == COLUMNS - 1:
            top += height
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", nargs="+")
    parser.add_argument("--program", default="./unclip")
    parser.add_argument("--model", default="models/emoji")
    parser.add_argument("--count", type=int, default=32, help="samples of each shard")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    samples, headings = [], {}
    for shard in args.shards:
        headings[len(samples)] = f"{Path(shard).name.split('-')[0]}: drawn from the caption; small: the real drawing"
        samples += read_samples(shard)[:args.count]
    drawn = draw(args.program, args.model, args.seed, [sample.caption for sample in samples])
    paint(samples, drawn, headings).save(args.output, quality=88)


if __name__ == "__main__":
    main()
