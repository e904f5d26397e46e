"""Tests of the emoji data set's split, captions and names, without network: python -m unittest discover -s tools/data"""

import argparse
import random
import sys
import unittest
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from build_emoji import limited, parse_sizes, select
from emoji import split
from emoji.captions import captions, noun_phrase
from emoji.catalogue import Catalogue, Emoji, has_mixed_tones, normal_hexcode, skin_tone, slug
from emoji.shards import describe
from emoji.sources import STYLES, Drawing, fluent_hexcode

BITMAP = "fluent-3d"


def sample(label: str, style: str, hexcode: str = "", base: str = "") -> split.Sample:
    drawing = Drawing(style, hexcode or slug(label).upper(), "package@1", "MIT", b"", 256 if style == BITMAP else None)
    return split.Sample(drawing, Emoji(label, base or label.split(":")[0]))


def a_thousand_emoji() -> list[split.Sample]:
    """1,000 emoji, each in 1 to 6 styles; every fifth one with a woman and a skin tone."""
    rng, found = random.Random(7), []
    for number in range(1000):
        for style in rng.sample(sorted(STYLES), rng.randint(1, len(STYLES))):
            found.append(sample(f"thing{number}", style))
            if number % 5 == 0:
                found.append(sample(f"woman thing{number}: dark skin tone", style))
    return found


def planned() -> list[split.Sample]:
    samples = a_thousand_emoji()
    split.assign_groups(samples)
    split.assign_splits(samples)
    return samples


class LimitTest(unittest.TestCase):
    def test_large_pictures_are_limited_in_each_split(self):
        samples = planned()
        self.assertEqual(limited(samples, 256, 3), samples)
        few = limited(samples, 1024, 12)
        self.assertEqual(Counter(s.split for s in few), {"train": 12, "val": 3, "test_pairs": 3, "test_emoji": 3})
        self.assertNotIn(BITMAP, {s.drawing.style for s in few})
        self.assertEqual(len(limited(samples, 1024, None)), sum(s.drawing.style != BITMAP for s in samples))


