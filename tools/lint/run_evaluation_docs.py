#!/usr/bin/env python3
"""The commands of docs/evaluation.md work: runs them in order on a few coloured pictures, drawing eight instead of
a thousand.

Usage: run_evaluation_docs.py PROGRAM
"""
import io
import json
import re
import shlex
import struct
import subprocess
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

from check_docs import commands_in

SIDE, COUNT = 64, 12
COLOURS = ["red", "green", "blue", "yellow"]


def png(number: int) -> bytes:
    """Stripes whose colour and width tell the number."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    colour = bytes((number * 37 % 256, number * 101 % 256, number * 17 % 256))
    row = b"\0" + b"".join(colour if x // (number % 5 + 2) % 2 else b"\xff\xff\xff" for x in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * SIDE)) +
            chunk(b"IEND", b""))


def caption(number: int) -> str:
    return f"{COLOURS[number % 4]} stripes number {number}"


def prepare(folder: Path, root: Path) -> None:
    """The folders that the page speaks of."""
    (folder / "models").symlink_to(root / "models")
    for name, first in (("drawn", 0), ("real", 100), ("rated", 200)):
        (folder / name).mkdir()
        for i in range(COUNT):
            (folder / name / f"{i}.png").write_bytes(png(first + i))
            (folder / name / f"{i}.txt").write_text(caption(first + i) + "\n", encoding="utf-8")
    rows = "".join(f"{i}.png,{i % 5 + 1}\n" for i in range(COUNT))
    (folder / "rated" / "ratings.csv").write_text("file_name,rating\n" + rows, encoding="utf-8")
    rows = "".join(f"{i}.png,{i - 1}.png\n" for i in range(1, COUNT))
    (folder / "rated" / "pairs.csv").write_text("better,worse\n" + rows, encoding="utf-8")
    (folder / "shards").mkdir()
    with tarfile.open(folder / "shards" / "val-00000.tar", "w", format=tarfile.USTAR_FORMAT) as shard:
        for i in range(COUNT):
            for ending, content in (("png", png(i)), ("txt", caption(i).encode())):
                member = tarfile.TarInfo(f"{i}.{ending}")
                member.size = len(content)
                shard.addfile(member, io.BytesIO(content))


def small(words: list[str]) -> list[str]:
    """The same command with eight drawings."""
    return ["8" if before == "--n" else word for before, word in zip([""] + words, words)]


def complaint(words: list[str], program: str, folder: Path) -> str | None:
    """What failed, or None."""
    result = subprocess.run([program, *small(words)], cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return f"exit code {result.returncode}: {result.stderr.strip()}"
    out = folder / words[words.index("-o") + 1]
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    guidance = words[words.index("--guidance") + 1].split(",") if "--guidance" in words else [None]
    if len(results["points"]) != len(guidance):
        return f"{len(results['points'])} points in results.json"
    if "<svg" not in (report := (out / "report.html").read_text(encoding="utf-8")) or "data:image/png" not in report:
        return "report.html has no plot or no picture"
    for svg in re.findall("<svg.*?</svg>", report, re.DOTALL):
        ElementTree.fromstring(svg)  # raises unless it is well-formed
    return None


def run(program: str, root: Path) -> list[str]:
    commands = [words for words in commands_in((root / "docs" / "evaluation.md").read_text(encoding="utf-8"))
                if words and words[0] == "eval"]
    if len(commands) < 5:
        return [f"docs/evaluation.md has only {len(commands)} commands"]
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), root)
        found = [(words, complaint(words, program, Path(name))) for words in commands]
    return [f"unclip {shlex.join(words)}: {what}" for words, what in found if what]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    failures = run(sys.argv[1], Path(__file__).resolve().parents[2])
    sys.exit("\n".join(failures) if failures else 0)
