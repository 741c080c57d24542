"""The exercise's command: python generate.py --model shakespeare_rnn.pkl --seed "To be or"."""

import sys

from char_rnn.cli.classic import generate
from char_rnn.cli.main import run

if __name__ == "__main__":
    sys.exit(run(generate, "generate.py"))