class SplitTest(unittest.TestCase):
    def test_a_group_is_whole_in_val_and_test_emoji(self):
        splits = defaultdict(set)
        for s in planned():
            splits[s.group].add(s.split)
        for group, found in splits.items():
            if found & {"val", "test_emoji"}:
                self.assertEqual(len(found), 1, group)

    def test_a_held_out_pair_is_whole_and_seen_as_a_vector_in_another_style(self):
        samples = planned()
        trained = defaultdict(set)
        pairs = defaultdict(set)
        for s in samples:
            pairs[s.group, s.drawing.style].add(s.split)
            if s.split == "train" and s.drawing.reaches(1024):
                trained[s.group].add(s.drawing.style)
        held_out = [pair for pair, found in pairs.items() if "test_pairs" in found]
        self.assertTrue(held_out)
        for group, style in held_out:
            self.assertEqual(pairs[group, style], {"test_pairs"})
            self.assertTrue(trained[group] - {style}, (group, style))

    def test_gradient_and_3d_are_one_look(self):
        splits = defaultdict(dict)
        for s in planned():
            splits[s.group][s.drawing.style] = s.split
        both = [(of["fluent-3d"], of["fluent-gradient"]) for of in splits.values() if {"fluent-3d", "fluent-gradient"} <= of.keys()]
        self.assertTrue(any(pair[0] == "test_pairs" for pair in both))
        self.assertTrue(all(a == b for a, b in both))

    def test_fractions(self):
        samples = planned()
        groups = {s.group: s.split for s in samples if s.split in ("val", "test_emoji")}
        self.assertEqual(len({s.group for s in samples}), 1000)
        self.assertAlmostEqual(sum(v == "test_emoji" for v in groups.values()) / 1000, 0.06, delta=0.02)
        self.assertAlmostEqual(sum(v == "val" for v in groups.values()) / 1000, 0.03, delta=0.015)
        pairs = {(s.group, s.drawing.style): s.split for s in samples if s.split in ("train", "test_pairs")}
        self.assertAlmostEqual(sum(v == "test_pairs" for v in pairs.values()) / len(pairs), 0.05, delta=0.015)

    def test_the_order_of_the_samples_does_not_matter(self):
        samples = a_thousand_emoji()
        random.Random(1).shuffle(samples)
        split.assign_groups(samples)
        split.assign_splits(samples)
        self.assertEqual({s.key: s.split for s in samples}, {s.key: s.split for s in planned()})

    def test_the_splits_never_change(self):
        self.assertEqual(split.fraction("emoji-split-1:red heart"), 170)
        self.assertEqual(split.fraction("emoji-pairs-1:red heart:noto"), 638)

    def test_group_key_ignores_gender_tone_and_direction(self):
        for base in ("person running", "woman running", "man running facing right"):
            self.assertEqual(split.group_key(base), "running")
        self.assertEqual(split.group_key("mermaid"), split.group_key("merman"))
        self.assertEqual(split.group_key("woman"), "person")
        self.assertNotEqual(split.group_key("flag: France"), split.group_key("flag: Mayotte"))

    def test_copies_join_their_groups(self):
        rng = np.random.default_rng(0)
        circle, square = (rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(2))
        samples = [sample("bullet", "noto"), sample("dot", "noto"), sample("dot", "twemoji"), sample("nothing", "noto")]
        pictures = dict(zip([s.key for s in samples], [circle, circle.copy(), square, np.full_like(circle, 255)]))
        kept, dropped = split.merge_copies(samples, pictures)
        self.assertEqual([s.key for s in kept], ["noto_bullet", "twemoji_dot"])
        self.assertEqual(dropped, {"noto_dot": "copy", "noto_nothing": "blank"})
        split.assign_groups(kept)
        self.assertEqual({s.group for s in kept}, {"bullet"})

    def test_near_copies_leave_the_held_out_sets_but_not_for_their_own_emoji(self):
        samples = [sample("sun", "noto"), sample("star", "noto"), sample("sun", "twemoji"), sample("moon", "noto")]
        for s, name in zip(samples, ("train", "test_emoji", "test_pairs", "test_emoji")):
            s.split, s.group = name, s.emoji.base
        vectors = np.array([[10.0] * 768, [12.0] * 768, [12.0] * 768, [90.0] * 768], dtype=np.float32)
        kept, dropped = split.drop_near_copies(samples, vectors)
        self.assertEqual([s.key for s in kept], ["noto_sun", "twemoji_sun", "noto_moon"])
        self.assertEqual(dropped, 1)
        self.assertEqual(samples[2].nearest_train, ("noto_sun", 2.0))


class CaptionTest(unittest.TestCase):
    def test_noun_phrases(self):
        for label, expected in (
            ("red heart", "a red heart"), ("umbrella", "an umbrella"), ("unicorn", "a unicorn"), ("hourglass done", "an hourglass done"),
            ("flag: France", "the flag of France"), ("keycap: 3", "a keycap 3"), ("scissors", "scissors"), ("glasses", "glasses"),
            ("cactus", "a cactus"), ("people holding hands", "people holding hands"), ("Leo", "the Leo zodiac sign"),
            ("astronaut: dark skin tone", "an astronaut with dark skin tone"),
            ("man: medium skin tone, bald", "a man with medium skin tone and bald"),
        ):
            self.assertEqual(noun_phrase(label), expected)

    def test_captions_are_distinct_one_line_and_name_the_style(self):
        emoji = Emoji("red heart", "red heart", tags=("emotion", "love", "symbol", "adore"), shortcodes=("heart", "red_heart", "+1"))
        found = captions(emoji, "flat fluent", ("heart suit", "red heart"))
        self.assertEqual(found[0], "a red heart, flat fluent style")
        self.assertEqual(len(found), len(set(found)))
        self.assertIn("heart, flat fluent style", found)
        self.assertIn("a heart suit, flat fluent style", found)
        self.assertIn("flat fluent emoji: emotion, love, symbol, adore", found)
        self.assertEqual([c for c in found if "flat fluent" not in c], ["a red heart"])
        self.assertFalse([c for c in found if "\n" in c or "  " in c or "+1" in c])

    def test_a_skin_tone_keeps_only_captions_that_name_it(self):
        emoji = Emoji("astronaut: dark skin tone", "astronaut", shortcodes=("spaceperson",))
        self.assertTrue(all("dark skin tone" in caption for caption in captions(emoji, "noto")))


