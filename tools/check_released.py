#!/usr/bin/env python3
"""Runs recorded cases of released-model layouts through the unclip program and compares what it draws.

  check_released.py FOLDER [--program build/release/apps/cli/unclip] [--tolerance 1e-3]

FOLDER holds ref/MANIFEST.json, ref/NAME.safetensors (recordings of the Python reference) and the model folders that the
manifest names. Every Karlo case is drawn with `--noise ref/NAME.safetensors --dump …` in float32, and its captions or its picture are
given to the folder's CLIP encoder alone (`embed --raw`); printed are the largest differences of the image embedding, the decoder's
picture and the final picture (in 0…1), and of what the encoder gives.

Where they are there, ref/tokenizer_ref.json (`prompts`, and the ids of `hf_fast` and `openai_simple_tokenizer`) is compared with
`embed --inputs` for a folder as Hugging Face's, with the vocabulary of ref/clip-tokenizer, and one as OpenCLIP's; and every picture
of ref/image_preprocess.safetensors (`NAME.rgb_u8`, `NAME.pixel_values`) with CLIP's preprocessing to 224 px: ids must be the same,
and pixels: a difference of one step of eight bits is 0.013. The empty caption is left out, which the program refuses.

By `replay_recording`, which is built with the tests: every network of a case alone on its recorded inputs, and every UnCLIPScheduler of the
manifest's `schedulers` on the recorded network outputs and noise of ref/schedulers.safetensors.

Exit status 1 if a difference exceeds the tolerance. Needs nothing but Python.
"""
import argparse
import json
import shutil
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


def write_picture(recorded: Tensors, folder: Path, name: str = "image") -> Path:
    """A recorded picture, by default that of a variation."""
    picture = folder / f"{name}.png"
    write_png(picture, recorded.shape(f"{name}.rgb_u8"), recorded.values(f"{name}.rgb_u8"))
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


