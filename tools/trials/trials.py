#!/usr/bin/env python3
"""Trains variants of one stage for the same time each, and tables what they come to.

A plan names a configuration (with settings for all, if short runs need them), the figures of the run's log that are compared, beginnings of
settings that cost no time ("free"), and variants: the settings in which each differs from the configuration (and from the variants before
it in nothing), or an object of "settings" and of the folder of "shards" that it learns from instead. A few steps of each tell its speed,
all before the first trains; then each gets as many steps as fit into --minutes, its learning rate falling to the end, and is evaluated on
the held-out pictures. A decoder is also put into the model in place of its own, and a judge (../judge) says how near the drawings of
held-out captions are to the real ones.
Writes table.md and results.json; finished runs stay and are not made again, so the same command goes on after an interruption.

Usage: trials.py tools/trials/decoder.json --minutes 4 --data emoji-data --judge runs/judge -o runs/trials/decoder
"""
import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "judge"))
from evaluation import evaluate_drawings  # noqa: E402

TIMED_STEPS, TIMINGS = 9, 3
HELD_OUT = ("val", "test_pairs")


@dataclass
class Variant:
    name: str
    settings: list[str]
    shards: str  # folder of the training shards
    run: Path
    steps: int = 0


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def log_of(run: Path) -> list[dict]:
    log = run / "log.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def seconds_per_step(run: Path) -> float:
    """The median of a run that logs every step; its first two warm up."""
    seconds = [line["seconds"] for line in log_of(run) if "seconds" in line]
    return statistics.median(later - earlier for earlier, later in zip(seconds[1:], seconds[2:]))


class Trials:
    def __init__(self, args: argparse.Namespace):
        self.args, self.plan = args, json.loads(args.plan.read_text())
        self.stage = json.loads(Path(self.plan["config"]).read_text())["stage"]
        self.variants = [self.variant(name, given) for name, given in self.plan["variants"].items()]

    def variant(self, name: str, given: list[str] | dict) -> Variant:
        described = given if isinstance(given, dict) else {"settings": given}
        settings = [*self.plan.get("settings", []), *described.get("settings", [])]
        return Variant(name, settings, described.get("shards", self.plan["shards"]), self.args.output / slug(name))

    def train(self, variant: Variant, out: Path, steps: int, settings: list[str]) -> None:
        settings = [*variant.settings, f"train.steps={steps}", *settings]
        command = [self.args.program, "train", self.stage.replace("_", "-"), "--config", self.plan["config"], "--out", str(out)]
        held_out = [shard for split in HELD_OUT for shard in self._shards(self.plan["shards"], split)]
        command += ["--data", *self._shards(variant.shards, "train"), "--val", *held_out]
        command += ["--clip", str(self.args.model)] if self.stage in ("prior", "ar_prior", "decoder") else []
        command += ["--tokenizer", str(self.args.model / "tokenizer")] if self.stage == "clip" else []
        command += ["--resume"] if (out / "checkpoints").exists() else []
        for setting in settings:
            command += ["--set", setting]
        subprocess.run(command, check=True)

    def _shards(self, folder: str, split: str) -> list[str]:
        found = sorted((self.args.data / folder).glob(f"{split}-*.tar"))
        if not found:
            sys.exit(f"{self.args.data / folder} has no {split}-*.tar; README.md says how such shards are made")
        return [str(shard) for shard in found]

    def cost(self, variant: Variant) -> str:
        """What its time depends on: its settings but for those that the plan says are free."""
        free = tuple(self.plan.get("free", []))
        return slug(" ".join(setting for setting in variant.settings if not setting.startswith(free))) or "nothing"

    def count_steps(self) -> None:
        """As many for each variant as fit, by the fastest of some timings: those are minutes apart, for machines have slow ones. What
        costs the same gets the same."""
        first_of: dict[str, Variant] = {}
        for variant in self.variants:
            first_of.setdefault(self.cost(variant), variant)
        times = {cost: [] for cost in first_of}
        for timing in range(TIMINGS):
            for cost, variant in first_of.items():
                known = self.args.output / f"cost-{cost}-{timing}.seconds"
                if not known.exists():
                    known.write_text(str(self.timed(variant)))
                times[cost].append(float(known.read_text()))
        for variant in self.variants:
            variant.steps = int(60 * self.args.minutes / min(times[self.cost(variant)]))

    def timed(self, variant: Variant) -> float:
        trial = variant.run.with_suffix(".timed")
        self.train(variant, trial, TIMED_STEPS, ["train.log_every=1", f"train.evaluate_every={TIMED_STEPS + 1}"])
        seconds = seconds_per_step(trial)
        shutil.rmtree(trial)
        return seconds

    def figures(self, variant: Variant) -> dict[str, float]:
        """Of the last evaluation, at the end of training."""
        found = {}
        for line in log_of(variant.run):
            found |= {key: line[key] for key in self.plan["figures"] if line["step"] == variant.steps and key in line}
        return found

    def judged(self, variant: Variant) -> dict[str, float]:
        """KID and R@1 of what the model draws with this decoder, in the judge's features."""
        folder, model = variant.run.with_suffix(".judged"), variant.run.with_suffix(".model")
        if not (folder / "results.json").exists():
            shutil.copytree(self.args.model, model, dirs_exist_ok=True)
            subprocess.run([self.args.program, "export", str(variant.run), "-o", str(model)], check=True)
        shards = self._shards(self.plan["shards"], "test_pairs")
        point = evaluate_drawings(self.args.program, self.args.judge, model, shards, self.args.count, folder, [])
        shutil.rmtree(model, ignore_errors=True)
        return {"KID · 1000": 1000 * point["kid"]["value"], "±": 1000 * point["kid"]["standard_error"],
                "R@1": point["captions"]["caption_finds_picture"]["r1"]["value"]}

    def examine(self, variant: Variant) -> dict:
        if not self.figures(variant):
            self.train(variant, variant.run, variant.steps, [f"train.evaluate_every={variant.steps}"])
        result = {"variant": variant.name, "settings": variant.settings, "steps": variant.steps} | self.figures(variant)
        return result | (self.judged(variant) if self.stage == "decoder" and self.args.judge else {})


def table(results: list[dict]) -> str:
    figures = [key for key in results[0] if key not in ("variant", "settings", "steps")]
    lines = [f"| variant | steps | {' | '.join(figures)} |", "|---" * (2 + len(figures)) + "|"]
    for result in results:
        lines.append(f"| {result['variant']} | {result['steps']} | {' | '.join(f'{result[key]:.4g}' for key in figures)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", type=Path, help="JSON with config, shards, figures and variants")
    parser.add_argument("--program", default="./unclip")
    parser.add_argument("--model", type=Path, default="models/emoji", help="whose CLIP and other stages are used")
    parser.add_argument("--data", type=Path, required=True, help="folder of the emoji data")
    parser.add_argument("--minutes", type=float, required=True, help="training of each variant")
    parser.add_argument("--judge", type=Path, help="model directory with the judge's CLIP")
    parser.add_argument("--count", type=int, default=256, help="held-out captions that are drawn for the judge")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    trials, results = Trials(args), []
    trials.count_steps()
    for variant in trials.variants:
        results.append(trials.examine(variant))
        print(table(results[-1:]), end="", flush=True)
        (args.output / "results.json").write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
        (args.output / "table.md").write_text(table(results))


if __name__ == "__main__":
    main()
