#!/usr/bin/env python3
"""Builds a text-to-image data set from openly licensed emoji drawings (Noto, Twemoji, Fluent).

Output: OUT/emoji-SIZE/{train,val,test_pairs,test_emoji}-NNNNN.tar (WebDataset: picture, captions, JSON), OUT/captions.txt,
OUT/stats.json, OUT/manifest.json, OUT/contact.png.  README.md says what is in them.
"""

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from pathlib import Path

from emoji import BuildError, shards, split
from emoji.captions import captions
from emoji.catalogue import Catalogue, has_mixed_tones
from emoji.render import BASE, SMALL, render_all, small_picture
from emoji.sources import METADATA, STYLES, Drawing, download, drawings

SIZES = (64, 256, 1024)
EXAMPLES = """examples:
  python tools/data/build_emoji.py --download --out emoji-data --sizes 64,256
  nice python tools/data/build_emoji.py --out emoji-data --sizes 1024      # later: the same packages, the same split
"""


def parse_sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(int(part) for part in text.split(",") if part.isdigit())
    if not sizes or len(sizes) != len(text.split(",")) or not set(sizes) <= set(SIZES):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a comma separated choice of {', '.join(map(str, SIZES))}")
    return sizes


def select(found: list[Drawing], catalogue: Catalogue, stats: dict[str, Counter]) -> list[Drawing]:
    """Drops drawings without a name, of mixed skin tones, or there twice."""
    kept, keys = [], set()
    for drawing in found:
        emoji = catalogue.by_hexcode.get(drawing.hexcode)
        if emoji is None:
            reason = "unnamed"
        elif has_mixed_tones(drawing.hexcode, emoji):
            reason = "mixed_tones"
        elif drawing.key in keys:
            reason = "repeated"
        else:
            reason = "selected"
            keys.add(drawing.key)
            kept.append(drawing)
        stats[drawing.style][reason] += 1
    return kept


def plan(selected: list[Drawing], catalogue: Catalogue, cache: Path, stats: dict[str, Counter]) -> tuple[list[split.Sample], dict]:
    """The samples with their captions and splits, in the order of the shards; and the report for stats.json."""
    pictures = {drawing.key: small_picture(cache, drawing) for drawing in selected}
    for drawing in selected:
        stats[drawing.style]["failed"] += pictures[drawing.key] is None
    samples = [split.Sample(d, catalogue.by_hexcode[d.hexcode]) for d in selected if pictures[d.key] is not None]
    samples, dropped = split.merge_copies(samples, pictures)
    for key, reason in dropped.items():
        stats[key.split("_")[0]][reason] += 1
    split.assign_groups(samples)
    split.assign_splits(samples)
    for sample in samples:
        other_labels = tuple(emoji.label for emoji in sample.also[:2])
        sample.captions = captions(sample.emoji, STYLES[sample.drawing.style].phrase, other_labels)
    vectors = split.features(samples, pictures)
    report = {"style_distance_rmse16": split.style_distances(samples, vectors)}
    samples, report["near_copies_dropped"] = split.drop_near_copies(samples, vectors)
    for sample in samples:
        stats[sample.drawing.style]["kept"] += 1
    samples.sort(key=lambda sample: hashlib.sha1(("order-1:" + sample.key).encode()).hexdigest())
    return samples, report


def write_stats(out: Path, samples: list[split.Sample], stats: dict[str, Counter], report: dict) -> None:
    report |= {
        "per_style": stats,
        "per_size": shards.count(samples, SIZES),
        "pictures": len(samples),
        "emoji": len({sample.drawing.hexcode for sample in samples}),
        "groups": {name: len({s.group for s in samples if s.split == name}) for name in split.SPLITS},
        "hard": dict(Counter(s.split for s in samples if s.emoji.is_hard)),
        "captions": sum(len(sample.captions) for sample in samples),
    }
    (out / "stats.json").write_text(json.dumps(report, indent=1) + "\n")


def limited(samples: list[split.Sample], size: int, limit: int | None) -> list[split.Sample]:
    """Those that reach `size`; above 256 px at most `limit` for training and a quarter as many of each held-out split. Their order is one
    of hashes: any beginning is a fair sample."""
    reaching = [sample for sample in samples if sample.drawing.reaches(size)]
    if limit is None or size <= BASE:
        return reaching
    most = {name: limit if name == "train" else limit // 4 for name in split.SPLITS}
    return [sample for name in split.SPLITS for sample in [s for s in reaching if s.split == name][:most[name]]]


def build(options: argparse.Namespace) -> None:
    packages, cache = options.packages or options.out / "packages", options.out / "cache"
    options.out.mkdir(parents=True, exist_ok=True)
    if options.download:
        download(packages)
    catalogue = Catalogue(packages / METADATA.folder)
    stats: dict[str, Counter] = {style: Counter() for style in STYLES}
    selected = select(list(drawings(packages, catalogue)), catalogue, stats)
    print(f"{len(selected)} drawings; rendering at {BASE} and {SMALL} px", flush=True)
    render_all(selected, BASE, cache, options.workers)
    samples, report = plan(selected, catalogue, cache, stats)
    write_stats(options.out, samples, stats, report)
    print(f"{shards.write_captions(samples, options.out)} training captions", flush=True)
    shards.write_contact_sheet(samples, options.out, cache)
    for size in sorted(options.sizes):
        chosen = limited(samples, size, options.limit)
        if size > BASE:
            failures = render_all([sample.drawing for sample in chosen], size, cache, options.workers)
            if failures:
                raise BuildError(f"{len(failures)} drawings could not be rendered at {size} px (the first: {failures[0]}): free disk or memory and run again")
        entries = shards.write_shards(chosen, size, options.out, cache)
        shards.write_manifest(options.out, size, entries)
        print(f"emoji-{size}: {sum(e['samples'] for e in entries)} pictures in {len(entries)} shards", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set; OUT/cache keeps the rendered pictures")
    parser.add_argument("--packages", type=Path, help="folder of the unpacked packages (default: OUT/packages)")
    parser.add_argument("--download", action="store_true", help="first fetch the packages that are missing (needs npm, apt-get, dpkg, tar)")
    parser.add_argument("--sizes", type=parse_sizes, default=(64, 256), help="comma separated choice of 64, 256, 1024 (default: 64,256)")
    parser.add_argument("--limit", type=int, metavar="N", help="at 1024 px at most N training pictures, and a quarter as many of each held-out split (default: all)")
    parser.add_argument("--workers", type=int, default=2, help="rendering processes (default: 2)")
    start = time.monotonic()
    try:
        build(parser.parse_args())
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"done in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
