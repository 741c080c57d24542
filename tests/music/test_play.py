"""Players of this system: which is called and how, and what is said where none works."""

import os
import subprocess
import sys
import time

import pytest

from char_rnn.errors import MissingExtra
from char_rnn.music.play import play

pytestmark = pytest.mark.skipif(os.name == "nt", reason="players are scripts of a shell here")


@pytest.fixture
def players(tmp_path, monkeypatch):
    """Return what makes a program of a name; nothing else is found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def made(name, script):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return made


def test_without_a_player_it_is_said_what_to_do(players, tmp_path):
    with pytest.raises(MissingExtra, match=r"none of afplay.*ffplay; write .* \(--wav FILE\)"):
        play(tmp_path / "a.wav")


def test_the_first_player_that_works_plays(players, tmp_path, monkeypatch):
    """Its arguments are no line for a shell, and a name no option."""
    monkeypatch.chdir(tmp_path)
    players("aplay", "echo 'no sound card' >&2; echo >&2; exit 1")
    players("ffplay", f'printf "%s\\n" "$@" > {tmp_path}/told')
    play(tmp_path.joinpath("-a $(touch hacked) ; b.wav").relative_to(tmp_path))
    told = (tmp_path / "told").read_text().splitlines()
    assert told[-1] == str(tmp_path / "-a $(touch hacked) ; b.wav") and told[0] == "-nodisp"
    assert not (tmp_path / "hacked").exists()


def test_players_that_fail_are_told(players, tmp_path):
    players("aplay", "echo 'no sound card' >&2; exit 1")
    players("play", "exit 3")
    with pytest.raises(MissingExtra, match=r"aplay says: no sound card; play says: .* code 3; w"):
        play(tmp_path / "a.wav")
    players("play", "")
    play(tmp_path / "a.wav")


def test_an_interrupt_stops_the_player(players, tmp_path):
    """Whatever ends the waiting, the sound ends with it."""
    players("afplay", f"echo $$ > {tmp_path}/pid; exec /bin/sleep 60")
    code = (
        "import sys; from pathlib import Path; from char_rnn.music.play import play\n"
        "play(Path(sys.argv[1]))"
    )
    caller = subprocess.Popen([sys.executable, "-c", code, "a.wav"], stderr=subprocess.DEVNULL)
    pid = tmp_path / "pid"
    until = time.monotonic() + 20
    while not (pid.exists() and pid.read_text().strip()) and time.monotonic() < until:
        time.sleep(0.02)
    caller.send_signal(2)
    assert caller.wait(20) != 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
