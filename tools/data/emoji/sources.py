"""Where the drawings come from: packages of the npm and Debian registries, and how each names its files."""

import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import BuildError
from .catalogue import Catalogue, normal_hexcode, skin_tone


@dataclass(frozen=True)
class Package:
    folder: str  # under --packages
    spec: str  # for `npm pack`, or for `apt-get download` when debian
    licence: str
    holds: str
    debian: bool = False


PACKAGES = (
    Package("emojibase-data-17.0.0", "emojibase-data@17.0.0", "MIT", "names, keywords and groups (Unicode CLDR)"),
    Package("iconify-noto-1.2.9", "@iconify-json/noto@1.2.9", "Apache-2.0", "Noto Emoji vectors, without country flags"),
    Package("fonts-noto-color-emoji-2.042", "fonts-noto-color-emoji=2.042-0+deb12u1", "OFL-1.1 (font), Apache-2.0 (images), public domain (flags)",
            "Noto's country flags as 136x128 bitmaps", debian=True),
    Package("twemoji-16.0.1", "@discordapp/twemoji@16.0.1", "MIT (code), CC-BY-4.0 (graphics)", "Twemoji vectors"),
    Package("fluentui-emoji-1.3.0", "fluentui-emoji@1.3.0", "MIT", "Fluent Emoji vectors: flat, gradient, high contrast"),
    Package("lobehub-fluent-emoji-3d-1.1.0", "@lobehub/fluent-emoji-3d@1.1.0", "MIT", "Fluent Emoji 3D as 256x256 bitmaps"),
)
METADATA, NOTO, NOTO_FLAGS, TWEMOJI, FLUENT, FLUENT_3D = PACKAGES


@dataclass(frozen=True)
class Style:
    phrase: str  # what captions call it
    licence: str
    attribution: str


_FLUENT_ATTRIBUTION = "Fluent Emoji, Copyright (c) Microsoft Corporation"
STYLES = {
    "noto": Style("noto", "Apache-2.0", "Noto Emoji, Copyright Google LLC"),
    "twemoji": Style("twemoji", "CC-BY-4.0", "Twemoji, Copyright 2014-2021 Twitter, Inc and 2022-present Jason Sofonia & Justine De Caires; rasterised on white"),
    "fluent-flat": Style("flat fluent", "MIT", _FLUENT_ATTRIBUTION),
    "fluent-gradient": Style("gradient fluent", "MIT", _FLUENT_ATTRIBUTION),
    "fluent-contrast": Style("high contrast fluent", "MIT", _FLUENT_ATTRIBUTION),
    "fluent-3d": Style("3d fluent", "MIT", _FLUENT_ATTRIBUTION),
}
_FLUENT_FOLDERS = {"fluent-flat": "flat", "fluent-gradient": "modern", "fluent-contrast": "high-contrast"}


@dataclass(frozen=True)
class Drawing:
    """One picture of one emoji, not rendered yet."""

    style: str
    hexcode: str
    package: str
    licence: str
    art: Path | bytes  # a file, or its contents
    native_px: int | None = None  # longer side of a bitmap, None for a vector

    @property
    def key(self) -> str:
        return f"{self.style}_{self.hexcode.lower()}"

    def reaches(self, size: int) -> bool:
        """Whether it can be drawn at `size` pixels without enlarging a bitmap."""
        return self.native_px is None or self.native_px >= size


def download(folder: Path) -> None:
    """Fetches and unpacks what is not there yet."""
    folder = folder.resolve()  # the programs below run inside it
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        target = folder / package.folder
        if target.is_dir():
            continue
        print(f"fetching {package.spec}", flush=True)
        partial = target.with_name(target.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        (_fetch_debian if package.debian else _fetch_npm)(package, folder, partial)
        partial.rename(target)


def _run(command: list[str], folder: Path) -> str:
    try:
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise BuildError(f"the program {command[0]} is needed to fetch packages: install it, or unpack them by hand as README.md says") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise BuildError(f"`{' '.join(command)}` failed ({last}): check the network and run it again") from None


def _fetch_npm(package: Package, folder: Path, target: Path) -> None:
    archive = _run(["npm", "pack", package.spec, "--silent"], folder).split()[-1]
    _run(["tar", "xzf", str(folder / archive), "-C", str(target), "--strip-components=1"], folder)
    (folder / archive).unlink()


def _fetch_debian(package: Package, folder: Path, target: Path) -> None:
    _run(["apt-get", "download", package.spec], folder)
    archive = next(folder.glob(package.spec.split("=")[0] + "_*.deb"))
    _run(["dpkg", "-x", str(archive), str(target)], folder)
    archive.unlink()


def drawings(folder: Path, catalogue: Catalogue) -> Iterator[Drawing]:
    """Every drawing of every style; within a style those without skin tone come first."""
    for package in PACKAGES:
        if not (folder / package.folder).is_dir():
            raise BuildError(f"the package {package.spec} is missing from {folder}: run again with --download")
    makers = {"noto": _noto, "twemoji": _twemoji, "fluent-3d": _fluent_3d}
    for style in STYLES:
        found = makers[style](folder, catalogue) if style in makers else _fluent_vectors(folder, catalogue, style)
        yield from sorted(found, key=lambda drawing: (skin_tone(drawing.hexcode) is not None, drawing.hexcode))


def _noto(folder: Path, catalogue: Catalogue) -> Iterator[Drawing]:
    package = folder / NOTO.folder
    icons = json.loads((package / "icons.json").read_text(encoding="utf-8"))
    for hexcode, name in json.loads((package / "chars.json").read_text(encoding="utf-8")).items():
        icon = icons["icons"].get(name) or icons["icons"][icons["aliases"][name]["parent"]]
        width, height = icon.get("width", icons["width"]), icon.get("height", icons["height"])
        svg = (f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
               f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">{icon["body"]}</svg>')
        yield Drawing("noto", normal_hexcode(hexcode), NOTO.spec, STYLES["noto"].licence, svg.encode())
    yield from _noto_flags(folder, catalogue)


def _noto_flags(folder: Path, catalogue: Catalogue) -> Iterator[Drawing]:
    """The bitmaps (table CBDT) of the colour font; a flag is a ligature, so text shaping finds its glyph."""
    import uharfbuzz
    from fontTools.ttLib import TTFont

    path = next((folder / NOTO_FLAGS.folder).rglob("NotoColorEmoji.ttf"))
    table = TTFont(path, lazy=True)
    names = table.getGlyphOrder()
    bitmaps = {name: glyph for strike in table["CBDT"].strikeData for name, glyph in strike.items()}
    font = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path))))
    for hexcode, emoji in catalogue.by_hexcode.items():
        if not emoji.is_flag:
            continue
        buffer = uharfbuzz.Buffer()
        buffer.add_str(emoji.glyph)
        buffer.guess_segment_properties()
        uharfbuzz.shape(font, buffer)
        if len(buffer.glyph_infos) == 1 and names[buffer.glyph_infos[0].codepoint] in bitmaps:
            png = bytes(bitmaps[names[buffer.glyph_infos[0].codepoint]].imageData)
            yield Drawing("noto", hexcode, NOTO_FLAGS.spec, "public domain", png, _longer_side(png))


