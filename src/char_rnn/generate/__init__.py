"""Choosing characters and running a model on its own output."""