def output_of(name: str, command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{name}: {done.stderr.strip()}")
    return done.stdout


def check_drawing(name: str, case: dict, recorded: Tensors, options: argparse.Namespace, folder: Path) -> dict[str, float]:
    dump = folder / "dump.safetensors"
    output_of(name, [str(options.program), *arguments_of(case, recorded, folder), "--model", str(options.folder / case["dir"]),
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
    output_of(name, [str(options.program), "embed", *inputs, "--raw", "--model", str(options.folder / case["dir"] / encoder),
               "-o", str(output), "--quiet"])
    return {f"{encoder} alone": largest_difference(Tensors(output).values(key), recorded.values(f"{encoder}.call0.{key}"))}


def replay(name: str, options: argparse.Namespace, *arguments: str) -> dict[str, float]:
    """What replay_recording prints: parts and their largest differences."""
    if not options.replay.exists():
        sys.exit(f"{options.replay} is missing: build the target replay_recording, or name it by --replay")
    lines = output_of(name, [str(options.replay), *arguments]).splitlines()
    return {part: float(difference) for part, difference in map(str.split, lines)}


def check_networks(name: str, case: dict, options: argparse.Namespace) -> dict[str, float]:
    found = replay(name, options, "networks", str(options.folder / case["dir"]), str(options.folder / "ref" / f"{name}.safetensors"))
    return {f"{part} alone": difference for part, difference in found.items()}


def check_case(name: str, case: dict, options: argparse.Namespace) -> dict[str, float]:
    recorded = Tensors(options.folder / "ref" / f"{name}.safetensors")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        return (check_drawing(name, case, recorded, options, folder) | check_encoder(name, case, recorded, options, folder)
                | check_networks(name, case, options))


# CLIP's tokenizers and preprocessing ---------------------------------------------------------------


def write_weights(path: Path) -> None:
    """A file of no tensors: inputs are told without any."""
    path.write_bytes(struct.pack("<Q", 2) + b"{}")


def hugging_face_clip(vocabulary: Path, folder: Path) -> Path:
    """A folder as of CLIP ViT-B/32, whose padding is "!" as in the recording."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "clip"}), encoding="utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps({"pad_token": "!"}), encoding="utf-8")
    for name in ("vocab.json", "merges.txt"):
        shutil.copyfile(vocabulary / name, folder / name)
    write_weights(folder / "model.safetensors")
    return folder


def open_clip(folder: Path) -> Path:
    folder.mkdir()
    sizes = {"embed_dim": 512, "vision_cfg": {"image_size": 224, "patch_size": 32}, "text_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": sizes}), encoding="utf-8")
    write_weights(folder / "open_clip_model.safetensors")
    return folder


def tower_inputs(name: str, inputs: list[str], model: Path, options: argparse.Namespace) -> Tensors:
    output = model.with_suffix(".inputs.safetensors")
    output_of(name, [str(options.program), "embed", "--inputs", *inputs, "--model", str(model), "-o", str(output), "--force",
               "--quiet"])
    return Tensors(output)


def padded(ids: list[int]) -> list[int]:
    """To CLIP's 77 tokens, by "!" or OpenAI's zero, which are one id."""
    return ids + [0] * (77 - len(ids))


def check_tokenizers(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, float]]:
    record = json.loads((options.folder / "ref" / "tokenizer_ref.json").read_text(encoding="utf-8"))
    models = {"hf_fast": hugging_face_clip(options.folder / "ref" / "clip-tokenizer", folder / "tokens"),
              "openai_simple_tokenizer": open_clip(folder / "open_clip")}
    given = [k for k, prompt in enumerate(record["prompts"]) if prompt]
    found = {}
    for name, model in models.items():
        ids = tower_inputs(name, [record["prompts"][k] for k in given], model, options).values("input_ids")
        expected = array("q", (token for k in given for token in padded(record[name][k])))
        found[name] = {f"ids of {len(given)} captions": largest_difference(ids, expected)}
    return found


def check_preprocessing(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, float]]:
    recorded = Tensors(options.folder / "ref" / "image_preprocess.safetensors")
    model = hugging_face_clip(options.folder / "ref" / "clip-tokenizer", folder / "pictures")
    found = {}
    for name in sorted(key.split(".")[0] for key in recorded.header if key.endswith(".rgb_u8")):
        picture = write_picture(recorded, folder, name)
        values = tower_inputs(name, [str(picture)], model, options).values("pixel_values")
        found[name] = {"pixel_values": largest_difference(values, recorded.values(f"{name}.pixel_values"))}
    return found


def check_clip_inputs(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    checks = {"tokenizer_ref.json": check_tokenizers, "image_preprocess.safetensors": check_preprocessing}
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for file, check in checks.items():
            if (options.folder / "ref" / file).exists():
                found |= check(options, Path(scratch))
    return found


# Schedulers ------------------------------------------------------------------------------------------


def check_schedulers(schedulers: dict, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    recording, found = str(options.folder / "ref" / "schedulers.safetensors"), {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, case in schedulers.items():
            if case["class"] == "UnCLIPScheduler":
                config = Path(scratch) / f"{name}.json"
                config.write_text(json.dumps(case["config"]), encoding="utf-8")
                found[name] = {f"{case['steps']} steps": replay(name, options, "scheduler", str(config), recording, name)[name]}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("folder", type=Path, help="with ref/MANIFEST.json and model folders")
    parser.add_argument("--program", type=Path, default=root / "build/release/apps/cli/unclip")
    parser.add_argument("--replay", type=Path, help="replay_recording (default: beside the program, in its build folder)")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    options = parser.parse_args()
    options.replay = options.replay or options.program.resolve().parents[2] / "tests/pipeline/replay_recording"
    manifest = json.loads((options.folder / "ref" / "MANIFEST.json").read_text(encoding="utf-8"))
    cases = {name: case for name, case in manifest["files"].items()
             if case["pipeline"] in ("UnCLIPPipeline", "UnCLIPImageVariationPipeline")}
    if not cases:
        sys.exit(f"{options.folder} holds no Karlo case")
    found = {name: check_case(name, case, options) for name, case in cases.items()} | check_clip_inputs(options)
    found |= check_schedulers(manifest.get("schedulers", {}), options)
    for name, differences in found.items():
        print(f"{name:24s} " + "  ".join(f"{key} {value:.2g}" for key, value in sorted(differences.items())))
    return 0 if all(value <= options.tolerance for each in found.values() for value in each.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
