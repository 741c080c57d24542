"""Experiments that answer a question with a picture, on the reader's own text or model.

`run("memory", seeds=3)` does one and returns a `Result`: its figure, its numbers, what came out and
what it means. Each is one file that reads like its question: set-up, runs, figure.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from char_rnn.lab.experiment import Result as Result
    from char_rnn.lab.running import run as run
    from char_rnn.lab.running import run_all as run_all

EXPERIMENTS = {
    "memory": "Why can a feedforward network not do it?",
    "unroll": "What happens at each step?",
    "trace": "What are the numbers, worked out by hand?",
    "gradients": "Why do gradients vanish or explode?",
    "clipping": "Why clip at 5, and what of 1 and 50?",
    "window": "How long should the window be?",
    "optimisers": "Why Adagrad?",
    "initial-state": "Should the state begin at zero, at random, or learned?",
    "initialisation": "How should the weights begin?",
    "hidden-size": "How large should the network be?",
    "cells": "What do gates buy?",
    "temperature": "A temperature of 0.5 or of 1.5?",
    "teacher-forcing": "What goes wrong when a network reads its own text?",
    "neurons": "What does a unit remember?",
}
"""Each experiment and its question, in the order of the course."""

__all__ = ["EXPERIMENTS", "Result", "run", "run_all"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from char_rnn.lab import experiment, running

        return getattr(experiment if name == "Result" else running, name)
    raise AttributeError(f"module 'char_rnn.lab' has no attribute {name!r}")
