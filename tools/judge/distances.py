#!/usr/bin/env python3
"""How near drawn and enlarged pictures are to real ones in a judge's features: KID and FID of each size of the cascade.

At 64 pixels what is drawn from the captions of held-out drawings is compared with the drawings. At 256 and 1024 the drawings are reduced
(averages of pixels) and enlarged by `unclip upscale` and bicubically. The judge sees 64 × 64 pixels, where an enlarged picture is nothing
but the small one again: so it is shown one tile of its own size of each, drawn --draws times, of the four where the real drawing has most
edges ("edges"), and again of all where anything is seen ("seen").

No picture is compared with the drawing that it was made of, or to be nearer than another drawing would be no merit. KID is the mean over
all ways to halve the drawings and compare pictures made of one half with the drawings of the other; it is the sum over pairs of different
drawings, and that of real ones, the floor, is 0. FID, which has no such sum, is the mean over --draws halvings by chance, and its floor is
that of real drawings. (`unclip eval` has both figures of one halving; here embeddings are taken once for all.) Errors of KID are standard
errors, as the drawings would be chosen anew.

Writes distances-SIZE-TILES.json, .md and a sheet of what was seen, .webp, in the rows of the table; TILES is "whole" at 64 pixels.

Usage: distances.py 64 --judge runs/judge --data emoji-data/emoji-64 -o measured
       distances.py 1024 --judge runs/judge --data emoji-data/emoji-1024 -o measured
"""
import argparse
import itertools
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from held_out import Clip, Sample, draw, read_shards
from PIL import Image

TILE = 64
CHOICE = 4  # tiles of a drawing, those with most edges, of which one is shown
FLAT = 12.0  # standard deviation of grey values below which nothing is seen
ROWS = {"real": "the real drawings (floor)", "ours": "ours", "bicubic": "bicubic enlargement"}

Pictures = dict[str, list[Image.Image]]  # by the rows of the table, one of each drawing


# --- what is shown to the judge ----------------------------------------------------------------------------


def candidates(picture: Image.Image, kind: str) -> tuple[np.ndarray, int]:
    """Indices of the tiles of which one may be shown, and how many there are in a row of the grid."""
    grey = np.asarray(picture.convert("L"), np.float32)
    side = grey.shape[0] // TILE

    def by_tile(values: np.ndarray) -> np.ndarray:
        return values[:side * TILE, :side * TILE].reshape(side, TILE, side, TILE)

    if kind == "edges":
        return np.argsort(-by_tile(np.hypot(*np.gradient(grey))).mean((1, 3)), axis=None)[:CHOICE], side
    deviations = by_tile(grey).std((1, 3)).ravel()
    seen = np.flatnonzero(deviations > FLAT)
    return seen if len(seen) else deviations.argmax(keepdims=True), side


def place(picture: Image.Image, kind: str, chance: np.random.Generator) -> tuple[int, int]:
    """The corner of a tile in which something is to be seen."""
    indices, side = candidates(picture, kind)
    row, column = divmod(int(chance.choice(indices)), side)
    return TILE * column, TILE * row


def tiles(whole: Pictures, kind: str, chance: np.random.Generator) -> Pictures:
    """One of each picture, at the same place for each row."""
    corners = [place(picture, kind, chance) for picture in whole["real"]]
    return {name: [picture.crop((x, y, x + TILE, y + TILE)) for picture, (x, y) in zip(pictures, corners)]
            for name, pictures in whole.items()}


def upscaled(args: argparse.Namespace, small: list[Image.Image]) -> list[Image.Image]:
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{folder}/{i:05}.png" for i in range(len(small))]
        for name, picture in zip(names, small):
            picture.save(name)
        subprocess.run([args.program, "upscale", *names, "--model", str(args.model), "--from", str(small[0].width), "--size",
                        str(args.size), "--seed", str(args.seed), "-o", f"{folder}/u.png", *args.flags.split()], check=True)
        return [Image.open(f"{folder}/u-{i + 1}.png").convert("RGB") for i in range(len(small))]


def made_of(args: argparse.Namespace, samples: list[Sample]) -> Pictures:
    drawings = [sample.picture for sample in samples]
    if args.size == TILE:
        captions = [sample.caption for sample in samples]
        return {"real": drawings, "ours": draw(args.program, args.model, captions, args.seed, ["--size", str(TILE), *args.flags.split()])}
    low = args.size // 4
    small = [picture.resize((low, low), Image.Resampling.BOX) for picture in drawings]
    bicubic = [picture.resize((args.size, args.size), Image.Resampling.BICUBIC) for picture in small]
    return {"real": drawings, "ours": upscaled(args, small), "bicubic": bicubic}


# --- distances of features [N, D] --------------------------------------------------------------------------


def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """KID's (Bińkowski et al. 2018, §4)."""
    return (x @ y.T / x.shape[1] + 1)**3


