"""How drums sound: noise that dies away, and a tone that falls for what has a skin."""

import math
from typing import NamedTuple

import numpy as np

from char_rnn.music.instruments import drum_kind

Array = np.ndarray


class Struck(NamedTuple):
    """What a kind of drum sounds like.

    hertz, drop: of its tone, and by how much of that it begins higher. tone, noise: how strong they
    are. decay: seconds in which it falls by a factor e. bright: how often the noise is replaced by
    its differences, which leaves its high part.
    """

    hertz: float
    drop: float
    tone: float
    noise: float
    decay: float
    bright: int


_STRUCK = {
    "kick": Struck(50, 2.0, 1.0, 0.05, 0.11, 0),
    "snare": Struck(185, 0.3, 0.4, 0.6, 0.07, 1),
    "hat": Struck(0, 0, 0.0, 0.6, 0.03, 2),
    "tom": Struck(110, 0.4, 0.9, 0.08, 0.14, 0),
    "cymbal": Struck(0, 0, 0.0, 0.5, 0.2, 2),
    "other": Struck(600, 0, 0.5, 0.15, 0.04, 1),
}
_OPEN_HAT = 46


def drum(pitch: int, seconds: float, rate: int) -> Array:
    """Return the drum of a number of General MIDI, struck, float32 within −1 and 1.

    It is gone after `seconds`. The same number sounds the same each time.
    """
    kind = drum_kind(pitch)
    struck = _STRUCK[kind]
    hertz = struck.hertz
    if kind in ("tom", "other"):  # a set of them is tuned by their numbers
        hertz *= 2 ** ((pitch - (45 if kind == "tom" else 64)) / 24)
    decay = 3 * struck.decay if pitch == _OPEN_HAT else struck.decay
    t = np.arange(int(seconds * rate)) / rate
    # The tone falls from (1 + drop) · hertz to hertz: its phase is the integral of that.
    phase = 2 * math.pi * hertz * (t + struck.drop * 0.03 * (1 - np.exp(-t / 0.03)))
    sound = struck.tone * np.sin(phase) + struck.noise * _noise(len(t), struck.bright, pitch)
    sound *= np.exp(-t / decay) * np.minimum(t / 0.002, 1) * np.clip((seconds - t) / 0.05, 0, 1)
    found: Array = (sound / max(np.abs(sound).max(initial=0), 1e-9)).astype(np.float32)
    return found


def _noise(size: int, bright: int, pitch: int) -> Array:
    """Return noise, (size,), mostly within −1 and 1."""
    noise = np.random.default_rng(pitch).uniform(-1, 1, size + bright)
    for _ in range(bright):
        noise = np.diff(noise) / 1.5
    return noise
