"""`unclip eval` in the features of a judge."""
import json
import subprocess
from pathlib import Path


def evaluate(program: str, judge: Path, output: Path, flags: list[str]) -> dict:
    """The first point of an evaluation with these flags; one that `output` holds already is not made again."""
    results = output / "results.json"
    if not results.exists():
        subprocess.run([program, "eval", "--features", str(judge), "-o", str(output), "--force", "--quiet", *flags], check=True)
    return json.loads(results.read_text())["points"][0]


def evaluate_drawings(program: str, judge: Path, model: Path, shards: list[str], count: int, output: Path,
                      flags: list[str]) -> dict:
    """What a model draws from `count` captions at 64 pixels, always from the same seeds, beside their real drawings."""
    return evaluate(program, judge, output, ["--model", str(model), "--data", *shards, "--clip", str(judge), "--size", "64",
                                             "--n", str(count), "--seed", "1", *flags])
