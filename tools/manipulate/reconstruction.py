#!/usr/bin/env python3
"""How well does a decoder draw pictures again from their inverted latents? PSNR by number of steps.

For each number of steps: `unclip embed --invert` on pictures of a WebDataset shard, `unclip vary --eta 0` on the latents,
and the peak signal-to-noise ratio to the pictures at the decoder's size. Which pictures: all, or with --count the first by
the hash of their names. Needs numpy and pillow.

  tools/manipulate/reconstruction.py build/release/apps/cli/unclip data/test-*.tar --steps logsnr50
  tools/manipulate/reconstruction.py build/release/apps/cli/unclip data/test-*.tar --count 16 --steps 10 25 50 100
"""
import argparse
import hashlib
import io
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image


def pictures_of(shards: list[Path], count: int | None) -> list[tuple[str, Image.Image]]:
    found = []
    for shard in shards:
        with tarfile.open(shard) as archive:
            for member in archive:
                if member.name.endswith(".png"):
                    found.append((hashlib.sha256(member.name.encode()).hexdigest(), member.name, shard))
    chosen = sorted(found)[:count]
    result = []
    for _, name, shard in chosen:
        with tarfile.open(shard) as archive:
            picture = Image.open(io.BytesIO(archive.extractfile(name).read())).convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        result.append((name, Image.alpha_composite(ground, picture).convert("RGB")))
    return result


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def measure(arguments: argparse.Namespace, steps: str, files: list[Path], folder: Path) -> np.ndarray:
    latent, out = folder / "latents.safetensors", folder / "again.png"
    common = ["--quiet", "--force", *(["--model", arguments.model] if arguments.model else [])]
    extra = ["--guidance", str(arguments.guidance)] if arguments.guidance != 1 else []
    subprocess.run([arguments.program, "embed", "--invert", *files, "--steps", steps, "-o", latent, *extra, *common,
                    *(["--dtype", arguments.dtype] if arguments.dtype else [])], check=True)
    subprocess.run([arguments.program, "vary", latent, "--eta", "0", "--n", "1", "--seed", "0", "--size",
                    str(arguments.size), "-o", out, *common,
                    *(["--dtype", arguments.dtype] if arguments.dtype else [])], check=True)
    return np.array([psnr(np.asarray(Image.open(file).convert("RGB")),
                          np.asarray(Image.open(folder / f"again-{i + 1}.png").convert("RGB")))
                     for i, file in enumerate(files)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("shards", type=Path, nargs="+", help="of pictures at the decoder's size")
    parser.add_argument("--model", default="")
    parser.add_argument("--size", type=int, default=64, help="the decoder's")
    parser.add_argument("--count", type=int, help="how many pictures; default: all")
    parser.add_argument("--guidance", type=float, default=1)
    parser.add_argument("--dtype", default="")
    parser.add_argument("--steps", nargs="+", default=["10", "25", "50", "100", "250"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = []
        for i, (_, picture) in enumerate(pictures_of(arguments.shards, arguments.count)):
            files.append(folder / f"picture-{i}.png")
            picture.save(files[-1])
        print(f"{len(files)} pictures\n\n| steps | mean PSNR | median | worst |\n|---|---|---|---|", flush=True)
        for steps in arguments.steps:
            values = measure(arguments, steps, files, folder)
            print(f"| {steps} | {values.mean():.1f} dB | {np.median(values):.1f} | {values.min():.1f} |", flush=True)


if __name__ == "__main__":
    main()
