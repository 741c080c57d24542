"""What a terminal is shown of hostile texts and names, and what a pipe is given."""

import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest

from char_rnn import CharRNN
from char_rnn.cli import terminal
from char_rnn.cli.terminal import Guard, write_styled
from char_rnn.data.vocabulary import ByteVocabulary
from char_rnn.errors import UsageError
from char_rnn.runs import screen as drawing
from char_rnn.runs.screen import DRIVING, ERASE, LiveLine, visible

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")
COMMAND = [sys.executable, "-c", "from char_rnn.cli.main import main; main()"]
LINE = "plain \x1b]0;owned\x07 and \x1b[31mred\x1b[0m \x9b7m \u202eback :heart: [b]"
TEXT = f"{LINE}\r\n" * 80
NAME = "run\x1b[31m[old]"
OWN = re.compile(r"\r\x1b\[J(?:[━─]+ [^\r\n\x1b]*\r)?|\x1b\[\?25[lh]|\x1b\[[0-9;]*m")
"""What is drawn here itself: the live line, the cursor hidden and shown, colours."""

SEVERAL = """
import json, os, sys
from char_rnn.cli.main import cli, run
for words in json.loads(sys.argv[1]):
    sys.argv = ["char-rnn", *words]
    print("\\n=== " + words[0] + f" {run(cli, 'char-rnn')}", flush=True)
"""


def on_terminal(command, cwd, columns=80, **environment):
    """Run `command` on a terminal of its own and return all that it was sent, with \\n as ends."""
    import fcntl
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    settings = {"TERM": "xterm-256color", "CHAR_RNN_CACHE": str(cwd / "cache")} | environment
    process = subprocess.Popen(command, cwd=cwd, env=kept | settings, stdin=subprocess.DEVNULL,
                               stdout=theirs, stderr=theirs)  # fmt: skip
    os.close(theirs)
    sent = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not piece:
            break
        sent += piece
    os.close(ours)
    assert process.wait(120) == 0, sent
    return sent.decode("utf-8").replace("\r\n", "\n")


