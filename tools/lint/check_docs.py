#!/usr/bin/env python3
"""Commands shown in README.md and docs/*.md exist: every sub-command and flag of a fenced sh block is in --help.

Usage: check_docs.py PROGRAM
"""
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

BLOCK = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SEPARATORS = {"|", "&&", ";", ">", ">>", "<", "2>", "&"}
LAUNCHER_COMMANDS = {"test"}  # answered by ./unclip itself; its flags are ctest's


def commands_in(text: str) -> list[list[str]]:
    """The arguments of every ./unclip or unclip call in the fenced blocks of a Markdown text."""
    found = []
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            starts = [i for i, word in enumerate(words) if word.split("/")[-1] == "unclip"]
            for start in starts:
                rest = words[start + 1:]
                end = next((i for i, word in enumerate(rest) if word in SEPARATORS), len(rest))
                found.append(rest[:end])
    return found


class Program:
    """What a program's --help texts say."""

    def __init__(self, path: str):
        self.path = path
        self.help = cache(self._help)

    def _help(self, *command: str) -> str:
        return subprocess.run([self.path, *command, "--help"], check=True, capture_output=True, text=True).stdout

    def subcommands(self, *command: str) -> set[str]:
        listed = self.help(*command).partition("Subcommands:\n")[2].partition("\n\n")[0]
        return set(re.findall(r"^  (\S+)", listed, re.MULTILINE))

    def flags(self, *command: str) -> set[str]:
        return set(re.findall(r"(?<![\w-])(--?[a-zA-Z][\w-]*)", self.help(*command)))


def complaint(program: Program, words: list[str]) -> str | None:
    """What is wrong with one call, or None."""
    command: list[str] = []
    rest = list(words)
    if rest and rest[0] in LAUNCHER_COMMANDS:
        return None
    while rest and not rest[0].startswith("-") and (known := program.subcommands(*command)):
        if rest[0] not in known:
            return f"no command '{' '.join([*command, rest[0]])}'"
        command.append(rest.pop(0))
    known_flags = program.flags(*command)
    for word in rest:
        flag = word.split("=")[0]
        if re.match(r"--?[a-zA-Z]", flag) and flag not in known_flags:
            return f"'{' '.join(['unclip', *command])}' has no flag {flag}"
    return None


def check(program: Program, root: Path) -> list[str]:
    found = []
    for path in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        for words in commands_in(path.read_text(encoding="utf-8")):
            if wrong := complaint(program, words):
                found.append(f"{path.relative_to(root)}: unclip {shlex.join(words)}: {wrong}")
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    complaints = check(Program(sys.argv[1]), Path(__file__).resolve().parents[2])
    sys.exit("\n".join(complaints) if complaints else 0)
