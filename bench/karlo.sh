#!/usr/bin/env bash
# The networks of Karlo at their real sizes with random weights: ours and diffusers 0.36 (eager, compiled) side by side.
# For each component and type all of them are loaded, then take turns in one process tree; medians and ratios are printed,
# loading and packing (compiling) apart.
#   bench/karlo.sh BUILD_FOLDER [VENV [OPTIONS…]]     VENV is made if it is missing; bench/karlo.py --help for OPTIONS
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$1 venv=${2-$1/karlo-venv}
if [[ ! -x $venv/bin/python ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet -r "$here/requirements-karlo.txt"
fi
exec "$venv/bin/python" "$here/karlo.py" "$build/bench/bench_karlo" "${@:3}"
