#!/usr/bin/env python3
"""clang-tidy on the sources of a build folder.

Usage: tidy.py BUILD_FOLDER [--since COMMIT] [--tidy PROGRAM] [--jobs N]
With --since: on those that changed; a header that changed is looked at in one source that includes it. The folder is
one that CMake has configured without unity builds (preset dev); nothing in it needs to be built.
"""
import argparse
import json
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
TAKES_A_WORD = {"-include", "-o", "-c"}


def run(*command: str, **options) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


@cache
def gcc_headers() -> str:
    return run("g++", "-print-file-name=include").strip()


def clang_flags(command: str) -> list[str]:
    """The compiler's flags without its precompiled header, and without warnings: g++ has given those."""
    words = iter(shlex.split(command)[1:])
    kept = []
    for word in words:
        if word in TAKES_A_WORD:
            next(words)
        elif word != "-fpch-preprocess" and not word.startswith(("-W", "-O", "-fsanitize")):
            kept.append(word)
    return [*kept, "-w", "-idirafter", gcc_headers()]  # the latter has omp.h


def sources(build: Path) -> dict[Path, list[str]]:
    """Flags of every C++ source of this repository that the build compiles."""
    entries = json.loads((build / "compile_commands.json").read_text())
    named = {Path(entry["file"]): entry["command"] for entry in entries}
    return {path: clang_flags(command) for path, command in named.items()
            if path.is_relative_to(ROOT) and not path.is_relative_to(build)}


def changed_since(commit: str) -> set[Path]:
    """What was added or changed; a file that only moved is as clean as it was."""
    listed = run("git", "diff", "--name-status", "--find-renames", "-z", commit, cwd=ROOT)
    words = iter(word for word in listed.split("\0") if word)
    changed = set()
    for status in words:
        name = next(words)
        if status.startswith("R"):
            name = next(words)  # after the old one
        if status != "R100":
            changed.add((ROOT / name).resolve())
    return changed


@cache
def includes_of(path: Path) -> frozenset[Path]:
    """The project's files that one file includes, itself not counted, all the way down."""
    found: set[Path] = set()
    for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        for folder in (ROOT / "src", ROOT, ROOT / "tests"):
            header = (folder / name).resolve()
            if header.is_file():
                found |= {header} | includes_of(header)
                break
    return frozenset(found)


def select(wanted: dict[Path, list[str]], changed: set[Path], needs=includes_of) -> dict[Path, list[str]]:
    """The sources that changed; for a changed header that none of them includes, the first source that does."""
    chosen = [path for path in wanted if path in changed]
    seen = set().union(*(needs(path) for path in chosen))
    for path in wanted:
        if needs(path) & changed - seen:
            chosen.append(path)
            seen |= needs(path)
    return {path: wanted[path] for path in chosen}


def complaints(tidy: str, source: Path, flags: list[str]) -> str:
    """What clang-tidy says of one source; empty if all is well."""
    checked = subprocess.run([tidy, "--quiet", str(source), "--", *flags], cwd=ROOT, capture_output=True, text=True)
    return "" if checked.returncode == 0 else checked.stdout + checked.stderr


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--since")
    parser.add_argument("--tidy", default="clang-tidy")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    wanted = sources(build)
    if arguments.since:
        wanted = select(wanted, changed_since(arguments.since))
    with ThreadPoolExecutor(arguments.jobs) as pool:
        found = list(filter(None, pool.map(lambda item: complaints(arguments.tidy, *item), wanted.items())))
    print("\n".join(found), end="")
    print(f"clang-tidy: {len(wanted)} sources, {len(found)} with complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
