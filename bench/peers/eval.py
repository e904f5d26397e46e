#!/usr/bin/env python3
"""The Fréchet distance as pytorch-fid computes it (np.cov, scipy.linalg.sqrtm) and precision and recall in blocks of
NumPy's matrix products. An independent peer for speed and values.

Usage: eval.py FEATURES.safetensors          -> one JSON line
       eval.py --make FEATURES.safetensors   writes 10,000 x 768 random features of each kind
"""
import json
import sys
import time

import numpy as np
import scipy.linalg
from safetensors.numpy import load_file, save_file

COUNT, WIDTH, K, BLOCK = 10_000, 768, 3, 1000


def make(path):
    rng = np.random.default_rng(1)
    mix = (rng.normal(size=(WIDTH, 64)) @ rng.normal(size=(64, WIDTH)) / 64 + 0.3 * np.eye(WIDTH)).astype(np.float32)
    cloud = lambda scale: (scale * rng.normal(size=(COUNT, WIDTH)).astype(np.float32)) @ mix
    save_file({"real": cloud(1.0), "drawn": cloud(0.97) + 0.02}, path)


def frechet(x, y):
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(a @ b)
    return float(np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(a) + np.trace(b) - 2 * np.trace(root.real))


def blocks(x, y):
    """Squared distances, some rows at a time."""
    x_norms, y_norms = (x ** 2).sum(1), (y ** 2).sum(1)
    for first in range(0, len(x), BLOCK):
        rows = slice(first, first + BLOCK)
        yield rows, x_norms[rows, None] + y_norms[None] - 2 * (x[rows] @ y.T)


def radii(x):
    return np.concatenate([np.partition(block, K, axis=1)[:, K] for _, block in blocks(x, x)])


def precision_recall(drawn, real):
    drawn_radii, real_radii = radii(drawn), radii(real)
    precise, recalled = [], np.zeros(len(real), bool)
    for rows, block in blocks(drawn, real):
        precise.append((block <= real_radii[None]).any(1))
        recalled |= (block <= drawn_radii[rows, None]).any(0)
    return float(np.concatenate(precise).mean()), float(recalled.mean())


def main():
    if sys.argv[1] == "--make":
        return make(sys.argv[2])
    features = load_file(sys.argv[1])
    start = time.perf_counter()
    fid = frechet(features["drawn"].astype(np.float64), features["real"].astype(np.float64))
    middle = time.perf_counter()
    precision, recall = precision_recall(features["drawn"], features["real"])
    print(json.dumps({"fid": fid, "fid_seconds": middle - start, "precision": precision, "recall": recall,
                      "manifold_seconds": time.perf_counter() - middle}))


if __name__ == "__main__":
    main()
