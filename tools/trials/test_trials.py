#!/usr/bin/env python3
"""What trials.py promises: equal time, all speeds told first, finished runs kept. The program is a stand-in that trains nothing."""
import argparse
import json
import subprocess
import sys
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

from derive_shards import derived

HERE = Path(__file__).parent

# Writes a log as `unclip train` does; a step takes as long as the setting "seconds" says.
PROGRAM = """#!{python}
import json, sys
from pathlib import Path
values = sys.argv[1:]
settings = dict(values[i + 1].split("=", 1) for i, value in enumerate(values) if value == "--set")
steps, seconds, out = int(settings["train.steps"]), float(settings.get("seconds", 1)), Path(values[values.index("--out") + 1])
data = values[values.index("--data") + 1]
with open(Path(sys.argv[0]).parent / "calls", "a") as calls:
    print(out.name, steps, Path(data).parent.name, file=calls)
(out / "checkpoints").mkdir(parents=True)
log = [{{"step": step, "seconds": step * seconds}} for step in range(1, steps + 1)]
(out / "log.jsonl").write_text("\\n".join(map(json.dumps, [*log, {{"step": steps, "loss": 1 / seconds, "other": 2}}])))
"""

PLAN = {"config": "config.json", "shards": "pictures", "figures": ["loss"], "free": ["train.seed"],
        "variants": {"as it is": [], "another seed": ["train.seed=1"], "slower": ["seconds=2"],
                     "faster": {"shards": "told", "settings": ["seconds=0.5"]}}}


class TrialsTest(unittest.TestCase):
    def setUp(self):
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        for shard in ("pictures/train-0.tar", "pictures/val-0.tar", "pictures/test_pairs-0.tar", "told/train-0.tar"):
            (self.folder / shard).parent.mkdir(exist_ok=True)
            (self.folder / shard).touch()
        (self.folder / "config.json").write_text('{"stage": "upsampler"}')
        (self.folder / "plan.json").write_text(json.dumps(PLAN))
        (self.folder / "program").write_text(PROGRAM.format(python=sys.executable))
        (self.folder / "program").chmod(0o755)

    def run_trials(self) -> subprocess.CompletedProcess:
        command = [sys.executable, HERE / "trials.py", "plan.json", "--program", "./program", "--data", ".", "--minutes", "1", "-o", "out"]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True)

    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def test_all_get_the_same_time(self):
        self.assertEqual(self.run_trials().returncode, 0)
        self.assertEqual((self.folder / "out/table.md").read_text().splitlines()[2:],
                         ["| as it is | 60 | 1 |", "| another seed | 60 | 1 |", "| slower | 30 | 0.5 |", "| faster | 120 | 2 |"])

    def test_speeds_are_told_before_training(self):
        self.run_trials()
        timings = ["as-it-is.timed 9 pictures", "slower.timed 9 pictures", "faster.timed 9 told"]
        runs = ["as-it-is 60 pictures", "another-seed 60 pictures", "slower 30 pictures", "faster 120 told"]
        self.assertEqual(self.calls(), [*(3 * timings), *runs])

    def test_finished_runs_stay(self):
        self.run_trials()
        table, calls = (self.folder / "out/table.md").read_text(), self.calls()
        self.run_trials()
        self.assertEqual(((self.folder / "out/table.md").read_text(), self.calls()), (table, calls))

    def test_missing_shards_are_named(self):
        (self.folder / "told/train-0.tar").unlink()
        refused = self.run_trials()
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("told has no train-*.tar", refused.stderr)


class DeriveShardsTest(unittest.TestCase):
    def test_captions_and_weights(self):
        args = argparse.Namespace(captions=1, tone_weight=1.0)
        toned = json.dumps({"captions": ["a", "b"], "tone": "light", "weight": 0.2}).encode()
        plain = json.dumps({"captions": ["a", "b"], "tone": None, "weight": 0.5}).encode()
        self.assertEqual(json.loads(derived("x.json", toned, args)), {"captions": ["a"], "tone": "light", "weight": 1.0})
        self.assertEqual(json.loads(derived("x.json", plain, args)), {"captions": ["a"], "tone": None, "weight": 0.5})
        self.assertEqual(derived("x.txt", b"a\nb", args), b"a")
        self.assertEqual(derived("x.png", b"a\nb", args), b"a\nb")


if __name__ == "__main__":
    unittest.main()
