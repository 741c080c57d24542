"""A place to fuzz files in: a run, what lies around it, and commands that must keep their manners.

What must hold of every command, whatever the files say: it ends with 0, 1 or 2, raises nothing,
prints no traceback, no warning and no control character to a terminal, and changes no file outside
the run. tests/test_fuzz_files.py holds a few hundred mutants to this, benchmarks/fuzz.py thousands.
"""

import contextlib
import dataclasses
import io
import os
import sys
import time
import traceback
import unicodedata
from unittest import mock

from mutants import KINDS, restored
from tune_mutants import TUNES

from char_rnn import Corpus, TrainConfig
from char_rnn.cli.main import cli, run
from char_rnn.config import ModelConfig
from char_rnn.data.sources import open_source
from char_rnn.music import Change, Note, Score, Voice, synth
from char_rnn.music.midi import write_midi
from char_rnn.music.text import to_text
from char_rnn.runs.run import Run
from char_rnn.text_config import TextConfig

TEXT = "the quick brown fox jumps over the lazy dog.\n" * 30
CONFIG = TrainConfig(
    iterations=6, seq_length=5, batch_size=2, threads=1, eval_every=2, sample_every=3,
    sample_length=5,
)  # fmt: skip
ABC = """X:1
T:One
M:6/8
L:1/8
Q:3/8=100
K:Ddor
|:A>BA "Am"(3EFG A|{g}a2e- efg:|1 [DFA]3 z3:|2 ^c6||

X:2
M:4/4
K:Bb
V:1
CD/E/ F2|G4 A2_B2|
"""
VARIANTS = [
    ({"cell": "gru"}, {"average": 0.9, "random_offset": True}, False),
    ({"cell": "lstm", "layers": 2, "initial_state": "learned", "layer_norm": True, "tied": True},
     {"optimizer": "sgd", "reset": 0.5}, False),
    ({"cell": "rnn", "initial_state": "random"}, {"optimizer": "adagrad", "clip": 0.0}, True),
    ({"cell": "gru", "reset_after": True, "dtype": "float64"}, {"minutes": 0.1, "iterations": None},
     False),
]  # fmt: skip
DRIVE = ("Cc", "Cs", "Zl", "Zp")  # categories of Unicode
TURN = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # the direction of writing
TERMINAL = True
"""Whether control characters are forbidden on standard output too, as on a terminal."""


class Terminal(io.TextIOWrapper):
    """Collects what a command prints, and says that it is a terminal."""

    def isatty(self):
        return TERMINAL


class Sandbox:
    """A folder with a run to damage, a good copy of it, a text, and files not to be touched."""

    def __init__(self, folder, variant=0, more=False):
        model, train, as_bytes = VARIANTS[variant % len(VARIANTS)]
        self.folder, self.more = folder, more
        self.good, self.run = folder / "good", folder / "run"
        self.text, self.victim = folder / "t.txt", folder / "victim.txt"
        self.text.write_text(TEXT, "utf-8")
        self.victim.write_text('{"event": "step"}\n' * 50, "utf-8")
        corpus = Corpus.from_source(open_source(self.text, TextConfig(as_bytes)))
        config = ModelConfig(corpus.vocabulary.size, 4, **model)
        made = Run.create(self.good, config, dataclasses.replace(CONFIG, **train), corpus)
        trainer = made.trainer(corpus)
        for _ in made.follow(trainer):
            trainer.stop = trainer.iteration >= 4
        trainer.model.summary = trainer.averaged.summary
        trainer.model.save(self.good / "model.pkl")
        self.environment = {
            "CHAR_RNN_CACHE": str(folder / "cache"), "HOME": str(folder), "TERM": "dumb",
            "COLUMNS": "80",
        }  # fmt: skip
        self.files = {name: self.run / name for name in KINDS}

    kinds = KINDS
    """What yields mutants of each file."""

    def reset(self):
        """Put the good files back."""
        restored(self.good, self.run)

    def commands(self, name):
        """Return the commands that a changed file `name` is tried with; all there are if `more`."""
        path = self.files[name]
        model = self.run if name in ("config.json", "log.jsonl", "model.safetensors") else path
        place = path if name == "model.pkl" else self.run
        commands = [
            ["inspect", model],
            ["generate", model, "--length", 5, "--rng_seed", 1],
            ["evaluate", model, self.text, "--no_baselines"],
            ["plot", place],
            ["train", "--resume", place, "--iterations", 6, "--sample_length", 5],
        ]
        if self.more:
            new = ["--iterations", 1, "--sample_length", 5, "--out", self.run / "new"]
            commands += [
                ["compare", place],
                ["overlap", model, "--count", 1, "--length", 20],
                ["generate", model, "--length", 5, "--max_copy", 4, "--effort", 20],
                ["generate", model, "--length", 5, "--beam", 3],
                ["evaluate", model, self.text, "--windows", 5, "--streams", 3, "--json"],
                ["train", self.text, "--start_from", model, *new],
            ]
        return commands

    def outside(self):
        """Return what is known of every file that no command may touch."""
        return {
            path: (path.lstat().st_size, path.lstat().st_mtime_ns, path.lstat().st_ino)
            for path in self.folder.rglob("*")
            if not {"run", "cache"} & set(path.relative_to(self.folder).parts[:1])
        }

    def call(self, arguments):
        """Run a command here; return its exit code, its two outputs, and what was wrong."""
        out, err = Terminal(io.BytesIO(), "utf-8"), Terminal(io.BytesIO(), "utf-8")
        with (
            mock.patch.object(sys, "argv", ["char-rnn", *map(str, arguments)]),
            mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(), "utf-8")),
            mock.patch.object(sys, "stdout", out), mock.patch.object(sys, "stderr", err),
            mock.patch.dict(os.environ, self.environment), contextlib.chdir(self.folder),
        ):  # fmt: skip
            try:
                code = run(cli, "char-rnn")
            except BaseException:
                return None, "", "", traceback.format_exc()
            out.flush(), err.flush()
        said = [s.buffer.getvalue().decode("utf-8", "replace") for s in (out, err)]
        return code, *said, wrong(code, *said)

    def faults(self, name, mutate, seconds=None):
        """Write a mutant over the file `name`, try every command, and yield what went wrong.

        seconds: a list that is told how long each command took.
        """
        self.reset()
        before = self.outside()
        mutate()
        for arguments in self.commands(name):
            began = time.perf_counter()
            *_, fault = self.call(arguments)
            if seconds is not None:
                seconds.append(time.perf_counter() - began)
            if fault:
                yield f"{arguments[0]}: {fault}"
            if self.outside() != before:
                yield f"{arguments[0]}: a file outside the run was touched"
                before = self.outside()


