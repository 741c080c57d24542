"""Looking at a model from outside: are its gradients right, how good is it."""

from char_rnn.analyse.gradient_check import gradient_check

__all__ = ["gradient_check"]
