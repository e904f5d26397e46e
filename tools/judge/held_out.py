"""The emoji data's held-out samples, and what a CLIP says of pictures and captions."""
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import load_file


@dataclass
class Sample:
    key: str
    caption: str
    kind: str  # "plain", "toned" (a skin tone) or "hard" (flags, lettered buttons: nobody draws them from their names)
    picture: Image.Image


def kind_of(sample: dict) -> str:
    return "hard" if sample["hard"] else "toned" if sample["tone"] else "plain"


def read_shards(shards: list[Path]) -> list[Sample]:
    """All samples, in an order that nobody chose: by the SHA-1 of their keys."""
    found = []
    for shard in shards:
        with tarfile.open(shard) as archive:
            files = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}
        for name in filter(lambda name: name.endswith(".json"), files):
            sample = json.loads(files[name])
            key = name.removesuffix("json")
            picture = Image.open(io.BytesIO(files[next(key + kind for kind in ("png", "webp") if key + kind in files)])).convert("RGB")
            found.append(Sample(sample["key"], sample["captions"][0], kind_of(sample), picture))
    return sorted(found, key=lambda sample: hashlib.sha1(sample.key.encode()).hexdigest())


class Clip:
    """Embeddings by `unclip embed`, of unit length unless `raw`."""

    def __init__(self, program: str, model: Path):
        self.program, self.model = program, model

    def pictures(self, pictures: list[Image.Image], raw: bool = False) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            for i, picture in enumerate(pictures):
                picture.save(f"{folder}/{i:06}.png")
            return self._embed([folder, *(["--raw"] if raw else [])])["image_embeds"]

    def captions(self, captions: list[str]) -> np.ndarray:
        return self._embed(["-"], "".join(f"{caption}\n" for caption in captions))["text_embeds"]

    def _embed(self, inputs: list[str], text: str = "") -> dict[str, np.ndarray]:
        with tempfile.TemporaryDirectory() as folder:
            output = f"{folder}/embeddings.safetensors"
            subprocess.run([self.program, "embed", *inputs, "--model", str(self.model), "--batch", "64", "-o", output,
                            "--quiet"], input=text, text=True, check=True)
            return load_file(output)


def draw(program: str, model: Path, captions: list[str], seed: int, flags: list[str]) -> list[Image.Image]:
    """One picture for each caption, all from one seed."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "generate", "-", "--model", str(model), "--seed", str(seed), "-o", f"{folder}/p.png",
                        *flags], input="".join(f"{caption}\n" for caption in captions), text=True, check=True)
        return [Image.open(f"{folder}/p-{i + 1}.png").convert("RGB") for i in range(len(captions))]


def recall_at(k: int, captions: np.ndarray, pictures: np.ndarray) -> float:
    """How often a caption's own picture is among the k pictures nearest to it. Equal pictures rank before it."""
    cosines = captions @ pictures.T
    own = np.diag(cosines)[:, None]
    others_before = (cosines >= own).sum(1) - 1
    return float((others_before < k).mean())
