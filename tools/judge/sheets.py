#!/usr/bin/env python3
"""Two sheets that a judge orders: what is memorised and what is new, and captions that combine what never stood together.

neighbours: drawings of held-out captions (measure.py wrote them), each with the training drawings nearest to it in
  the judge's features and its cosine with the nearest.
compositions: one drawing for each of the captions of a file, with the rank of its own caption among all of them.

Usage: sheets.py neighbours --judge runs/judge --drawn measured/test_pairs --data emoji-data/emoji-64 -o neighbours.webp
       sheets.py compositions --judge runs/judge --captions tools/judge/compositions.txt -o compositions.webp
"""
import argparse
import hashlib
import textwrap
from pathlib import Path

import numpy as np
from held_out import Clip, draw, read_shards
from PIL import Image, ImageDraw, ImageFont

SIDE, TEXT, GAP, COLUMNS, NEIGHBOURS = 96, 54, 8, 8, 3


def panel(pictures: list[Image.Image], text: str) -> Image.Image:
    """Pictures in a row over a few words."""
    image = Image.new("RGB", (len(pictures) * (SIDE + GAP) + GAP, SIDE + TEXT + GAP), "white")
    for i, picture in enumerate(pictures):
        image.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (GAP + i * (SIDE + GAP), GAP))
    lines = textwrap.wrap(text, image.width // 6)[:3]
    ImageDraw.Draw(image).text((GAP, SIDE + GAP + 2), "\n".join(lines), "black", ImageFont.load_default(11))
    return image


def tile(panels: list[Image.Image], columns: int) -> Image.Image:
    width, height = panels[0].size
    sheet = Image.new("RGB", (columns * width, -(-len(panels) // columns) * height), "white")
    for i, image in enumerate(panels):
        sheet.paste(image, (i % columns * width, i // columns * height))
    return sheet


def neighbours(args: argparse.Namespace) -> Image.Image:
    judge = Clip(args.program, args.judge)
    training = [sample.picture for sample in read_shards(sorted(args.data.glob("train-*.tar")))]
    files = sorted(args.drawn.glob("*.png"), key=lambda file: hashlib.sha1(file.stem.encode()).hexdigest())[:args.count]
    drawn = [Image.open(file).convert("RGB") for file in files]
    cosines = judge.pictures(drawn) @ judge.pictures(training).T
    nearest = np.argsort(-cosines, axis=1)[:, :NEIGHBOURS]
    return tile([panel([picture, *(training[j] for j in nearest[i])], f"{files[i].stem}: {cosines[i].max():.2f}")
                 for i, picture in enumerate(drawn)], 3)


def compositions(args: argparse.Namespace) -> Image.Image:
    judge = Clip(args.program, args.judge)
    captions = args.captions.read_text(encoding="utf-8").splitlines()
    drawn = draw(args.program, args.model, captions, args.seed, ["--size", "64"])
    cosines = judge.pictures(drawn) @ judge.captions(captions).T
    ranks = 1 + (cosines > np.diag(cosines)[:, None]).sum(1)
    print(f"own caption first: {np.mean(ranks == 1):.1%}, among the first five: {np.mean(ranks <= 5):.1%}, "
          f"median rank {np.median(ranks):.0f} of {len(captions)}")
    return tile([panel([picture], f"{caption}: {rank}")
                 for caption, picture, rank in zip(captions, drawn, ranks)], COLUMNS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sheets = parser.add_subparsers(required=True)
    for sheet in (neighbours, compositions):
        one = sheets.add_parser(sheet.__name__)
        one.set_defaults(sheet=sheet)
        one.add_argument("--program", default="./unclip")
        one.add_argument("--judge", type=Path, required=True, help="model directory with the judge's CLIP")
        one.add_argument("-o", "--output", type=Path, required=True)
        if sheet is neighbours:
            one.add_argument("--drawn", type=Path, required=True, help="folder of drawings")
            one.add_argument("--data", type=Path, required=True, help="folder of the 64-pixel shards")
            one.add_argument("--count", type=int, default=48)
        else:
            one.add_argument("--model", type=Path, default="models/emoji")
            one.add_argument("--captions", type=Path, required=True)
            one.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.sheet(args).save(args.output, quality=88)


if __name__ == "__main__":
    main()
