#!/usr/bin/env python3
"""How good drawings are after few steps of each sampler, in the features of a judge that had no part in the training.

For each sampler and number of steps of the decoder (or of the prior): `unclip eval` draws held-out captions at 64 pixels, always
the same ones from the same seeds, and compares them with their real drawings. Writes table.md; each row's evaluation
stays, so that an interrupted table goes on.

Usage: few_steps.py --judge runs/judge --data 'emoji-data/emoji-64/test_pairs-*.tar' -o few-steps
       few_steps.py --stage prior --samplers analytic_dpm ddim ddpm --steps 5 10 25 50 --judge … --data … -o few-prior-steps
"""
import argparse
from pathlib import Path

from evaluation import evaluate_drawings

SAMPLERS = ["dpm_solver", "unipc", "ddim", "analytic_dpm", "ddpm"]
# Steps as many as there are, at times that suit the network: evenly spaced in log-SNR for the solvers of high order.
SPACED_BY_LOG_SNR = {"dpm_solver", "unipc"}


def evaluate(args: argparse.Namespace, sampler: str, steps: int) -> dict:
    folder = args.output / f"{sampler}-{steps}"
    prefix = "" if args.stage == "decoder" else "prior-"
    spacing = f"logsnr{steps}" if sampler in SPACED_BY_LOG_SNR else str(steps)
    return evaluate_drawings(args.program, args.judge, args.model, [args.data], args.count, folder,
                             [f"--{prefix}sampler", sampler, f"--{prefix}steps", spacing])


def row(sampler: str, steps: int, point: dict) -> str:
    kid, found = point["kid"], point["captions"]["caption_finds_picture"]
    return (f"| {sampler} | {steps} | {1000 * kid['value']:.1f} ± {1000 * kid['standard_error']:.1f} | {point['fid']['value']:.3f} | "
            f"{100 * found['r1']['value']:.1f} % | {100 * found['r10']['value']:.1f} % |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="./unclip")
    parser.add_argument("--model", type=Path, default="models/emoji")
    parser.add_argument("--judge", type=Path, required=True, help="model directory with the judge's CLIP")
    parser.add_argument("--data", required=True, help="pattern of shards with held-out samples")
    parser.add_argument("--stage", choices=["decoder", "prior"], default="decoder")
    parser.add_argument("--samplers", nargs="+", default=SAMPLERS)
    parser.add_argument("--steps", nargs="+", type=int, default=[3, 5, 8, 12, 20, 40])
    parser.add_argument("--count", type=int, default=256, help="captions to draw")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    lines = ["| sampler | steps | KID · 1000 | FID | R@1 | R@10 |", "|---|---|---|---|---|---|"]
    for sampler in args.samplers:
        for steps in args.steps:
            lines.append(row(sampler, steps, evaluate(args, sampler, steps)))
            print(lines[-1], flush=True)
    (args.output / "table.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
