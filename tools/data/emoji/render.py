"""Renders drawings on white, each once per size, into a cache of finished image files."""

import io
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

from .sources import Drawing

SMALL, BASE = 64, 256  # a 64 px picture is the area average of the 256 px one


def extension(size: int) -> str:
    """PNG; above 512 px lossless WebP, which for such drawings is a third to two thirds of PNG's bytes and decodes faster."""
    return "png" if size <= 512 else "webp"


def cache_path(cache: Path, drawing: Drawing, size: int) -> Path:
    """The package's version is part of the path, so that a new version is rendered anew."""
    package = drawing.package.replace("/", "-").replace("@", "-").replace("=", "-").strip("-")
    return cache / str(size) / package / f"{drawing.key}.{extension(size)}"


def rasterise(drawing: Drawing, size: int) -> Image.Image:
    """RGB, size x size, on white; a picture that is not square is centred."""
    if drawing.native_px is None:
        svg = {"svg_string": drawing.art.decode()} if isinstance(drawing.art, bytes) else {"svg_path": str(drawing.art)}
        png = resvg_py.svg_to_bytes(**svg, width=size, height=size, background="#ffffff", skip_system_fonts=True)
        image = Image.open(io.BytesIO(bytes(png)))
    else:
        image = Image.open(io.BytesIO(drawing.art) if isinstance(drawing.art, bytes) else drawing.art)
    image = image.convert("RGBA")
    side = max(image.size)
    square = Image.new("RGBA", (side, side), "white")
    square.alpha_composite(image, ((side - image.width) // 2, (side - image.height) // 2))
    image = square.convert("RGB")
    return image if side == size else image.resize((size, size), Image.Resampling.BOX if size < side / 2 else Image.Resampling.LANCZOS)


def _save(image: Image.Image, path: Path) -> None:
    """Written under another name first, so that an interrupted run leaves no half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_path = path.with_name(path.name + ".partial")
    options = {"compress_level": 6} if path.suffix == ".png" else {"lossless": True, "quality": 50, "method": 2}
    image.save(partial_path, "PNG" if path.suffix == ".png" else "WEBP", **options)
    os.replace(partial_path, path)


def _render(drawing: Drawing, size: int, cache: Path) -> str | None:
    """Fills the cache for one drawing; returns what went wrong, or None."""
    path = cache_path(cache, drawing, size)
    small = cache_path(cache, drawing, SMALL)
    try:
        if drawing.reaches(size) and not path.exists():
            _save(rasterise(drawing, size), path)
        if size == BASE and not small.exists():
            big = Image.open(path) if drawing.reaches(BASE) else None
            _save(big.reduce(BASE // SMALL) if big else rasterise(drawing, SMALL), small)
    except Exception as error:  # a broken drawing is reported and left out; it must not end the run
        return f"{drawing.key}: {type(error).__name__}: {error}"
    return None


def render_all(drawings: Sequence[Drawing], size: int, cache: Path, workers: int) -> list[str]:
    """Renders what the cache lacks; size 256 also makes the 64 px pictures. Returns the failures."""
    failures, start = [], time.monotonic()
    with multiprocessing.Pool(workers) as pool:
        for done, failure in enumerate(pool.imap_unordered(partial(_render, size=size, cache=cache), drawings, chunksize=8), 1):
            if failure:
                failures.append(failure)
                print(f"  not rendered: {failure}", file=sys.stderr)
            if done % 500 == 0 or done == len(drawings):
                seconds = time.monotonic() - start
                print(f"  {size} px: {done}/{len(drawings)} in {seconds:.0f} s", flush=True)
    return failures


def small_picture(cache: Path, drawing: Drawing) -> np.ndarray | None:
    """The 64 px picture, uint8 [64,64,3], or None when its rendering failed."""
    path = cache_path(cache, drawing, SMALL)
    return np.asarray(Image.open(path).convert("RGB")) if path.exists() else None
