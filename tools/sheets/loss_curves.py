#!/usr/bin/env python3
"""Draws a figure of log.jsonl over the pictures seen, one line per run, one panel per figure.

Usage: loss_curves.py runs/clip runs/decoder --figures smoothed_loss drawn_cosine -o curves.webp
"""
import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from PIL import Image


def read_log(run: Path, figure: str) -> tuple[list[float], list[float]]:
    """Thousands of pictures seen, and the figure, where the log has it."""
    config = json.loads((run / "config.json").read_text())
    pictures = config["data"]["batch_size"] * config["train"].get("accumulation", 1) / 1000
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    points = [(line["step"] * pictures, line[figure]) for line in lines if figure in line]
    return [x for x, _ in points], [y for _, y in points]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="folders with config.json and log.jsonl")
    parser.add_argument("--figures", nargs="+", default=["smoothed_loss"])
    parser.add_argument("-o", "--output", type=Path, required=True, help=".png or .webp")
    args = parser.parse_args()
    figure, panels = plt.subplots(1, len(args.figures), figsize=(4.5 * len(args.figures), 3.2), squeeze=False)
    for panel, name in zip(panels[0], args.figures):
        for run in args.runs:
            x, y = read_log(run, name)
            if x:
                panel.plot(x, y, marker="o" if len(x) < 20 else "", markersize=3, label=run.name)
        panel.set(xlabel="thousand pictures", title=name.replace("_", " "), yscale="log" if "loss" in name else "linear")
        panel.grid(alpha=0.3, which="both")
        if len(args.runs) > 1:
            panel.legend(fontsize=8)
    figure.tight_layout()
    figure.canvas.draw()
    Image.frombuffer("RGBA", figure.canvas.get_width_height(), figure.canvas.buffer_rgba()).convert("RGB").save(args.output)


if __name__ == "__main__":
    main()
