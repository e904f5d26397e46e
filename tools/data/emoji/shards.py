"""Writes WebDataset shards and the files that describe the data set."""

import hashlib
import io
import json
import tarfile
import textwrap
from collections import Counter
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from .catalogue import skin_tone
from .render import BASE, SMALL, cache_path, extension
from .sources import PACKAGES, STYLES
from .split import SPLITS, Sample

TONE_WEIGHT = 0.2  # five skin tones of one drawing count as one


def describe(sample: Sample, size: int) -> dict:
    """The sample's JSON: everything known about it."""
    drawing, emoji = sample.drawing, sample.emoji
    tone = skin_tone(drawing.hexcode)
    record = {
        "key": sample.key, "caption": sample.captions[0], "captions": sample.captions, "label": emoji.label, "tags": emoji.tags,
        "shortcodes": emoji.shortcodes, "labels": emoji.labels, "emoji": emoji.glyph, "hexcode": drawing.hexcode,
        "unicode_version": emoji.version, "category": emoji.group, "subcategory": emoji.subgroup, "group": sample.group,
        "split": sample.split, "tone": tone, "weight": TONE_WEIGHT if tone else 1, "hard": emoji.is_hard, "style": drawing.style,
        "style_phrase": STYLES[drawing.style].phrase, "also": [other.label for other in sample.also], "vector": drawing.native_px is None,
        "native_px": drawing.native_px, "width": size, "height": size, "source": drawing.package, "licence": drawing.licence,
        "attribution": STYLES[drawing.style].attribution,
    }
    if sample.nearest_train:
        record["nearest_train"] = {"key": sample.nearest_train[0], "rmse": sample.nearest_train[1]}
    return record


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o644
    tar.addfile(info, io.BytesIO(content))


def write_shards(samples: list[Sample], size: int, out: Path, cache: Path) -> list[dict]:
    """OUT/emoji-SIZE/SPLIT-NNNNN.tar of samples that reach `size`; returns the manifest's entries."""
    folder = out / f"emoji-{size}"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.tar"):
        old.unlink()
    per_shard = 2000 if size <= BASE else 500
    entries = []
    for split in SPLITS:
        part = [sample for sample in samples if sample.split == split]
        for index in range(0, len(part), per_shard):
            path = folder / f"{split}-{index // per_shard:05d}.tar"
            with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
                for sample in part[index:index + per_shard]:
                    _add(tar, f"{sample.key}.{extension(size)}", cache_path(cache, sample.drawing, size).read_bytes())
                    _add(tar, f"{sample.key}.txt", "\n".join(sample.captions).encode())
                    _add(tar, f"{sample.key}.json", json.dumps(describe(sample, size), ensure_ascii=False).encode())
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            entries.append({"file": f"emoji-{size}/{path.name}", "samples": len(part[index:index + per_shard]),
                            "bytes": path.stat().st_size, "sha256": digest})
    return entries


def write_captions(samples: list[Sample], out: Path) -> int:
    """OUT/captions.txt: every training caption, one per line, for training a tokenizer."""
    lines = [caption for sample in samples if sample.split == "train" for caption in sample.captions]
    (out / "captions.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


def write_manifest(out: Path, size: int, entries: list[dict]) -> None:
    """OUT/manifest.json, where the entries of the other sizes stay as they are."""
    path = out / "manifest.json"
    shards = json.loads(path.read_text())["shards"] if path.exists() else []
    kept = [entry for entry in shards if not entry["file"].startswith(f"emoji-{size}/")]
    manifest = {
        "sources": [{"package": p.spec, "registry": "Debian" if p.debian else "npm", "licence": p.licence, "holds": p.holds} for p in PACKAGES],
        "styles": {name: vars(style) for name, style in STYLES.items()},
        "shards": sorted(kept + entries, key=lambda entry: (int(entry["file"].split("/")[0].split("-")[1]), entry["file"])),
    }
    path.write_text(json.dumps(manifest, indent=1) + "\n")


def count(samples: list[Sample], sizes: tuple[int, ...]) -> dict:
    """Size -> split -> style -> number of pictures."""
    table = {}
    for size in sizes:
        of_size = [sample for sample in samples if sample.drawing.reaches(size)]
        table[str(size)] = {split: dict(sorted(Counter(s.drawing.style for s in of_size if s.split == split).items())) for split in SPLITS}
    return table


def write_contact_sheet(samples: list[Sample], out: Path, cache: Path) -> None:
    """OUT/contact.png: samples of each split at 128 px with a caption."""
    width, height, columns = 150, 196, 12
    rows = {"train": 5, "val": 1, "test_pairs": 2, "test_emoji": 2}
    shown = [sample for split in SPLITS for sample in [s for s in samples if s.split == split][:rows[split] * columns]]
    sheet = Image.new("RGB", (columns * width, -(-len(shown) // columns) * height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=10)
    for k, sample in enumerate(shown):
        x, y = k % columns * width, k // columns * height
        size = BASE if sample.drawing.reaches(BASE) else SMALL
        sheet.paste(Image.open(cache_path(cache, sample.drawing, size)).resize((128, 128)), (x + 11, y + 2))
        lines = [f"[{sample.split}]", *textwrap.wrap(sample.captions[k % len(sample.captions)], 28)[:4]]
        for row, line in enumerate(lines):
            draw.text((x + 4, y + 132 + 12 * row), line, fill="black", font=font)
    sheet.save(out / "contact.png")
