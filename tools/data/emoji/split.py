"""Which drawings are kept, and which are trained on or held out.

Two held-out sets ask two questions. `test_emoji`: emoji that training never sees, in any style (val is split off in the
same way). `test_pairs`: single (emoji group, style) pairs of emoji that training sees in another style. A group is an
emoji with all its skin tones, genders and directions, and with all emoji that share a picture with it in some style.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from .catalogue import Emoji
from .sources import Drawing

SPLITS = ("train", "val", "test_pairs", "test_emoji")
TEST_PER_MILLE, VAL_PER_MILLE, PAIRS_PER_MILLE = 60, 30, 50
NEAR_RMSE = 3.0  # of 255, between 16 px pictures: closer ones are the same to the eye

_LOOK = {"fluent-3d": "fluent-gradient"}  # the same drawing, once as a bitmap (median distance 8.6; other styles lie 20 to 90 apart)
_SAME_GROUP = {"merman": "merperson", "mermaid": "merperson", "mrs. claus": "santa claus", "mx claus": "santa claus", "princess": "prince"}
_PEOPLE = {"man", "woman", "men", "women", "person", "people", "boy", "girl", "child", "and", "older", "old"}


@dataclass
class Sample:
    """A drawing that is kept, and what the later stages found out about it."""

    drawing: Drawing
    emoji: Emoji
    also: list[Emoji] = field(default_factory=list)  # more emoji with the very same picture in this style
    group: str = ""
    split: str = ""
    captions: list[str] = field(default_factory=list)
    nearest_train: tuple[str, float] | None = None  # (key, 16 px RMSE), of held-out samples

    @property
    def key(self) -> str:
        return self.drawing.key


def fraction(text: str) -> int:
    """0..999, evenly spread, the same on every machine."""
    return int(hashlib.sha1(text.encode()).hexdigest()[:8], 16) % 1000


def group_key(base: str) -> str:
    """An emoji's name without gender, skin tone and direction: 'woman running facing right' -> 'running'."""
    name = base.lower()
    if name.startswith(("flag: ", "keycap: ")):
        return name
    name = re.sub(r"[-–]", " ", name.split(":")[0])
    name = re.sub(r"\b(facing right|light skin tone|dark skin tone)\b", "", _SAME_GROUP.get(name, name))
    return " ".join(word for word in name.split() if word not in _PEOPLE) or "person"