def in_pipe(*arguments, cwd, code=0, stdin=b"", **environment):
    """Run char-rnn with pipes and return the bytes of its standard output."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=cwd, input=stdin, capture_output=True, check=False,
        env=os.environ | {"CHAR_RNN_CACHE": str(cwd / "cache")} | environment,
    )  # fmt: skip
    assert done.returncode == code and b"Traceback" not in done.stderr, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a hostile text, a run of it made on a terminal, and what that showed."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "t.txt").write_text(TEXT, "utf-8", newline="")
    train = ["train", "t.txt", "--iterations", "60", "--sample_every", "30", "--hidden_size", "16",
             "--learning_rate", "0.02", "--threads", "1", "--batch_size", "8",
             "--keep_line_ends"]  # fmt: skip
    shown = on_terminal([*COMMAND, *train, "--out", NAME], folder)
    (folder / "shown").write_bytes(shown.encode())
    (folder / "copy.txt").write_text(TEXT[:300], "utf-8", newline="")
    model = CharRNN.load(folder / NAME)
    model.summary["text"] = f"a\x1b]0;owned\x07b\nParameters: 1{model.summary['text']}"
    model.save(folder / "named.safetensors")
    return folder


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tab\tand newline\n", "tab\tand newline\n"),
        ("\x1b[31m\x07\x00\x7f\r", r"\x1b[31m\x07\x00\x7f\r"),
        ("\x9b\x85\xa0é→", "\\x9b\\x85\xa0é→"),
        ("\u202a\u202e\u2066\u2069\u2028\u2029", r"\u202a\u202e\u2066\u2069\u2028\u2029"),
        ("\udc9b\ud800", r"\udc9b\ud800"),
        ("שלום\u200f 汉字 👍🏽", "שלום\u200f 汉字 👍🏽"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown == visible(shown)


def test_samples_in_training_do_not_drive_the_terminal(home):
    shown = (home / "shown").read_bytes().decode()
    assert not DRIVING.findall(OWN.sub("", shown))
    assert r"\x1b" in shown and "Iter 30" in shown and ERASE in shown


COMMANDS = [
    ["generate", NAME, "--length", "60", "--temperature", "3", "--rng_seed", "1"],
    ["generate", NAME, "--length", "30", "--seed", LINE[:30], "--highlight"],
    ["generate", NAME, "--length", "30", "--seed", LINE[:20], "--count", "2"],
    ["generate", NAME, "--length", "30", "--seed", LINE[:20], "--beam", "2"],
    ["generate", NAME, "--length", "30", "--seed", "\x1b[7m?"],
    ["generate", "no such\x1b[7m"],
    ["generate", NAME, "--bias", "\x1b[7m"],
    ["generate", NAME, "--out", "a\x1b[7m.txt", "--length", "5"],
    ["inspect", "named.safetensors"],
    ["inspect", NAME],
    ["overlap", "copy.txt", "--text", "t.txt", "--show"],
    ["evaluate", NAME, "t.txt", "--show", "--no_baselines"],
    ["evaluate", NAME, "t.txt", "--json", "--no_baselines"],
    ["compare", NAME],
    ["plot", NAME],
    ["train", "t.txt", "--cell", "\x1b[7m"],
    ["train", "t.txt", "--no\x1b[7m"],
    ["train", "no such\x1b[7m"],
    ["no\x1b[7m"],
]


def test_nothing_drives_the_terminal(home):
    several = [sys.executable, "-c", SEVERAL, json.dumps(COMMANDS)]
    sent = on_terminal(several, home)
    parts = re.split(r"\n=== .*", sent)
    assert len(parts) == len(COMMANDS) + 1
    for words, part in zip(COMMANDS, parts[:-1], strict=True):
        bare = OWN.sub("", part)
        assert not DRIVING.findall(bare), (words, part)
        assert "\x1b[31m" not in part and "\x1b[7m" not in part, words
        assert "Traceback" not in part, part
        if words[0] in ("overlap", "evaluate") and "--show" in words:
            assert "\x1b[" in part and r"\x1b]0;owned\x07 and \x1b[31mred" in bare
        if "--highlight" in words:
            assert "\x1b[" in part
    assert sent.count(r"\x1b") > len(COMMANDS)
    assert "\nParameters: 1" not in sent


def test_a_pipe_gets_texts_as_they_are(home):
    text = in_pipe("generate", NAME, "--length", 90, "--seed", LINE, "--rng_seed", 1, cwd=home)
    assert text.startswith(LINE.encode()) and b"\x1b" in text[len(LINE) :]
    text = in_pipe("generate", NAME, "--length", 9, "--seed", LINE, "--count", 2, cwd=home)
    assert text.count(LINE.encode()) == 2
    assert rb"'no\x1b[7m': no such" in in_pipe("plot", "no\x1b[7m", cwd=home, code=1)
    shown = in_pipe("overlap", "copy.txt", "--text", "t.txt", "--show", cwd=home)
    assert TEXT.replace("\r\n", "\n")[:250].encode() in shown  # as overlap reads line ends
    shown = in_pipe("evaluate", NAME, "t.txt", "--show", "--no_baselines", cwd=home)
    assert LINE.encode() + b"\r\n" in shown


@pytest.mark.parametrize(
    ("chosen", "arrow"), [(None, "→".encode()), ("cp1252", rb"\u2192"), ("utf-16-le", b"\x92\x21")]
)
def test_the_encoding_of_a_pipe(home, chosen, arrow):
    settings = {} if chosen is None else {"CHAR_RNN_ENCODING": chosen}
    (home / "→.txt").write_text("")
    said = in_pipe("overlap", "→.txt", "--text", "t.txt", cwd=home, code=1,
                   PYTHONIOENCODING="cp1252", **settings)  # fmt: skip
    assert arrow in said


def test_a_wrong_encoding_is_told(home, monkeypatch):
    said = in_pipe("inspect", "named.safetensors", cwd=home, code=2, CHAR_RNN_ENCODING="hex")
    assert b"CHAR_RNN_ENCODING is 'hex'" in said and len(said.splitlines()) == 1
    for wrong in ("no-such", "idna", "ascii", "\x1b"):
        monkeypatch.setenv("CHAR_RNN_ENCODING", wrong)
        with pytest.raises(UsageError, match="CHAR_RNN_ENCODING"):
            terminal._chosen_encoding()


def test_a_terminal_keeps_its_encoding(home):
    shown = on_terminal([*COMMAND, "inspect", NAME], home, PYTHONIOENCODING="ascii")
    assert r"1 \xd7 gru" in shown


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_closed_streams(home, closed):
    words = [*COMMAND, "train", "t.txt", "--iterations", "3", "--threads", "2", "--hidden_size",
             "128", "--batch_size", "8", "--seq_length", "20",
             "--out", f"closed {closed.count('-')}{closed[:2]}"]  # fmt: skip
    done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *words], cwd=home, check=False,
                          capture_output=True)  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert (home / words[-1] / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("words", "closed", "code"),
    [
        (["generate", "shakespeare", "--length", "5"], ">&-", 0),
        (["generate", "shakespeare", "--interactive"], "<&-", 0),
        (["generate", "no-such"], "2>&-", 1),
        (["generate", "--no-such"], "2>&-", 2),
        (["train", "-"], "<&-", 1),
    ],
)
def test_closed_streams_of_other_commands(home, words, closed, code):
    done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *COMMAND, *words], cwd=home,
                          check=False, capture_output=True)  # fmt: skip
    assert done.returncode == code and b"Traceback" not in done.stderr, done.stderr


def test_standard_input_that_is_no_text(home):
    done = subprocess.run(
        [*COMMAND, "generate", NAME, "--interactive"], cwd=home, input=b"\xff\n\xc3\xa9\n",
        env=os.environ | {"PYTHONIOENCODING": "ascii:strict"}, capture_output=True, check=True,
    )  # fmt: skip
    assert rb"'\udcff'" in done.stderr and "'é'".encode() in done.stderr


class Screen(io.StringIO):
    """What a terminal with one width is sent."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize("columns", [120, 80, 20, 9, 1])
