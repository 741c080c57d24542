"""The losses that `char-rnn train TEXT --minutes N` reaches: a table in Markdown.

    python -m benchmarks.minutes TEXT --minutes 2 10 --seeds 3

Each run goes through the command line, as a user's does. Its best model is then scored on the last
tenth of the text by `char-rnn evaluate`: stateful over all of it, and in windows of 256 from a zero
state (nanoGPT's way).
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

COMMAND = [sys.executable, "-c", "from char_rnn.cli.main import main; main()"]


def call(*arguments: object) -> str:
    """Run char-rnn and return what it prints; its errors go where ours do."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], check=False, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit(f"char-rnn {arguments[0]} ended with the exit code {done.returncode}")
    return done.stdout


def measure(text: Path, minutes: float, seed: int, out: Path) -> dict[str, float | str]:
    """Train once and return what came of it."""
    folder = out / f"{minutes:g}-minutes-seed-{seed}"
    call("train", text, "--minutes", minutes, "--rng_seed", seed, "--out", folder)
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]
    found = json.loads(call("evaluate", folder, text, "--windows", 256, "--json", "--no_baselines"))
    cold = next(v for k, v in found.items() if k.startswith("windows of 256"))
    config = json.loads((folder / "config.json").read_text("utf-8"))
    model = config["model"]
    return {
        "minutes": minutes,
        "seed": seed,
        "seconds": log[-1]["seconds"],
        "model": f"{model['layers']} × {model['hidden_size']} {model['cell']}",
        "epochs": log[-1]["epoch"],
        "training": log[-1]["loss"],
        "stateful": found["loss"]["nats"],
        "windows": cold["nats"],
    }


def main() -> None:
    """Train, and print a row for each run and a mean for each time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--minutes", type=float, nargs="+", default=[2.0])
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--first_seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/minutes"))
    options = parser.parse_args()
    print("| minutes | seed | model | epochs | training | stateful | windows of 256 |")
    print("| ---: | ---: | --- | ---: | ---: | ---: | ---: |")
    for minutes in options.minutes:
        seeds = range(options.first_seed, options.first_seed + options.seeds)
        rows = [measure(options.text, minutes, seed, options.out) for seed in seeds]
        for r in rows:
            print(
                f"| {r['minutes']:g} | {r['seed']} | {r['model']} | {r['epochs']:.1f} "
                f"| {r['training']:.3f} | {r['stateful']:.4f} | {r['windows']:.4f} |",
                flush=True,
            )
        if len(rows) > 1:
            s, w = (np.array([r[k] for r in rows]) for k in ("stateful", "windows"))
            print(
                f"| {minutes:g} | mean ± standard deviation | | | | {s.mean():.4f} ± "
                f"{s.std(ddof=1):.4f} | {w.mean():.4f} ± {w.std(ddof=1):.4f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
