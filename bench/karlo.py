#!/usr/bin/env python3
"""Takes turns between bench_karlo and diffusers (peers/karlo.py) and prints medians and ratios; see karlo.sh.

Example: karlo.py build/release/bench/bench_karlo --components prior decoder --dtypes bf16 --rounds 5 --operators
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

COMPONENTS = ("prior", "decoder", "super_res_first", "super_res_last")
UNITS = {"prior": "a guided draw of 25 steps", "decoder": "a guided step", "super_res_first": "a step",
         "super_res_last": "a step"}
PEER = Path(__file__).parent / "peers" / "karlo.py"


class Contender:
    """A program that holds a network and runs it whenever it is told to."""

    def __init__(self, name: str, command: list[str]):
        self.name, self.command, self.seconds = name, command, []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.making, self.first = self.answer("making"), self.answer("first")

    def line(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{' '.join(self.command)} ended with status {self.process.wait()}")
        return line

    def answer(self, key: str) -> float:
        return json.loads(self.line())[key]

    def tell(self, order: str) -> None:
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()

    def run(self) -> None:
        self.tell("run")
        self.seconds.append(self.answer("seconds"))

    def print_operators(self) -> None:
        self.tell("operators")
        while not (line := self.line()).startswith("all:"):
            print("  " + line, end="")
        print("  " + line, end="", flush=True)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def contenders(program: str, component: str, dtype: str, options: argparse.Namespace):
    threads = str(options.threads)
    computed = dtype if options.computed == "same" else options.computed
    yield "ours", [program, component, dtype, computed, threads]
    for peer in options.peers:
        yield f"diffusers {peer}", [sys.executable, "-W", "ignore", str(PEER), component, dtype, peer, threads]


def compare(program: str, component: str, dtype: str, options: argparse.Namespace) -> None:
    print(f"{component}, {dtype}: {UNITS[component]}", flush=True)
    running = []
    try:
        for name, command in contenders(program, component, dtype, options):
            running.append(Contender(name, command))
        for _ in range(options.rounds):
            for contender in running:
                contender.run()
        ours = statistics.median(running[0].seconds)
        for contender in running:
            median = statistics.median(contender.seconds)
            print(f"  {contender.name:20s} {median:8.3f} s   ours is {median / ours:5.2f} times as fast"
                  f"   (rounds {min(contender.seconds):.3f} to {max(contender.seconds):.3f}; making"
                  f" {contender.making:.1f} s, first run {contender.first:.1f} s)", flush=True)
        if options.operators:
            running[0].print_operators()
    finally:
        for contender in running:
            contender.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="bench_karlo")
    parser.add_argument("--components", nargs="+", choices=COMPONENTS, default=COMPONENTS)
    parser.add_argument("--dtypes", nargs="+", choices=("bf16", "fp32"), default=("bf16", "fp32"),
                        help="of the weights")
    parser.add_argument("--computed", choices=("same", "bf16", "fp32"), default="same",
                        help="our activations: the weights' type, or one of them (what --dtype of unclip sets)")
    parser.add_argument("--peers", nargs="*", choices=("eager", "compiled"), default=("eager", "compiled"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--operators", action="store_true", help="print where our time goes")
    options = parser.parse_args()
    for dtype in options.dtypes:
        for component in options.components:
            compare(options.program, component, dtype, options)


if __name__ == "__main__":
    main()
