"""How much of the Python that a model writes parses: a table in Markdown.

    python -m benchmarks.code MODEL --samples 20 --length 600 --temperature 0.2 0.5 0.8 1.0

MODEL is a model file or a run folder. Raw samples and code mode (`--code python`) begin with the
same text, --seed. A raw sample is cut wherever its length ends, so the table counts it twice: as
it is, and whether it could have gone on to something that parses at its last line end. Samples of
nothing but empty lines and comments are left out.
"""

import argparse
from pathlib import Path

import numpy as np

from char_rnn import CharRNN
from char_rnn.analyse.code import code_shares, code_table
from char_rnn.sample_config import SampleConfig


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--length", type=int, default=600)
    parser.add_argument("--temperature", type=float, nargs="+", default=[0.2, 0.5, 0.8, 1.0])
    parser.add_argument("--seed", default="", help="what every sample begins with; \\n ends a line")
    parser.add_argument("--rng_seed", type=int, default=0)
    options = parser.parse_args()
    model = CharRNN.load(options.model)
    seed = options.seed.replace("\\n", "\n")
    rows = []
    for temperature in options.temperature:
        config = SampleConfig(options.length, temperature)
        rng = np.random.default_rng(options.rng_seed)
        rows.append(code_shares(model, config, options.samples, rng, seed))
    print(f"{options.samples} samples of {options.length} characters after {seed!r}\n")
    print(code_table(rows))


if __name__ == "__main__":
    main()
