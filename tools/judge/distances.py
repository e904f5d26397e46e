#!/usr/bin/env python3
"""How near drawn and enlarged pictures are to real ones in a judge's features: FID and KID of each size of the cascade.

Held-out drawings are halved by chance. At 64 pixels what was drawn from the captions of one half is compared with the real drawings of the
other. At 256 and 1024 the drawings of one half are reduced (averages of pixels) and enlarged by `unclip upscale` and bicubically. The judge
sees 64 × 64 pixels, where an enlarged picture is nothing but the small one again: so it is shown a tile of its own size of each, one of
the four where the real drawing has most edges (one: tiles of one drawing are alike, which an unbiased estimate takes for a distance). The
floor is the same for the real drawings of the first half. Halves differ by chance, and so do tiles: figures are means over --draws of both.
"Beyond the floor" is the mean difference to the floor of the same draw, and how far the mean strays over draws. Writes distances-SIZE.json,
.md and a sheet of what was seen, .webp, in the rows of the table.

Usage: distances.py 64 --judge runs/judge --data emoji-data/emoji-64 -o measured
       distances.py 1024 --judge runs/judge --data emoji-data/emoji-1024 -o measured
"""
import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from evaluation import evaluate
from held_out import Sample, draw, read_shards
from PIL import Image

TILE = 64
CHOICE = 4  # tiles of a drawing, those with most edges, of which one is shown
ROWS = {"real": "the real drawings (floor)", "ours": "ours", "bicubic": "bicubic enlargement"}


def place(picture: Image.Image, chance: np.random.Generator) -> tuple[int, int]:
    """The corner of a tile of the grid in which much is to be seen."""
    grey = np.asarray(picture.convert("L"), np.float32)
    side = grey.shape[0] // TILE
    edges = np.hypot(*np.gradient(grey))[:side * TILE, :side * TILE].reshape(side, TILE, side, TILE).mean((1, 3))
    row, column = divmod(int(chance.choice(np.argsort(-edges, axis=None)[:CHOICE])), side)
    return TILE * column, TILE * row


def cut(picture: Image.Image, corner: tuple[int, int]) -> Image.Image:
    x, y = corner
    return picture.crop((x, y, x + TILE, y + TILE))


def upscaled(args: argparse.Namespace, small: list[Image.Image]) -> list[Image.Image]:
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{folder}/{i:05}.png" for i in range(len(small))]
        for name, picture in zip(names, small):
            picture.save(name)
        subprocess.run([args.program, "upscale", *names, "--model", str(args.model), "--from", str(small[0].width), "--size",
                        str(args.size), "--seed", str(args.seed), "-o", f"{folder}/u.png", *args.flags.split()], check=True)
        return [Image.open(f"{folder}/u-{i + 1}.png").convert("RGB") for i in range(len(small))]


def enlarged(args: argparse.Namespace, drawings: list[Image.Image]) -> dict[str, list[Image.Image]]:
    low = args.size // 4
    small = [picture.resize((low, low), Image.Resampling.BOX) for picture in drawings]
    bicubic = [picture.resize((args.size, args.size), Image.Resampling.BICUBIC) for picture in small]
    return {"ours": upscaled(args, small), "bicubic": bicubic}


def psnr(a: list[Image.Image], b: list[Image.Image]) -> float:
    errors = [np.square(np.asarray(x, np.float64) - np.asarray(y, np.float64)).mean() for x, y in zip(a, b)]
    return float(np.mean([10 * np.log10(255**2 / max(error, 1e-3)) for error in errors]))


def distances(args: argparse.Namespace, shown: list[Image.Image], reference: list[Image.Image]) -> dict:
    """FID and KID of `unclip eval`."""
    with tempfile.TemporaryDirectory() as folder:
        for name, pictures in (("shown", shown), ("reference", reference)):
            Path(folder, name).mkdir()
            for i, picture in enumerate(pictures):
                picture.save(f"{folder}/{name}/{i:06}.png")
        return evaluate(args.program, args.judge, Path(folder, "out"), ["--pictures", f"{folder}/shown", "--reference",
                                                                        f"{folder}/reference", "--seed", str(args.seed)])


def sheet(pictures: dict[str, list[Image.Image]], columns: int) -> Image.Image:
    canvas = Image.new("RGB", (columns * (TILE + 4), len(pictures) * (TILE + 4)), "white")
    for row, shown in enumerate(pictures.values()):
        for column in range(columns):
            canvas.paste(shown[column], (column * (TILE + 4), row * (TILE + 4)))
    return canvas