class CatalogueTest(unittest.TestCase):
    def test_hexcodes_and_tones(self):
        self.assertEqual(normal_hexcode("2764-fe0f"), "2764")
        self.assertEqual(normal_hexcode("30-fe0f-20e3"), "0030-20E3")
        self.assertEqual(skin_tone("1F44B-1F3FF"), "dark")
        self.assertIsNone(skin_tone("2764"))
        self.assertTrue(has_mixed_tones("1F9D1-1F3FB-200D-1F9D1-1F3FF", Emoji("people holding hands", "people holding hands")))

    def test_hard_emoji(self):
        self.assertTrue(Emoji("flag: France", "flag: France").is_hard)
        self.assertTrue(Emoji("COOL button", "COOL button", subgroup="alphanumeric symbols").is_hard)
        self.assertFalse(Emoji("play button", "play button", subgroup="audio & video symbols").is_hard)
        self.assertFalse(Emoji("white flag", "white flag").is_hard)

    def test_fluent_file_names(self):
        catalogue = Catalogue.__new__(Catalogue)
        catalogue.by_hexcode, catalogue.by_slug = {}, {}
        for hexcode, label in (("1F9DC", "merperson"), ("1F468", "man: dark skin tone, bald"), ("1F917", "smiling face with open hands")):
            catalogue.by_hexcode[hexcode] = Emoji(label, label)
            catalogue.by_slug[slug(label)] = hexcode
        self.assertEqual(fluent_hexcode("person-merpeople-default", catalogue), "1F9DC")
        self.assertEqual(fluent_hexcode("man-bald-dark", catalogue), "1F468")
        self.assertEqual(fluent_hexcode("hugging-face", catalogue), "1F917")
        self.assertNotIn(fluent_hexcode("robot-friend-dark", catalogue), catalogue.by_hexcode)

    def test_selection(self):
        catalogue = Catalogue.__new__(Catalogue)
        catalogue.by_hexcode = {"A": Emoji("a", "a"), "F": Emoji("family: light skin tone", "family")}
        drawings = [Drawing("noto", name, "p", "MIT", b"") for name in ("A", "A", "F", "UNKNOWN")]
        stats = {style: Counter() for style in STYLES}
        self.assertEqual([d.key for d in select(drawings, catalogue, stats)], ["noto_a"])
        self.assertEqual(dict(stats["noto"]), {"selected": 1, "repeated": 1, "mixed_tones": 1, "unnamed": 1})


class RecordTest(unittest.TestCase):
    def test_json_of_a_sample(self):
        s = sample("astronaut: dark skin tone", "twemoji", "1F9D1-1F3FF")
        s.captions, s.split, s.group = ["a", "b"], "test_pairs", "astronaut"
        s.nearest_train = ("noto_x", 4.5)
        record = describe(s, 64)
        self.assertEqual((record["weight"], record["tone"], record["hard"], record["captions"]), (0.2, "dark", False, ["a", "b"]))
        self.assertEqual(record["nearest_train"], {"key": "noto_x", "rmse": 4.5})

    def test_weight_without_a_skin_tone(self):
        s = sample("red heart", "noto")
        s.captions = ["a red heart"]
        self.assertEqual((describe(s, 64)["weight"], describe(s, 64)["tone"]), (1, None))

    def test_sizes(self):
        self.assertEqual(parse_sizes("64,1024"), (64, 1024))
        for wrong in ("", "128", "64,", "64;256"):
            with self.assertRaises(argparse.ArgumentTypeError):
                parse_sizes(wrong)


if __name__ == "__main__":
    unittest.main()