def assign_groups(samples: Iterable[Sample]) -> None:
    """Joins the groups of emoji that share a picture."""
    parent: dict[str, str] = {}

    def find(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            key = parent[key]
        return key

    samples = list(samples)
    for sample in samples:
        for emoji in (sample.emoji, *sample.also):
            a, b = sorted((find(group_key(sample.emoji.base)), find(group_key(emoji.base))))
            parent[b] = a
    for sample in samples:
        sample.group = find(group_key(sample.emoji.base))


def assign_splits(samples: Iterable[Sample]) -> None:
    """Decides by hash of the group, then of the pair: adding a drawing never moves another group's."""
    samples = list(samples)
    for sample in samples:
        u = fraction("emoji-split-1:" + sample.group)
        sample.split = "test_emoji" if u < TEST_PER_MILLE else "val" if u < TEST_PER_MILLE + VAL_PER_MILLE else "train"
    pairs = _held_out_pairs(sample for sample in samples if sample.split == "train")
    for sample in samples:
        if (sample.group, sample.drawing.style) in pairs:
            sample.split = "test_pairs"


def _held_out_pairs(samples: Iterable[Sample]) -> set[tuple[str, str]]:
    """Styles of one look go together. The group keeps another look as vectors in training, so that every picture size sees it."""
    styles: dict[str, set[str]] = defaultdict(set)
    vector_looks: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        style = sample.drawing.style
        styles[sample.group].add(style)
        if sample.drawing.native_px is None:
            vector_looks[sample.group].add(_LOOK.get(style, style))
    held_out = set()
    for group, of_group in styles.items():
        rank = {look: fraction(f"emoji-pairs-1:{group}:{look}") for look in {_LOOK.get(style, style) for style in of_group}}
        chosen = sorted((look for look in rank if rank[look] < PAIRS_PER_MILLE), key=lambda look: (rank[look], look))
        while chosen and not vector_looks[group] - set(chosen):
            chosen.pop()
        held_out |= {(group, style) for style in of_group if _LOOK.get(style, style) in chosen}
    return held_out


def merge_copies(samples: Iterable[Sample], pictures: dict[str, np.ndarray]) -> tuple[list[Sample], dict[str, str]]:
    """Within a style, drops pictures without content and joins copies under the first name.
    Returns the kept samples, and why each other one (by key) was dropped."""
    kept, dropped, first = [], {}, {}
    for sample in samples:
        picture = pictures[sample.key]
        if picture.std() < 2:
            dropped[sample.key] = "blank"
            continue
        small = _shrink(picture, 32).astype(np.uint16)
        mark = (sample.drawing.style, ((small + 4) >> 3).tobytes())
        if mark in first:
            first[mark].also.append(sample.emoji)
            dropped[sample.key] = "copy"
        else:
            first[mark] = sample
            kept.append(sample)
    return kept, dropped


def _shrink(picture: np.ndarray, size: int) -> np.ndarray:
    """Area average of [S,S,3] to float [size,size,3]; size divides S."""
    block = picture.shape[0] // size
    return picture.reshape(size, block, size, block, 3).mean((1, 3), dtype=np.float32)


def features(samples: Iterable[Sample], pictures: dict[str, np.ndarray]) -> np.ndarray:
    """[N,768]: the 16 px pictures, for distances."""
    return np.stack([_shrink(pictures[sample.key], 16).ravel() for sample in samples])


def drop_near_copies(samples: list[Sample], vectors: np.ndarray) -> tuple[list[Sample], int]:
    """Notes the nearest training picture of each held-out one, and drops the latter when it nearly repeats the former.
    A held-out pair may resemble its own emoji in other styles: that is what it asks for."""
    train = np.flatnonzero([sample.split == "train" for sample in samples])
    reference = vectors[train]
    squares = (reference**2).sum(1)
    group_of_train = np.array([samples[i].group for i in train])
    kept = []
    for sample, vector in zip(samples, vectors, strict=True):
        if sample.split == "train":
            kept.append(sample)
            continue
        rmse = np.sqrt(np.maximum(squares - 2 * reference @ vector + (vector**2).sum(), 0) / len(vector))
        nearest = int(rmse.argmin())
        sample.nearest_train = (samples[train[nearest]].key, round(float(rmse[nearest]), 2))
        if rmse[group_of_train != sample.group].min(initial=np.inf) >= NEAR_RMSE:
            kept.append(sample)
    return kept, len(samples) - len(kept)


def style_distances(samples: list[Sample], vectors: np.ndarray) -> dict[str, dict[str, float]]:
    """How alike two styles draw the same emoji: quantiles of the 16 px RMSE over the emoji both draw, skin tones aside."""
    of_style: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    for sample, vector in zip(samples, vectors, strict=True):
        if "skin tone" not in sample.emoji.label:
            of_style[sample.drawing.style][sample.drawing.hexcode] = vector
    report = {}
    names = sorted(of_style)
    for i, a in enumerate(names):
        for b in names[i + 1:]:
            common = of_style[a].keys() & of_style[b].keys()
            if common:
                rmse = np.array([np.sqrt(((of_style[a][h] - of_style[b][h]) ** 2).mean()) for h in common])
                p10, p50, p90 = np.quantile(rmse, (0.1, 0.5, 0.9)).round(1).tolist()
                near = round(float((rmse < NEAR_RMSE).mean()), 4)
                report[f"{a} / {b}"] = {"emoji": len(common), "p10": p10, "median": p50, "p90": p90, "nearer_than_3": near}
    return report
