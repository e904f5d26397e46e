#!/usr/bin/env python3
"""How long a preset of `unclip train all` takes: trains a few steps of each stage and multiplies. For `core_minutes` of its preset.json.

Usage: preset_minutes.py configs/small --steps 9 --data emoji-data
"""
import argparse
import json
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from trials import seconds_per_step

STAGES = ("clip", "prior", "decoder", "upsampler_256", "upsampler_1024")


def train(args: argparse.Namespace, stage: str, folder: Path) -> Path:
    """A run of the first steps of a stage."""
    config = args.preset / f"{stage}.json"
    size = json.loads(config.read_text())["data"]["picture"]["size"]
    shards = [str(shard) for shard in sorted((args.data / f"emoji-{size}").glob("train-*.tar"))]
    command = [args.program, "train", stage.split("_")[0], "--config", str(config), "--out", str(folder / stage), "--data", *shards]
    command += {"clip": ["--tokenizer", str(folder / "tokenizer")], "prior": ["--clip", str(folder / "clip")],
                "decoder": ["--clip", str(folder / "clip")]}.get(stage, [])
    if stage == "clip":  # its captions may have fewer tokens than it asks for
        most = json.loads(config.read_text())["model"]["text"]["vocab_size"]
        tokenizer = ["train", "tokenizer", "--vocabulary-size", str(most), "--data", *shards, "--out", str(folder / "tokenizer")]
        subprocess.run([args.program, *tokenizer], check=True)
        command += ["--set", f"model.text.vocab_size={len(json.loads((folder / 'tokenizer/vocab.json').read_text()))}"]
    for setting in (f"train.steps={args.steps}", "train.log_every=1", f"train.evaluate_every={args.steps + 1}"):
        command += ["--set", setting]
    subprocess.run(command, check=True)
    return folder / stage


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("preset", type=Path, help="folder of configurations")
    parser.add_argument("--program", default="./unclip")
    parser.add_argument("--data", type=Path, required=True, help="folder of the emoji data")
    parser.add_argument("--steps", type=int, default=9)
    args = parser.parse_args()
    minutes = {}
    with TemporaryDirectory() as folder:
        for stage in filter(lambda stage: (args.preset / f"{stage}.json").exists(), STAGES):
            steps = json.loads((args.preset / f"{stage}.json").read_text())["train"]["steps"]
            minutes[stage] = seconds_per_step(train(args, stage, Path(folder))) * steps * len(os.sched_getaffinity(0)) / 60
    print("".join(f"{stage:16s}{core_minutes:12.0f}\n" for stage, core_minutes in minutes.items()), end="")
    print(f"core_minutes    {sum(minutes.values()):12.0f}")


if __name__ == "__main__":
    main()
