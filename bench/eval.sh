#!/usr/bin/env bash
# Fréchet distance, precision and recall on 10,000 x 768 features against NumPy and SciPy, side by side: rounds are
# interleaved, medians compared, and both must find the same figures.
#   bench/eval.sh BUILD_FOLDER PYTHON [ROUNDS [THREADS]]     PYTHON has numpy, scipy and safetensors
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1 python=$2 rounds=${3-5} threads=${4-$(nproc)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads
"$python" "$here/peers/eval.py" --make "$folder/features.safetensors"
for ((i = 0; i < rounds; i++)); do
  "$build/bench/bench_eval" "$folder/features.safetensors" "$threads" | sed 's/^/ours /'
  "$python" "$here/peers/eval.py" "$folder/features.safetensors" | sed 's/^/peer /'
done | "$python" -c '
import json, statistics, sys
runs = {"ours": [], "peer": []}
for line in sys.stdin:
    who, text = line.split(" ", 1)
    runs[who].append(json.loads(text))
    print(who, text.strip())
for name in ("fid", "precision", "recall"):
    ours, peer = runs["ours"][0][name], runs["peer"][0][name]
    assert abs(ours - peer) <= 1e-3 * abs(peer), (name, ours, peer)
for name in ("fid_seconds", "manifold_seconds"):
    ours, peer = (statistics.median(run[name] for run in runs[who]) for who in ("ours", "peer"))
    print(f"{name}: ours {ours:.2f}, NumPy and SciPy {peer:.2f}, ratio {peer / ours:.2f}")'