def test_the_live_line_never_wraps_and_begins_where_it_is_erased(monkeypatch, columns):
    screen = Screen()
    monkeypatch.setattr(drawing, "columns", lambda stream: columns)
    guard = Guard(screen)
    with LiveLine(guard) as live:
        live.draw(0.5, "loss 1.234 · 12,345 characters/s · 1:23 left" * 2)
        guard.write("a note\x1b\n")
    drawn = screen.getvalue()
    for line in drawn.split(ERASE)[1:]:
        if "a note" not in line and "\x1b" not in line:
            assert line == "" or (len(line) <= columns and line.endswith("\r"))
    assert ERASE + "a note\\x1b\n" + ERASE in drawn
    assert drawn.endswith(ERASE + drawing.SHOW_CURSOR) and LiveLine.current is None


def test_the_live_line_in_an_encoding_without_its_bar(monkeypatch):
    screen = Screen()
    screen.encoding = "ascii"
    with LiveLine(screen) as live:
        live.draw(0.5, "a · b")
    assert r"####---- a \xb7 b" in screen.getvalue()


def test_styled_pieces(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    write_styled([("a\x1b\r:heart:\t[b]", "red"), ("\n", "")])
    assert sys.stdout.getvalue() == "a\x1b\r:heart:\t[b]\n"


def test_compare_fits(home):
    long = "a-long-name-of-a-run-that-goes-on-and-on-and-on-" * 3
    shutil.copytree(home / NAME, home / long)
    whole = in_pipe("compare", NAME, long, cwd=home).decode()
    heads, *rows = whole.splitlines()
    assert heads.split()[-3:] == ["characters", "seconds", "text"] and len(rows) == 2
    assert long in whole and repr(NAME) in whole
    for columns in (80, 40):
        shown = on_terminal([*COMMAND, "compare", NAME, long], home, columns).partition("\n\n")[0]
        assert max(map(len, shown.splitlines())) <= columns
        assert long in re.sub(r"  .*|\n", "", shown)


def test_a_terminal_is_shown_bytes_that_are_no_text_as_escapes(tmp_path):
    vocabulary = ByteVocabulary()
    model = CharRNN(256, 8, vocabulary=vocabulary, rng=np.random.default_rng(0))
    model.save(tmp_path / "m.safetensors")
    begun = "\x89é\x1b".encode("latin-1") + "é".encode()
    made = model.sample(begun, 40, rng=np.random.default_rng(1))
    command = [*COMMAND, "generate", "m.safetensors", "-n", "40", "--rng_seed", "1"]
    seed = ["--bytes_seed", r"\x89\xe9\x1bé"]
    expected = visible(made.decode("utf-8", "backslashreplace")) + "\n"
    assert on_terminal([*command, *seed], tmp_path) == expected
    assert expected.startswith(r"\x89\xe9\x1bé") and "\ufffd" not in expected
    many = on_terminal([*command, *seed, "--count", "2", "--greedy"], tmp_path)
    assert many.count(r"\x89\xe9\x1bé") == 2
