"""Seconds from starting `char-rnn generate` to its first character.

    python -m benchmarks.startup [--runs 10]

The model is an LSTM of 256 units over 65 characters, made here with random weights. Beside it:
`char-rnn --help`, and Python importing NumPy, or PyTorch where it is installed. The commands take
turns, one run of each, after a first round that is not counted; the medians are compared.
"""

import argparse
import shutil
import statistics
import string
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from char_rnn import CharRNN, Vocabulary

CHARACTERS = "\n " + string.ascii_letters + string.digits + "."
IN_MODULE = "from char_rnn.cli.main import main; main()"


def char_rnn() -> list[str]:
    """Return how to start `char-rnn`: this environment's script, or its module without one."""
    script = shutil.which("char-rnn", path=str(Path(sys.executable).parent))
    return [script] if script else [sys.executable, "-c", IN_MODULE]


def first_byte(command: list[str]) -> float:
    """Return the seconds until `command` writes its first byte, or ends if it writes none."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
        process.stdout.read(1)
        seconds = time.perf_counter() - began
        process.stdout.read()
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with the exit code {process.returncode}")
    return seconds


def main() -> None:
    """Run the commands in turn and print their medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10, help="measured runs of each command")
    runs = parser.parse_args().runs

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.safetensors"
        vocabulary = Vocabulary(CHARACTERS)
        rng = np.random.default_rng(0)
        CharRNN(vocabulary.size, 256, "lstm", rng=rng, vocabulary=vocabulary).save(file)

        generate = ["generate", str(file), "--length", "1", "--rng_seed", "0"]
        commands = {
            "char-rnn generate": [*char_rnn(), *generate],
            "char-rnn --help": [*char_rnn(), "--help"],
            "import numpy": [sys.executable, "-c", "import numpy"],
        }
        if find_spec("torch"):
            commands["import torch"] = [sys.executable, "-c", "import torch"]
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for run in range(runs + 1):
            for name, command in commands.items():
                taken = first_byte(command)
                if run > 0:
                    seconds[name].append(taken)

    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    ours = medians["char-rnn generate"]
    print(f"median of {runs} runs, to the first byte (to the end, if there is none)")
    print(f"{'':20}{'seconds':>9}{'generate takes':>18}")
    for name, median in medians.items():
        print(f"{name:20}{median:9.3f}{ours / median:10.2f} times")
    if "import torch" not in medians:
        print("PyTorch is not installed; python -m pip install 'char-rnn[bench]' compares with it")


if __name__ == "__main__":
    main()
