#!/usr/bin/env python3
"""What a judge, a CLIP that had no part in the training, says of a model's drawings of held-out captions.

For single (emoji, style) pairs that training knows in other styles and for emoji that it never saw: how often the
judge finds the picture drawn from a caption among all pictures drawn (R@1, R@10), beside the same for the real
drawings; and the same with the model's own CLIP on real drawings. Flags and lettered buttons, and skin tones, apart.
Writes figures.json, table.md and the drawings.

Usage: measure.py --judge runs/judge --data emoji-data/emoji-64 -o measured
"""
import argparse
import json
from pathlib import Path

import numpy as np
from held_out import Clip, Sample, draw, read_shards, recall_at

SETS = {"test_pairs": "held-out pairs", "test_emoji": "held-out emoji"}
GROUPS = {"plain": {"plain"}, "flags, buttons": {"hard"}, "all": {"plain", "toned", "hard"}}


def recalls(captions: np.ndarray, pictures: np.ndarray) -> dict[str, float]:
    return {f"R@{k}": round(recall_at(k, captions, pictures), 4) for k in (1, 10)}


def measure_set(samples: list[Sample], drawn: list, judge: Clip, own: Clip) -> dict[str, dict]:
    """Figures of each group, chances among the pictures of the group."""
    captions = [sample.caption for sample in samples]
    real = [sample.picture for sample in samples]
    embedded = {"judge finds the real drawing": (judge.captions(captions), judge.pictures(real)),
                "our CLIP finds the real drawing": (own.captions(captions), own.pictures(real))}
    embedded["judge finds our drawing"] = (embedded["judge finds the real drawing"][0], judge.pictures(drawn))
    figures = {}
    for group, kinds in GROUPS.items():
        rows = [i for i, sample in enumerate(samples) if sample.kind in kinds]
        if rows:
            figures[group] = {"pictures": len(rows)} | {
                what: recalls(texts[rows], pictures[rows]) for what, (texts, pictures) in embedded.items()}
    return figures


def table(figures: dict[str, dict]) -> str:
    lines = ["| captions | pictures | who finds what | R@1 | R@10 |", "|---|---|---|---|---|"]
    for name, groups in figures.items():
        for group, found in groups.items():
            for what, recall in found.items():
                if what != "pictures":
                    lines.append(f"| {name}, {group} | {found['pictures']} | {what} | "
                                 f"{100 * recall['R@1']:.1f} % | {100 * recall['R@10']:.1f} % |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="./unclip")
    parser.add_argument("--model", type=Path, default="models/emoji")
    parser.add_argument("--judge", type=Path, required=True, help="model directory with the judge's CLIP")
    parser.add_argument("--data", type=Path, required=True, help="folder of the 64-pixel shards")
    parser.add_argument("--count", type=int, help="samples of each set (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--flags", default="", help="more flags of `unclip generate`, for instance '--guidance 2'")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    judge, own = Clip(args.program, args.judge), Clip(args.program, args.model)
    figures = {}
    for shard, name in SETS.items():
        samples = read_shards(sorted(args.data.glob(f"{shard}-*.tar")))[:args.count]
        drawn = draw(args.program, args.model, [sample.caption for sample in samples], args.seed,
                     ["--size", "64", *args.flags.split()])
        folder = args.output / shard
        folder.mkdir(parents=True, exist_ok=True)
        for sample, picture in zip(samples, drawn):
            picture.save(folder / f"{sample.key}.png")
        figures[name] = measure_set(samples, drawn, judge, own)
    (args.output / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    (args.output / "table.md").write_text(table(figures))
    print(table(figures), end="")


if __name__ == "__main__":
    main()
