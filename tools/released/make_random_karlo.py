#!/usr/bin/env python3
"""Writes a Karlo of full size with random weights in the layout of diffusers: for timing and memory, not for pictures.

  make_random_karlo.py OUT [--dtype bf16|fp32] [--variations] [--seed 0]

Configurations, names and shapes are those of tests/fixtures/karlo/full_size. Weights are written as they are drawn, a part at
a time: 6.8 GB in bf16, 13.7 GB in fp32. Matrices are normal with variance 1 / (numbers of a row), norms and biases as at the
start of training, so that activations stay finite. Needs NumPy.
"""
import argparse
import json
import math
import shutil
import struct
import sys
from pathlib import Path

import numpy

ROOT = Path(__file__).resolve().parents[2]
FULL_SIZE = ROOT / "tests" / "fixtures" / "karlo" / "full_size"
CHUNK = 1 << 24  # numbers drawn at a time
ITEM_BYTES = {"bf16": 2, "fp32": 4}
SAFETENSORS_DTYPE = {"bf16": "BF16", "fp32": "F32"}
ONLY_VARYING = {"image_encoder"}
ONLY_GENERATING = {"prior", "prior_scheduler"}


def shapes() -> dict[str, dict[str, list[int]]]:
    """Per component the tensors by name."""
    found: dict[str, dict[str, list[int]]] = {}
    for line in (FULL_SIZE / "diffusers.txt").read_text(encoding="utf-8").splitlines():
        component, name, *sizes = line.split(" ")
        found.setdefault(component, {})[name] = [int(size) for size in sizes[0].split(",")] if sizes else []
    return found


def encode(values: numpy.ndarray, dtype: str) -> bytes:
    if dtype == "fp32":
        return values.tobytes()
    bits = values.view(numpy.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16).tobytes()  # to the nearest, ties to even


def draw(name: str, shape: list[int], count: int, generator: numpy.random.Generator) -> numpy.ndarray:
    """`count` of the numbers of a tensor."""
    if name.endswith("clip_std"):
        return numpy.ones(count, numpy.float32)
    if name.endswith("bias") or name.endswith("clip_mean"):
        return numpy.zeros(count, numpy.float32)
    if len(shape) == 1 and name.endswith("weight"):
        return numpy.ones(count, numpy.float32)
    row = math.prod(shape[1:]) if len(shape) >= 2 else 1
    return generator.standard_normal(count, numpy.float32) / numpy.float32(math.sqrt(row))


def write_weights(path: Path, tensors: dict[str, list[int]], dtype: str, generator: numpy.random.Generator) -> None:
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in tensors.items():
        begin, end = end, end + math.prod(shape) * ITEM_BYTES[dtype]
        header[name] = {"dtype": SAFETENSORS_DTYPE[dtype], "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in tensors.items():
            left = math.prod(shape)
            while left > 0:
                count = min(left, CHUNK)
                file.write(encode(draw(name, shape, count, generator), dtype))
                left -= count


def write_settings(out: Path, variations: bool) -> None:
    """All that is no weight."""
    skipped = ONLY_GENERATING if variations else ONLY_VARYING | {"feature_extractor"}
    for folder in FULL_SIZE.iterdir():
        if folder.is_dir() and folder.name not in skipped:
            shutil.copytree(folder, out / folder.name)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(ROOT / "assets" / "clip-tokenizer" / name, out / "tokenizer" / name)
    index = json.loads((FULL_SIZE / "model_index.json").read_text(encoding="utf-8"))
    if variations:
        index = {name: entry for name, entry in index.items() if name not in ONLY_GENERATING}
        index |= {"_class_name": "UnCLIPImageVariationPipeline",
                  "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
                  "feature_extractor": ["transformers", "CLIPImageProcessor"]}
    (out / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the new folder")
    parser.add_argument("--dtype", choices=sorted(ITEM_BYTES), default="bf16")
    parser.add_argument("--variations", action="store_true", help="the folder of UnCLIPImageVariationPipeline")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.out.exists():
        sys.exit(f"{options.out} exists already; choose another name")
    options.out.mkdir(parents=True)
    write_settings(options.out, options.variations)
    generator = numpy.random.default_rng(options.seed)
    for component, tensors in shapes().items():
        if component in (ONLY_GENERATING if options.variations else ONLY_VARYING):
            continue
        stem = "model" if component.endswith("_encoder") else "diffusion_pytorch_model"
        path = options.out / component / f"{stem}.safetensors"
        write_weights(path, tensors, options.dtype, generator)
        print(f"{path.stat().st_size / 1e9:6.2f} GB  {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