def _longer_side(art: Path | bytes) -> int:
    from PIL import Image

    with Image.open(io.BytesIO(art) if isinstance(art, bytes) else art) as image:
        return max(image.size)


def _twemoji(folder: Path, catalogue: Catalogue) -> Iterator[Drawing]:
    for path in (folder / TWEMOJI.folder / "dist/svg").glob("*.svg"):
        yield Drawing("twemoji", normal_hexcode(path.stem), TWEMOJI.spec, STYLES["twemoji"].licence, path)


def _fluent_3d(folder: Path, catalogue: Catalogue) -> Iterator[Drawing]:
    """Microsoft draws no country flags: those of the package are someone else's and stay out."""
    for path in (folder / FLUENT_3D.folder / "assets").glob("*.webp"):
        hexcode = normal_hexcode(path.stem)
        emoji = catalogue.by_hexcode.get(hexcode)
        if emoji and not emoji.is_flag:
            yield Drawing("fluent-3d", hexcode, FLUENT_3D.spec, STYLES["fluent-3d"].licence, path, _longer_side(path))


def _fluent_vectors(folder: Path, catalogue: Catalogue, style: str) -> Iterator[Drawing]:
    for path in sorted((folder / FLUENT.folder / "icons" / _FLUENT_FOLDERS[style]).glob("*.svg")):
        yield Drawing(style, fluent_hexcode(path.stem, catalogue), FLUENT.spec, STYLES[style].licence, path)


# Microsoft's file names that are not the CLDR names.
_FLUENT_ALIASES = {
    "blackbird": "black-bird", "hugging-face": "smiling-face-with-open-hands", "keycap-hashtag": "keycap-hash",
    "knocked-out-face": "face-with-crossed-out-eyes", "phoenix-bird": "phoenix", "pouting-face": "enraged-face",
    "red-triangle": "red-triangle-pointed-up", "stuffedbread": "stuffed-flatbread", "stuffedbread-flat": "stuffed-flatbread",
    "man-merpeople": "merman", "woman-merpeople": "mermaid", "person-merpeople": "merperson",
    **{f"{who}-deaf": f"deaf-{who}" for who in ("man", "woman", "person")},
    **{f"{one}-{what}": f"{many}-{what}" for one, many in (("man", "men"), ("woman", "women"), ("person", "people"))
       for what in ("with-bunny-ears", "wrestling")},
    **{f"person-{what}": what for what in ("elf", "fairy", "genie", "mage", "superhero", "supervillain", "vampire", "zombie")},
}
_FLUENT_TONE = re.compile(r"(.*?)-(default|medium-light|medium-dark|light|medium|dark)")
_FLUENT_HAIR = re.compile(r"(man|woman|person)-(bald|beard|blonde-hair|curly-hair|red-hair|white-hair)")


def _fluent_slugs(name: str) -> list[str]:
    """CLDR slugs that a file name of fluentui-emoji may stand for, best first."""
    slugs = [name, _FLUENT_ALIASES.get(name, name)]
    if toned := _FLUENT_TONE.fullmatch(name):
        base, tone = toned.groups()
        alias = _FLUENT_ALIASES.get(base, base)
        if tone == "default":
            return [*slugs, alias, base.replace("blonde", "blond")]
        slugs.append(f"{alias}-{tone}-skin-tone")
        if hair := _FLUENT_HAIR.fullmatch(base):
            slugs.append(f"{hair[1]}-{tone}-skin-tone-{hair[2].replace('blonde', 'blond')}")
        if base.endswith("-facing-right"):
            slugs.append(f"{base.removesuffix('-facing-right')}-{tone}-skin-tone-facing-right")
    return slugs


def fluent_hexcode(name: str, catalogue: Catalogue) -> str:
    """The emoji that a file name stands for; the name itself, which no emoji has, if there is none."""
    return next((catalogue.by_slug[slug] for slug in _fluent_slugs(name) if slug in catalogue.by_slug), name)
