"""Whether a training run fits into this machine's memory, told before anything is made of it."""

from dataclasses import replace

from char_rnn import scoring
from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.data.windows import fit
from char_rnn.model.blas import available_threads
from char_rnn.model.room import item_size, need, parameter_count, window_memory
from char_rnn.training.parallel import worker_count

PROCESS = 45_000_000  # bytes of Python and NumPy
OWN, OF_WORKER, OF_SAVING, LAYOUTS = 8, 1, 9, 2
"""Copies of the parameters that a run keeps, that each worker adds, and that a checkpoint takes for
a moment; layouts that each process has of those between its units (docs/performance.md)."""


def check_room(model: ModelConfig, train: TrainConfig, length: int | None = None) -> None:
    """Raise UsageError if a run of these settings takes more memory than there is.

    length: characters to train on; None if that is not known yet, and so no window is counted.
    """
    T, B = 1, 1
    if length is not None:
        B, T, _ = fit(length, train.batch_size, train.seq_length)
    weights = parameter_count(model)
    slices = worker_count(train.threads or available_threads(), T, B, weights, model.cell)
    copies = OWN + OF_SAVING + OF_WORKER * (slices - 1)
    copies += 2 * (train.average > 0) + (train.recurrent_dropout > 0)
    floats = copies * weights + LAYOUTS * slices * parameter_count(
        replace(model, vocab_size=1, end=None)
    )
    size = PROCESS * slices + floats * item_size(model) + window_memory(model, T, B)
    if length is not None and train.val_fraction > 0:
        size += window_memory(model, scoring.WINDOW, scoring.STREAMS)
    what = f"training {model.layers:,} × {model.cell} of {model.hidden_size:,} units"
    if length is not None:
        what += f" with windows of {B:,} × {T:,} characters"
    if slices > 1:
        what += f" in {slices:,} processes"
    need(
        size,
        what,
        "choose fewer --layers or --hidden_size, or a smaller --batch_size, --seq_length or "
        "--threads",
    )
