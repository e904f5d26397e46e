#!/usr/bin/env python3
"""Drawing from the autoregressive prior in eager PyTorch: the same network as bench_ar_prior, float32, with a key/value
cache or by reading the whole sequence anew for every code. An independent peer for speed, not a reference for values.

Usage: ar_prior.py CONFIG.json BATCH THREADS cached|whole  -> one JSON line
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

CAPTION = 32  # text positions


class Block(nn.Module):
    def __init__(self, width, heads, text_width):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.text = nn.Linear(text_width, 2 * width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def read_text(self, text):
        return [self.split(part) for part in self.text(text).chunk(2, -1)]

    def forward(self, x, past, mask):
        q, k, v = (self.split(part) for part in self.qkv(self.norm1(x)).chunk(3, -1))
        k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x)), [k, v]


class Prior(nn.Module):
    def __init__(self, c):
        super().__init__()
        t = c["transformer"]
        width = t["width"]
        self.z_t = nn.Linear(c["embed_dim"], width)
        self.dot = nn.Embedding(c["dot_product_bins"] + 1, width)
        self.code = nn.Embedding(c["buckets"], width)
        self.position = nn.Parameter(0.01 * torch.randn(c["context"], width))
        self.blocks = nn.ModuleList(Block(width, t["heads"], c["text_width"]) for _ in range(t["layers"]))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, c["buckets"])

    def prefix(self, z_t, dot):
        return torch.stack([self.z_t(z_t), self.dot(dot)], 1)

    def read(self, x, caches, start):
        """Positions start… behind the caches -> logits behind the last of them, caches with them."""
        length = x.shape[1]
        x = x + self.position[start:start + length]
        keys = caches[0][0].shape[2]
        mask = None if length == 1 else torch.ones(length, keys + length, dtype=torch.bool).tril(keys)
        grown = []
        for block, past in zip(self.blocks, caches):
            x, present = block(x, past, mask)
            grown.append(present)
        return self.head(self.norm(x[:, -1])), grown


def draw_code(logits, sampling):
    conditional, null = logits.chunk(2)
    logits = null + sampling["guidance"] * (conditional - null)
    return torch.multinomial((logits / sampling["temperature"]).softmax(1), 1).squeeze(1).repeat(2)


def draw(model, inputs, codes, sampling, cached):
    z_t, text, dot = inputs
    caption = [block.read_text(text) for block in model.blocks]
    logits, caches = model.read(model.prefix(z_t, dot), caption, 0)
    drawn = []
    for k in range(codes):
        drawn.append(draw_code(logits, sampling))
        if k + 1 == codes:
            break
        if cached:
            logits, caches = model.read(model.code(drawn[-1])[:, None], caches, 2 + k)
        else:
            caption = [block.read_text(text) for block in model.blocks]
            everything = torch.cat([model.prefix(z_t, dot), model.code(torch.stack(drawn, 1))], 1)
            logits, _ = model.read(everything, caption, 0)
    return torch.stack(drawn, 1)


@torch.inference_mode()
def main():
    path, batch, threads, cached = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "cached"
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    with open(path, encoding="utf-8") as file:
        c = json.load(file)["model"]
    model, codes = Prior(c).eval(), c["context"] - 2
    inputs = (torch.randn(2 * batch, c["embed_dim"]), torch.randn(2 * batch, CAPTION, c["text_width"]),
              torch.zeros(2 * batch, dtype=torch.long))
    seconds = []
    for _ in range(4):  # the first warms up
        start = time.perf_counter()
        draw(model, inputs, codes, c["sampling"], cached)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"parameters": sum(p.numel() for p in model.parameters()), "codes": codes,
                      "seconds": sorted(seconds[1:])[1]}))


if __name__ == "__main__":
    main()
