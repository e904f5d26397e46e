#!/usr/bin/env python3
"""The commands that README.md shows for the bundled model work: runs them in order in an empty folder.

Training commands need data and hours; tests/end_to_end runs those stages on eight pictures, check_docs.py their flags.
Released models do not come with the program: tests/cli/released_models_test.sh draws with small ones of their layout.

Usage: run_docs.py PROGRAM
"""
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from check_docs import commands_in

GRID = Path(__file__).resolve().parents[2] / "docs/pictures/grid.txt"
RUNNABLE = {"generate", "vary", "interpolate", "edit", "upscale", "score", "inspect", "bench", "doctor"}


def is_for_bundled_model(words: list[str]) -> bool:
    return "--model" not in words or words[words.index("--model") + 1].startswith("models/")


def run(program: str, root: Path) -> list[str]:
    """What failed."""
    commands = [words for words in commands_in((root / "README.md").read_text(encoding="utf-8"))
                if words and words[0] in RUNNABLE and is_for_bundled_model(words)]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("models", "docs"):
            (Path(folder) / name).symlink_to(root / name)
        found = []
        for words in commands:
            captions = GRID.read_text(encoding="utf-8") if "-" in words else ""  # of the README's first picture
            result = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, check=False, input=captions)
            if result.returncode != 0:
                found.append(f"unclip {shlex.join(words)}: exit code {result.returncode}: {result.stderr.strip()}")
        if not list(Path(folder).glob("*.png")):
            found.append("the commands of README.md drew no picture")
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    failures = run(sys.argv[1], Path(__file__).resolve().parents[2])
    sys.exit("\n".join(failures) if failures else 0)
