"""What an emoji is: its names, keywords and groups (Unicode CLDR, through the package emojibase-data)."""

import json
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from . import BuildError

TONES = {"1F3FB": "light", "1F3FC": "medium-light", "1F3FD": "medium", "1F3FE": "medium-dark", "1F3FF": "dark"}
LANGUAGES = ("de", "fr", "es", "it", "pt", "ja", "zh", "ru")


@dataclass(frozen=True)
class Emoji:
    label: str  # "astronaut: light skin tone"
    base: str  # the label without skin tone: "astronaut"
    tags: tuple[str, ...] = ()
    glyph: str = ""
    group: str | None = None
    subgroup: str | None = None
    shortcodes: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)  # language -> label
    version: float | None = None

    @property
    def is_flag(self) -> bool:
        """A country's or region's flag (not "white flag" and its like)."""
        return self.label.startswith("flag: ")

    @property
    def is_hard(self) -> bool:
        """Flags and lettered buttons: many, and not to be guessed from their names."""
        return self.is_flag or (self.subgroup == "alphanumeric symbols" and "button" in self.label)


def normal_hexcode(hexcode: str) -> str:
    """Code points in upper case of four digits or more, without the variation selector FE0F: in both, the sources differ."""
    return "-".join(point.zfill(4) for point in hexcode.upper().split("-") if point != "FE0F")


def skin_tone(hexcode: str) -> str | None:
    """The first skin tone of an emoji, or None."""
    return next((TONES[point] for point in hexcode.split("-") if point in TONES), None)


def has_mixed_tones(hexcode: str, emoji: Emoji) -> bool:
    """Couples of two tones, and families with tones: hundreds of near copies that no caption tells apart."""
    tones = {point for point in hexcode.split("-") if point in TONES}
    return len(tones) > 1 or ("family" in emoji.base and "skin" in emoji.label)


def slug(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.replace("*", "asterisk").replace("#", "hash")).strip("-")


class Catalogue:
    """Every emoji by hexcode and by the slug of its label."""

    def __init__(self, package: Path):
        self.package = package
        self.by_hexcode: dict[str, Emoji] = {}
        self.by_slug: dict[str, str] = {}
        messages = self._load("en/messages.json")
        self._groups = {g["order"]: g["message"] for g in messages["groups"]}
        self._subgroups = {g["order"]: g["message"] for g in messages["subgroups"]}
        shortcodes, labels = self._shortcodes(), self._other_labels()
        for row in self._load("en/data.json"):
            for variant in [row, *row.get("skins", [])]:
                hexcode = normal_hexcode(variant["hexcode"])
                codes = shortcodes.get(hexcode, shortcodes.get(normal_hexcode(row["hexcode"]), set()))
                self.by_hexcode[hexcode] = Emoji(
                    label=variant["label"], base=row["label"], tags=tuple(row.get("tags", [])), glyph=variant["emoji"],
                    group=self._groups.get(row.get("group")), subgroup=self._subgroups.get(row.get("subgroup")),
                    shortcodes=tuple(sorted(codes)), labels=labels.get(hexcode, {}), version=row.get("version"))
                self.by_slug.setdefault(slug(variant["label"]), hexcode)

    def _load(self, name: str):
        try:
            return json.loads((self.package / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BuildError(f"cannot read {self.package / name} ({error}): run again with --download") from None

    def _shortcodes(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for path in sorted((self.package / "en/shortcodes").glob("*.json")):
            for hexcode, codes in self._load(f"en/shortcodes/{path.name}").items():
                found.setdefault(normal_hexcode(hexcode), set()).update([codes] if isinstance(codes, str) else codes)
        return found

    def _other_labels(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for language in LANGUAGES:
            for row in self._load(f"{language}/data.json"):
                for variant in [row, *row.get("skins", [])]:
                    found.setdefault(normal_hexcode(variant["hexcode"]), {})[language] = variant["label"]
        return found
