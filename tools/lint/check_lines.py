#!/usr/bin/env python3
"""No source file is longer than 500 lines: a file holds one idea."""
import subprocess
import sys
from pathlib import Path

LIMIT = 500
SUFFIXES = {".h", ".cpp", ".py", ".sh"}


def is_checked(path: Path) -> bool:
    return path.suffix in SUFFIXES or path.name in ("unclip", "run")


def too_long(root: Path, paths: list[Path]) -> list[str]:
    """One sentence for each file over the limit."""
    complaints = []
    for path in filter(is_checked, paths):
        lines = (root / path).read_text(encoding="utf-8").count("\n")
        if lines > LIMIT:
            complaints.append(f"{path}: {lines} lines, at most {LIMIT}; cut it where a second idea begins")
    return complaints


def tracked_files(root: Path) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=root, check=True, capture_output=True, text=True).stdout
    paths = (Path(name) for name in listed.split("\0") if name)
    return [path for path in paths if (root / path).is_file()]


if __name__ == "__main__":
    ROOT = Path(__file__).resolve().parents[2]
    found = too_long(ROOT, tracked_files(ROOT))
    sys.exit("\n".join(found) if found else 0)