def kid_terms(x: np.ndarray, real: np.ndarray) -> np.ndarray:
    """[N, N], whose mean off the diagonal is the unbiased squared MMD of x from `real`; row i of both belongs to drawing i."""
    across = kernel(x, real)
    return kernel(x, x) + kernel(real, real) - across - across.T


def u_statistic(terms: np.ndarray) -> tuple[float, float]:
    """The mean off the diagonal, and its standard error (Hoeffding 1948, the first term)."""
    count = len(terms)
    rows = (terms.sum(1) - np.diag(terms)) / (count - 1)
    return float(rows.mean()), float(2 * rows.std(ddof=1) / count**0.5)


def frechet(x: np.ndarray, y: np.ndarray) -> float:
    """FID of Gaussians (Heusel et al. 2017)."""
    cov_x, cov_y = np.cov(x.T), np.cov(y.T)
    root = np.sqrt(np.clip(np.linalg.eigvals(cov_x @ cov_y).real, 0, None)).sum()
    return float(np.square(x.mean(0) - y.mean(0)).sum() + np.trace(cov_x) + np.trace(cov_y) - 2 * root)


def psnr(a: list[Image.Image], b: list[Image.Image]) -> float:
    errors = [np.square(np.asarray(x, np.float64) - np.asarray(y, np.float64)).mean() for x, y in zip(a, b)]
    return float(np.mean([10 * np.log10(255**2 / max(error, 1e-3)) for error in errors]))


# --- the table ---------------------------------------------------------------------------------------------


def measure(args: argparse.Namespace, whole: Pictures, kind: str) -> tuple[dict[str, dict], Pictures]:
    """The figures of each row, and the first tiles that they are of."""
    judge, chance = Clip(args.program, args.judge), np.random.default_rng(args.seed)
    shown = [whole] if kind == "whole" else [tiles(whole, kind, chance) for _ in range(args.draws)]
    seen = [{name: judge.pictures(pictures, raw=True).astype(np.float64) for name, pictures in those.items()} for those in shown]
    halves = [np.array_split(chance.permutation(len(whole["real"])), 2) for _ in range(args.draws)]
    figures = {}
    for name, pictures in whole.items():
        kid, error = u_statistic(np.mean([kid_terms(features[name], features["real"]) for features in seen], 0))
        fid = np.mean([frechet(features[name][a], features["real"][b]) for features, (a, b) in zip(itertools.cycle(seen), halves)])
        figures[name] = {"pictures": len(pictures), "kid": {"value": kid, "standard_error": error}, "fid": float(fid)}
        if name != "real" and kind != "whole":
            figures[name]["psnr"] = psnr(pictures, whole["real"])
    return figures, shown[0]


def table(figures: dict[str, dict]) -> str:
    lines = ["| what | KID · 1000 | FID | PSNR |", "|---|---|---|---|"]
    for name, row in figures.items():
        kid = "0" if name == "real" else f"{1000 * row['kid']['value']:.1f} ± {1000 * row['kid']['standard_error']:.1f}"
        decibel = f"{row['psnr']:.2f} dB" if "psnr" in row else ""
        lines.append(f"| {ROWS[name]} | {kid} | {row['fid']:.2f} | {decibel} |")
    return "\n".join(lines) + "\n"


def sheet(pictures: Pictures, columns: int) -> Image.Image:
    canvas = Image.new("RGB", (columns * (TILE + 4), len(pictures) * (TILE + 4)), "white")
    for row, shown in enumerate(pictures.values()):
        for column in range(columns):
            canvas.paste(shown[column], (column * (TILE + 4), row * (TILE + 4)))
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", type=int, choices=(64, 256, 1024), help="of the pictures")
    parser.add_argument("--program", default="./unclip")
    parser.add_argument("--model", type=Path, default="models/emoji")
    parser.add_argument("--judge", type=Path, required=True, help="model directory with the judge's CLIP")
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards of that size")
    parser.add_argument("--count", type=int, default=600, help="drawings")
    parser.add_argument("--draws", type=int, default=16, help="how often tiles and halves are drawn; figures are means")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--flags", default="", help="more flags of `unclip generate` or `unclip upscale`, for instance '--steps 10'")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    sets = ("test_pairs",) if args.size == TILE else ("test_pairs", "test_emoji")
    shards = [shard for name in sets for shard in sorted(args.data.glob(f"{name}-*.tar"))]
    whole = made_of(args, read_shards(shards)[:args.count])
    for kind in ("whole",) if args.size == TILE else ("edges", "seen"):
        figures, shown = measure(args, whole, kind)
        name = f"distances-{args.size}-{kind}"
        (args.output / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
        (args.output / f"{name}.md").write_text(table(figures))
        sheet(shown, min(16, len(whole["real"]))).save(args.output / f"{name}.webp", quality=90)
        print(f"{kind}\n\n{table(figures)}", flush=True)


if __name__ == "__main__":
    main()