def made_of(args: argparse.Namespace, samples: list[Sample]) -> dict[str, list[Image.Image]]:
    """Whole pictures by the rows of the table, one of each sample."""
    drawings = [sample.picture for sample in samples]
    if args.size > TILE:
        return {"real": drawings} | enlarged(args, drawings)
    captions = [sample.caption for sample in samples]
    flags = ["--size", str(TILE), *args.flags.split()]
    return {"real": drawings, "ours": draw(args.program, args.model, captions, args.seed, flags)}


def tiles(whole: dict[str, list[Image.Image]], chance: np.random.Generator) -> dict[str, list[Image.Image]]:
    """Tiles of one half of the drawings, at the same places for each row, and "others", of the real drawings of the other half."""
    corners = [place(picture, chance) for picture in whole["real"]]
    first, second = np.array_split(chance.permutation(len(corners)), 2)
    shown = {name: [cut(pictures[i], corners[i]) for i in first] for name, pictures in whole.items()}
    return shown | {"others": [cut(whole["real"][i], corners[i]) for i in second]}


def mean_of(points: list[dict], floors: list[dict]) -> dict:
    """Of one row, over draws. The standard error is that of one estimate."""
    kid = {key: float(np.mean([point["kid"][key] for point in points])) for key in ("value", "standard_error")}
    beyond = [point["kid"]["value"] - floor["kid"]["value"] for point, floor in zip(points, floors)]
    spread = float(np.std(beyond, ddof=1) / len(beyond)**0.5) if len(beyond) > 1 else float("nan")
    return {"kid": kid, "beyond_floor": {"value": float(np.mean(beyond)), "standard_error": spread},
            "fid": float(np.mean([point["fid"]["value"] for point in points]))}


def measure(args: argparse.Namespace, samples: list[Sample]) -> tuple[dict[str, dict], dict[str, list[Image.Image]]]:
    """The figures of each row, and the first tiles that they are of."""
    whole, chance = made_of(args, samples), np.random.default_rng(args.seed)
    drawn = [tiles(whole, chance) for _ in range(args.draws)]
    points = {name: [distances(args, shown[name], shown["others"]) for shown in drawn] for name in whole}
    figures = {}
    for name, pictures in whole.items():
        figures[name] = {"pictures": len(drawn[0][name]), "draws": args.draws} | mean_of(points[name], points["real"])
        if name != "real" and args.size > TILE:
            figures[name]["psnr"] = psnr(pictures, whole["real"])
    return figures, {name: drawn[0][name] for name in whole}


def with_error(figure: dict) -> str:
    return f"{1000 * figure['value']:.2f} ± {1000 * figure['standard_error']:.2f}"


def table(figures: dict[str, dict]) -> str:
    lines = ["| what | KID · 1000 | beyond the floor | FID | PSNR |", "|---|---|---|---|---|"]
    for name, row in figures.items():
        beyond = "" if name == "real" else with_error(row["beyond_floor"])
        decibel = f"{row['psnr']:.2f} dB" if "psnr" in row else ""
        lines.append(f"| {ROWS[name]} | {with_error(row['kid'])} | {beyond} | {row['fid']:.2f} | {decibel} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", type=int, choices=(64, 256, 1024), help="of the pictures")
    parser.add_argument("--program", default="./unclip")
    parser.add_argument("--model", type=Path, default="models/emoji")
    parser.add_argument("--judge", type=Path, required=True, help="model directory with the judge's CLIP")
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards of that size")
    parser.add_argument("--count", type=int, default=300, help="drawings of each half")
    parser.add_argument("--draws", type=int, default=8, help="how often halves and tiles are drawn; figures are means")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--flags", default="", help="more flags of `unclip generate` or `unclip upscale`, for instance '--steps 10'")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    sets = ("test_pairs",) if args.size == TILE else ("test_pairs", "test_emoji")
    shards = [shard for name in sets for shard in sorted(args.data.glob(f"{name}-*.tar"))]
    figures, shown = measure(args, read_shards(shards)[:2 * args.count])
    name = f"distances-{args.size}"
    (args.output / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
    (args.output / f"{name}.md").write_text(table(figures))
    sheet(shown, min(16, len(shown["real"]))).save(args.output / f"{name}.webp", quality=90)
    print(table(figures), end="")


if __name__ == "__main__":
    main()
