#!/usr/bin/env python3
"""Training shards with the same pictures, but other captions or other weights of skin tones: for trials of how the data is told.

Usage: derive_shards.py emoji-data/emoji-64 --tone-weight 1 -o emoji-data/emoji-64-tones-whole
       derive_shards.py emoji-data/emoji-64 --captions 1 -o emoji-data/emoji-64-one-caption
"""
import argparse
import io
import json
import tarfile
from pathlib import Path


def derived(name: str, content: bytes, args: argparse.Namespace) -> bytes:
    """A file of a sample as it shall be."""
    if name.endswith(".txt"):
        return b"\n".join(content.split(b"\n")[:args.captions])
    if not name.endswith(".json"):
        return content
    sample = json.loads(content)
    sample["captions"] = sample["captions"][:args.captions]
    if sample["tone"] and args.tone_weight is not None:
        sample["weight"] = args.tone_weight
    return json.dumps(sample, ensure_ascii=False).encode()


def derive(source: Path, target: Path, args: argparse.Namespace) -> None:
    with tarfile.open(source) as found, tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as written:
        for member in found:
            content = derived(member.name, found.extractfile(member).read(), args)
            member.size = len(content)
            written.addfile(member, io.BytesIO(content))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=Path, help="folder with train-*.tar")
    parser.add_argument("--captions", type=int, help="the first so many of each picture (default: all)")
    parser.add_argument("--tone-weight", type=float, help="of each drawing with a skin tone (default: as it is)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    for source in sorted(args.shards.glob("train-*.tar")):
        derive(source, args.output / source.name, args)


if __name__ == "__main__":
    main()
