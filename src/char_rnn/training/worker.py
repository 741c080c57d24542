"""A worker process: the gradients of one slice of the batch, again and again.

    python -m char_rnn.training.worker < a line of JSON, then one byte for each step

It reads weights, ids, states and masks from shared memory and leaves gradients and states there.
A byte on standard input is a step to take (1: with dropout masks); the answer on standard output
is the slice's summed loss, as a double. It ends when its input does: so it cannot outlive the
run, however that ends. A signal to stop is for the process that can save the run.
"""

import json
import signal
import struct
import sys

from char_rnn.config import ModelConfig
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters
from char_rnn.training.shared import Handle, attach

ANSWER = struct.Struct("=d")


def main() -> None:
    """Work until standard input ends."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    orders, answers = sys.stdin.buffer, sys.stdout.buffer
    task = json.loads(orders.readline())
    shared = attach(Handle.from_dict(task["shared"]))
    config = ModelConfig.from_dict(task["config"])
    gradients = Parameters(config, shared["gradients"][task["index"] - 1])
    network = Network(Parameters(config, shared["weights"]), gradients)
    cut = slice(*task["slice"])
    inputs, targets = shared["inputs"][:, cut], shared["targets"][:, cut]
    while order := orders.read(1):
        masks = shared["masks"][:, cut] if order == b"\1" else None
        network.forward(inputs, shared["before"][:, :, cut], masks)
        total = network.backward(targets, shared["inputs"].size, shared["began"][cut])
        shared["after"][:, :, cut] = network.state()
        answers.write(ANSWER.pack(total))
        answers.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.exit(1)
