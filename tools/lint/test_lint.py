#!/usr/bin/env python3
"""The lints must be able to fail: each gets a good and a bad sample."""
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

import check_docs
import check_includes
import check_lines
import tidy


class Lines(unittest.TestCase):
    def complaints(self, name: str, lines: int) -> list[str]:
        with TemporaryDirectory() as folder:
            (Path(folder) / name).write_text("x\n" * lines)
            return check_lines.too_long(Path(folder), [Path(name)])

    def test_limit(self):
        self.assertEqual(self.complaints("a.cpp", 500), [])
        self.assertIn("501 lines", self.complaints("a.cpp", 501)[0])

    def test_only_sources_count(self):
        self.assertEqual(self.complaints("vocab.json", 9000), [])


class Includes(unittest.TestCase):
    def complaints(self, path: str, *includes: str) -> list[str]:
        return check_includes.complaints_of(Path(path), "\n".join(f"#include {name}" for name in includes))

    def test_left_is_allowed(self):
        self.assertEqual(self.complaints("src/unclip/prior/a.cpp", '"unclip/nn/attention.h"', '"unclip/prior/b.h"',
                                         '"unclip/base/error.h"', "<vector>", "<nlohmann/json.hpp>"), [])

    def test_right_is_not(self):
        self.assertIn("rooms to its left", self.complaints("src/unclip/nn/a.h", '"unclip/prior/b.h"')[0])

    def test_siblings_never_include_each_other(self):
        for room in ("clip", "decoder", "upsampler"):
            self.assertEqual(len(self.complaints("src/unclip/prior/a.cpp", f'"unclip/{room}/b.h"')), 1)
        self.assertEqual(len(self.complaints("src/unclip/image/a.cpp", '"unclip/text/b.h"')), 1)

    def test_training_reads_data_but_not_the_other_way(self):
        self.assertEqual(self.complaints("src/unclip/train/a.cpp", '"unclip/data/b.h"'), [])
        self.assertEqual(len(self.complaints("src/unclip/data/a.cpp", '"unclip/train/b.h"')), 1)

    def test_headers_hide_json_and_the_command_line(self):
        for name in ("<nlohmann/json.hpp>", "<CLI/CLI.hpp>", '"httplib.h"', "<boost/beast/http.hpp>"):
            self.assertEqual(len(self.complaints("src/unclip/base/a.h", name)), 1)

    def test_programs_and_unknown_rooms(self):
        self.assertEqual(len(self.complaints("src/unclip/base/a.cpp", '"apps/cli/command.h"')), 1)
        self.assertIn("no room", self.complaints("src/unclip/base/a.cpp", '"unclip/kitchen/b.h"')[0])


PROGRAM = """#!/bin/sh
case "$1" in
  --help) printf 'Subcommands:\\n  draw   draws\\n  data   shards\\n\\nend\\n' ;;
  draw) printf 'Options:\\n  --seed UINT  the seed\\n  -o FILE  where\\n' ;;
  data) [ "$2" = --help ] && printf 'Subcommands:\\n  pack  packs\\n\\n' || printf '  --out DIR\\n' ;;
esac
"""


class Docs(unittest.TestCase):
    def setUp(self):
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "unclip"
        path.write_text(PROGRAM)
        path.chmod(0o755)
        self.program = check_docs.Program(str(path))

    def complaint(self, line: str) -> str | None:
        (words,) = check_docs.commands_in(f"Text\n```sh\n{line}\n```\n")
        return check_docs.complaint(self.program, words)

    def test_right_commands(self):
        for line in ('./unclip draw "a --sad heart" --seed 7 -o x.png', "$ unclip data pack --out d | head",
                     "./unclip test -L unit", "./unclip draw a \\\n  --seed=3  # a comment --with-flags"):
            self.assertIsNone(self.complaint(line), line)

    def test_wrong_commands(self):
        self.assertIn("no command 'drow'", self.complaint("./unclip drow x"))
        self.assertIn("no command 'data unpack'", self.complaint("./unclip data unpack x"))
        self.assertIn("no flag --sede", self.complaint("./unclip draw x --sede 7"))

    def test_only_fenced_shell_blocks_count(self):
        self.assertEqual(check_docs.commands_in("./unclip x\n```json\n./unclip x\n```\n"), [])


class Tidy(unittest.TestCase):
    def test_flags_lose_what_only_gcc_knows(self):
        flags = tidy.clang_flags("/usr/bin/c++ -DA=1 -Ix -O3 -Wall -Winvalid-pch -fpch-preprocess -fopenmp -std=c++20 "
                                 "-include y/cmake_pch.hxx -o a.o -c a.cpp")
        self.assertEqual(flags[:4], ["-DA=1", "-Ix", "-fopenmp", "-std=c++20"])
        self.assertFalse({"-include", "y/cmake_pch.hxx", "-o", "a.o", "-c", "a.cpp"} & set(flags))

    def test_a_changed_header_stands_for_its_includers(self):
        a, b, header = Path("a.cpp"), Path("b.cpp"), Path("a.h")
        wanted, needs = {a: [], b: []}, {a: {header}, b: set()}.get
        self.assertEqual(set(tidy.select(wanted, {header}, needs)), {a})
        self.assertEqual(set(tidy.select(wanted, {b}, needs)), {b})
        self.assertEqual(tidy.select(wanted, {Path("README.md")}, needs), {})

    def test_a_changed_header_is_looked_at_once(self):
        a, b, c, header, other = Path("a.cpp"), Path("b.cpp"), Path("c.cpp"), Path("a.h"), Path("b.h")
        wanted, needs = {a: [], b: [], c: []}, {a: {header}, b: {header, other}, c: {header}}.get
        self.assertEqual(set(tidy.select(wanted, {header}, needs)), {a})
        self.assertEqual(set(tidy.select(wanted, {header, c}, needs)), {c})
        self.assertEqual(set(tidy.select(wanted, {header, other}, needs)), {a, b})

    def test_includes_are_followed_all_the_way(self):
        source = tidy.ROOT / "src/unclip/clip/clip.cpp"
        headers = tidy.includes_of(source)
        self.assertIn(tidy.ROOT / "src/unclip/clip/clip.h", headers)
        self.assertIn(tidy.ROOT / "src/unclip/base/config.h", headers)
        self.assertNotIn(tidy.ROOT / "src/unclip/prior/diffusion_prior.h", headers)


if __name__ == "__main__":
    unittest.main()
