"""The exercise's command: python train_rnn.py --text shakespeare.txt --hidden_size 256."""

import sys

from char_rnn.cli.classic import train_rnn
from char_rnn.cli.main import run

if __name__ == "__main__":
    sys.exit(run(train_rnn, "train_rnn.py"))
