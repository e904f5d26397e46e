#!/usr/bin/env python3
"""A room includes only rooms to its left, and headers keep JSON, HTTP and the command line to themselves."""
import re
import sys
from pathlib import Path

# The rooms in dependency order; rooms of one level never include each other.
LEVELS = [["base"], ["io"], ["comm"], ["image", "text"], ["diffusion"], ["nn"],
          ["clip", "prior", "decoder", "upsampler", "autoencoder"], ["manipulate"], ["model"], ["pipeline"], ["data"],
          ["metrics"], ["eval"], ["train"], ["study"], ["serve"]]
RANK = {room: rank for rank, level in enumerate(LEVELS) for room in level}
PRIVATE = re.compile(r"nlohmann|CLI/|CLI11|httplib|boost/beast|boost/asio")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)


def may_include(room: str, other: str) -> bool:
    return room == other or RANK[other] < RANK[room]


def complaints_of(path: Path, text: str) -> list[str]:
    """What is wrong with the includes of src/unclip/ROOM/…: one sentence each."""
    room = path.parts[2]
    complaints = []
    for included in INCLUDE.findall(text):
        if path.suffix == ".h" and PRIVATE.search(included):
            complaints.append(f"{path}: includes <{included}>; that belongs in a .cpp file")
        if included.startswith("apps/"):
            complaints.append(f"{path}: includes {included}; the library knows no program")
        if not included.startswith("unclip/"):
            continue
        other = included.split("/")[1]
        if other not in RANK:
            complaints.append(f"{path}: includes {included}, but there is no room '{other}'")
        elif not may_include(room, other):
            complaints.append(f"{path}: includes {included}; {room} may include only rooms to its left, {other} is not")
    return complaints


def check(root: Path) -> list[str]:
    found = []
    for path in sorted((root / "src/unclip").rglob("*")):
        if path.suffix not in (".h", ".cpp"):
            continue
        relative = path.relative_to(root)
        if relative.parts[2] not in RANK:
            found.append(f"{relative}: '{relative.parts[2]}' is not a room; add it to LEVELS in check_includes.py")
            continue
        found += complaints_of(relative, path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    complaints = check(Path(__file__).resolve().parents[2])
    sys.exit("\n".join(complaints) if complaints else 0)
