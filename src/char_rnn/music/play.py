"""Play a sound file with whatever plays sound on this system."""

import shutil
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path

from char_rnn.errors import MissingExtra

PLAYERS = {
    "afplay": (),
    "pw-play": (),
    "paplay": (),
    "aplay": ("-q",),
    "play": ("-q",),
    "ffplay": ("-nodisp", "-autoexit", "-loglevel", "error"),
}
"""Programs that play a WAV file and end, the likeliest to work first, and how they are called."""
OTHERWISE = "write the sound to a file (--wav FILE) and open that with a player of your own"


def play(path: Path) -> None:
    """Play the WAV file `path`, and return when it is over; an interrupt ends it.

    Where a player fails, as one does without a sound card, the next one is tried.
    Raises MissingExtra if there is none, or none that works.
    """
    if sys.platform == "win32":
        _on_windows(path)
        return
    failed = []
    for name, options in PLAYERS.items():
        program = shutil.which(name)
        if program is None:
            continue
        # The whole path: a name that begins with a hyphen is no option then.
        said = _run([program, *options, str(path.resolve())])
        if said is None:
            return
        failed.append(f"{name} says: {said}")
    why = "; ".join(failed) or f"there is none of {', '.join(PLAYERS)}"
    raise MissingExtra(f"nothing plays sound here: {why}; {OTHERWISE}")


def _run(command: list[str]) -> str | None:
    """Run a player; return None if all went well, else the last that it said."""
    try:
        player = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    except OSError as error:
        return str(error.strerror or error)
    try:
        _, told = player.communicate()
    finally:  # an interrupt, too, stops the sound
        if player.poll() is None:
            player.terminate()
            player.wait()
    if player.returncode == 0:
        return None
    lines = told.decode("utf-8", "replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return said[-1][:200] if said else f"it ended with the code {player.returncode}"


def _on_windows(path: Path, sleep: Callable[[float], None] = time.sleep) -> None:
    """Play with Windows itself, which goes on by itself and is stopped by a call."""
    if sys.platform == "win32":  # for mypy, which looks at the modules of one system
        import winsound

        with wave.open(str(path)) as file:
            seconds = file.getnframes() / file.getframerate()
        try:
            winsound.PlaySound(str(path), winsound.SND_FILENAME | winsound.SND_ASYNC)
        except RuntimeError as error:
            raise MissingExtra(f"nothing plays sound here: {error}; {OTHERWISE}") from error
        try:
            sleep(seconds)
        finally:
            winsound.PlaySound(None, winsound.SND_PURGE)