class Tunes(Sandbox):
    """A folder with a MIDI file, a text of pieces and melodies in ABC to damage."""

    kinds = TUNES

    def __init__(self, folder, variant=0, more=False):
        self.folder, self.more = folder, more
        self.good, self.run = folder / "good", folder / "run"
        self.good.mkdir()
        (folder / "victim.txt").write_text("c8|\n", "utf-8")
        voices = (Voice(40, name="Fiddle"), Voice(0), Voice(0, True))[: variant % 3 + 1]
        notes = tuple(
            Note(6 * k, k % len(voices), 36 + k % 40, 6 + k % 7 * 3, 60 + k % 3 * 25)
            for k in range(90)
        )
        keys, meters = (Change(0, (2, "dorian")),), (Change(0, (6, 8)), Change(72, (4, 4)))
        score = Score(notes, voices, keys=keys, meters=meters, tempos=(Change(0, 96.0),))
        text = to_text(score)
        (self.good / "tune.mid").write_bytes(write_midi(score))
        (self.good / "tune.txt").write_text(f"{text}\n\n{text}\n", "utf-8")
        (self.good / "tune.abc").write_text(ABC, "utf-8")
        self.environment = {"HOME": str(folder), "TERM": "dumb", "COLUMNS": "80"}
        self.files = {name: self.run / name for name in TUNES}

    def commands(self, name):
        """Return the commands that a changed file `name` is tried with."""
        path, made = self.files[name], self.run / "made"
        writes = [("out", "svg"), ("html", "html"), ("wav", "wav")]
        commands = [
            ["music", "encode", path],
            ["show", path, *(x for k, end in writes for x in (f"--{k}", made / f"a.{end}"))],
        ]
        if name == "tune.mid":
            commands.append(["show", self.run, "--bars", "2:"])
        else:
            commands.append(["music", "decode", path, "--mend", "-o", made / "a.mid"])
        if self.more:
            commands.append(["train", path, "--iterations", 1, "--out", self.run / "new"])
        return commands

    def call(self, arguments):
        """Run a command; of sound at most some minutes, which says as much as hours."""
        with mock.patch.object(synth, "MOST_HOURS", 0.1):
            return super().call(arguments)


def wrong(code, out, err):
    """Return what is wrong with the end of a command, or nothing."""
    if code not in {0, 1, 2}:
        return f"exit code {code}: {err[-300:]}"
    if "Traceback" in err or "Warning" in err:
        return err[-1000:]
    said = (err.splitlines() or [""])[-1].startswith(("char-rnn: ", "Error: "))
    diverged = code == 1 and "\nIt diverged: " in out  # what a run says at its end
    if code and not said and not diverged:
        return f"no line that says what is wrong: {err[-300:]!r}"
    if any(len(line) > 5000 for line in err.splitlines()):
        return f"a line of {max(map(len, err.splitlines()))} characters: {err[:300]}"
    for stream in (out, err) if TERMINAL else (err,):
        odd = {c for c in stream if unicodedata.category(c) in DRIVE or c in TURN} - {"\n", "\t"}
        if odd:
            return f"control characters {odd} in {stream[-300:]!r}"
    return ""
