#!/usr/bin/env python3
"""Runs recorded cases of released-model layouts through the unclip program and compares what it draws.

  check_released.py FOLDER [--program build/release/apps/cli/unclip] [--tolerance 1e-3]

FOLDER holds ref/MANIFEST.json, ref/NAME.safetensors (recordings of the Python reference) and the model folders that the
manifest names. Every Karlo case is drawn with `--noise ref/NAME.safetensors --dump …` in float32, and its captions or its picture are
given to the folder's CLIP encoder alone (`embed --raw`); printed are the largest differences of the image embedding, the decoder's
picture and the final picture (in 0…1), and of what the encoder gives. Exit status 1 if one exceeds the tolerance. Needs nothing but
Python.
"""
import argparse
import json
import struct
import subprocess
import sys
import tempfile
import zlib
from array import array
from pathlib import Path

FORMATS = {"F32": "f", "U8": "B", "I64": "q"}


class Tensors:
    """A safetensors file: shape and flat values by name."""

    def __init__(self, path: Path):
        self.data = path.read_bytes()
        length = struct.unpack("<Q", self.data[:8])[0]
        self.header = json.loads(self.data[8:8 + length])
        self.begin = 8 + length

    def __contains__(self, name: str) -> bool:
        return name in self.header

    def shape(self, name: str) -> list[int]:
        return self.header[name]["shape"]

    def values(self, name: str) -> array:
        entry = self.header[name]
        begin, end = entry["data_offsets"]
        return array(FORMATS[entry["dtype"]], self.data[self.begin + begin:self.begin + end])


def write_png(path: Path, shape: list[int], values: array) -> None:
    height, width, _ = shape
    rows = b"".join(b"\0" + values[y * width * 3:(y + 1) * width * 3].tobytes() for y in range(height))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) +
                     chunk(b"IEND", b""))


def arguments_of(case: dict, recorded: Tensors, folder: Path) -> list[str]:
    """The command that repeats a recorded run."""
    steps = ["--steps", str(case["decoder_steps"]), "--upsampler-steps", str(case["super_res_steps"]),
             "--guidance", str(case["decoder_guidance_scale"])]
    if case["pipeline"] == "UnCLIPPipeline":
        return ["generate", *case["prompts"], "--prior-steps", str(case["prior_steps"]),
                "--prior-guidance", str(case["prior_guidance_scale"]), *steps]
    return ["vary", str(write_picture(recorded, folder)), "--n", str(case["num_images_per_prompt"]), *steps]


def write_picture(recorded: Tensors, folder: Path) -> Path:
    """The picture of a recorded variation."""
    picture = folder / "picture.png"
    write_png(picture, recorded.shape("image.rgb_u8"), recorded.values("image.rgb_u8"))
    return picture


def nhwc(shape: list[int], values: array) -> array:
    count, channels, height, width = shape
    return array("f", (values[((n * channels + c) * height + y) * width + x]
                       for n in range(count) for y in range(height) for x in range(width) for c in range(channels)))


def expected_tensors(case: dict, recorded: Tensors) -> dict[str, array]:
    """What the recording says of the three tensors of a dump, as far as it says it."""
    expected = {"image": recorded.values("image_out_nhwc")}
    last = f"decoder.step{case['decoder_steps'] - 1}.prev_sample"
    base = nhwc(recorded.shape(last), recorded.values(last))
    expected["image_base"] = array("f", (min(max((x + 1) / 2, 0.0), 1.0) for x in base))
    for name in ("text_proj.call0.in.image_embeddings", "image_encoder.call0.image_embeds"):
        if name in recorded and "image_embeds" not in expected:
            values = recorded.values(name)
            pictures = recorded.shape("image_out_nhwc")[0]
            expected["image_embeds"] = values * (pictures // recorded.shape(name)[0])
    return expected


def largest_difference(a: array, b: array) -> float:
    if len(a) != len(b):
        return float("inf")
    worst = 0.0
    for x, y in zip(a, b):
        difference = abs(x - y)
        if not difference <= worst:  # NaN too
            worst = difference
            if difference != difference:
                return float("inf")
    return worst


def run(name: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{name}: {done.stderr.strip()}")


def check_drawing(name: str, case: dict, recorded: Tensors, options: argparse.Namespace, folder: Path) -> dict[str, float]:
    dump = folder / "dump.safetensors"
    run(name, [str(options.program), *arguments_of(case, recorded, folder), "--model", str(options.folder / case["dir"]),
               "--dtype", "fp32", "--noise", str(options.folder / "ref" / f"{name}.safetensors"), "--dump", str(dump),
               "-o", str(folder / "out.png"), "--quiet"])
    drawn = Tensors(dump)
    return {key: largest_difference(drawn.values(key), values) for key, values in expected_tensors(case, recorded).items()}


def check_encoder(name: str, case: dict, recorded: Tensors, options: argparse.Namespace, folder: Path) -> dict[str, float]:
    """CLIP alone, where the case has it recorded: the captions, or the picture."""
    draws = case["pipeline"] == "UnCLIPPipeline"
    encoder, key = ("text_encoder", "text_embeds") if draws else ("image_encoder", "image_embeds")
    if f"{encoder}.call0.{key}" not in recorded:
        return {}
    inputs = case["prompts"] if draws else [str(write_picture(recorded, folder))]
    output = folder / "embeddings.safetensors"
    run(name, [str(options.program), "embed", *inputs, "--raw", "--model", str(options.folder / case["dir"] / encoder),
               "-o", str(output), "--quiet"])
    return {f"{encoder} alone": largest_difference(Tensors(output).values(key), recorded.values(f"{encoder}.call0.{key}"))}


def check_case(name: str, case: dict, options: argparse.Namespace) -> dict[str, float]:
    recorded = Tensors(options.folder / "ref" / f"{name}.safetensors")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        return check_drawing(name, case, recorded, options, folder) | check_encoder(name, case, recorded, options, folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("folder", type=Path, help="with ref/MANIFEST.json and model folders")
    parser.add_argument("--program", type=Path, default=root / "build/release/apps/cli/unclip")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    options = parser.parse_args()
    manifest = json.loads((options.folder / "ref" / "MANIFEST.json").read_text(encoding="utf-8"))
    cases = {name: case for name, case in manifest["files"].items()
             if case["pipeline"] in ("UnCLIPPipeline", "UnCLIPImageVariationPipeline")}
    if not cases:
        sys.exit(f"{options.folder} holds no Karlo case")
    agree = True
    for name, case in cases.items():
        found = check_case(name, case, options)
        agree &= all(value <= options.tolerance for value in found.values())
        print(f"{name:20s} " + "  ".join(f"{key} {value:.2g}" for key, value in sorted(found.items())))
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
