#!/usr/bin/env python3
"""Sheets of docs/gallery.md, uncurated: what is drawn is shown.

styles:      some things in each of the six styles, one seed.
variations:  real drawings of held-out pairs, first of all by hash, each with four variations.
hard:        flags, lettered buttons and keycaps of held-out pairs: nobody can draw them from their names.

Usage: gallery.py styles -o styles.webp
       gallery.py variations --data emoji-data/emoji-64 -o variations.webp
       gallery.py hard --data emoji-data/emoji-64 -o hard.webp
"""
import argparse
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from sample_sheet import COLUMNS, Sample, draw, paint, read_samples

STYLES = ["noto", "twemoji", "flat fluent", "gradient fluent", "high contrast fluent", "3d fluent"]
THINGS = ["a red apple", "a cat face", "a hamburger", "a waving hand", "a house", "a grinning face", "a guitar", "a whale"]
SIDE, LABEL, GAP = 112, 120, 6


def rows(labels: list[str], pictures: list[list[Image.Image]]) -> Image.Image:
    """A label and its pictures in each row."""
    sheet = Image.new("RGB", (LABEL + len(pictures[0]) * (SIDE + GAP), len(pictures) * (SIDE + GAP)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for y, (label, row) in enumerate(zip(labels, pictures)):
        pen.text((GAP, y * (SIDE + GAP) + SIDE // 2 - 8), label, "black", font)
        for x, picture in enumerate(row):
            sheet.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (LABEL + x * (SIDE + GAP), y * (SIDE + GAP)))
    return sheet


def styles(args: argparse.Namespace) -> Image.Image:
    drawn = iter(draw(args.program, args.model, args.seed, [f"{thing}, {style} style" for thing in THINGS for style in STYLES]))
    return rows(THINGS, [[next(drawn) for _ in STYLES] for _ in THINGS])


def vary(args: argparse.Namespace, sample: Sample) -> list[Image.Image]:
    with tempfile.TemporaryDirectory() as folder:
        sample.picture.save(f"{folder}/real.png")
        subprocess.run([args.program, "vary", f"{folder}/real.png", "--model", args.model, "--seed", str(args.seed), "--n", "4",
                        "-o", f"{folder}/v.png", "--quiet"], check=True)
        return [Image.open(f"{folder}/v-{i}.png").convert("RGB") for i in range(1, 5)]


def variations(args: argparse.Namespace) -> Image.Image:
    chosen = read_samples(f"{args.data}/test_pairs-00000.tar")[:args.count]
    halves = [chosen[:len(chosen) // 2], chosen[len(chosen) // 2:]]
    left, right = ([[sample.picture, *vary(args, sample)] for sample in half] for half in halves)
    names = [sample.caption.split(",")[0] for sample in halves[0]]
    return rows(names, [a + b for a, b in zip(left, right)])


def hard(args: argparse.Namespace) -> Image.Image:
    chosen = read_samples(f"{args.data}/test_pairs-00000.tar", lambda sample: sample["hard"])[:args.count]
    return paint(chosen, draw(args.program, args.model, args.seed, [sample.caption for sample in chosen]), {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet", choices=["styles", "variations", "hard"])
    parser.add_argument("--program", default="./unclip")
    parser.add_argument("--model", default="models/emoji")
    parser.add_argument("--data", help="folder of the 64-pixel shards")
    parser.add_argument("--count", type=int, default=2 * COLUMNS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    sheet = {"styles": styles, "variations": variations, "hard": hard}[args.sheet]
    sheet(args).save(args.output, quality=88)


if __name__ == "__main__":
    main()
