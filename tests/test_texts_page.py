"""Every command of docs/texts.md does what the page says, on small files of the names it uses."""

import bz2
import gzip
import json
import random
import re
import shlex
import zipfile
from pathlib import Path

import pytest

from char_rnn import Run
from char_rnn.cli.main import cli
from char_rnn.text_config import DOCUMENT_KINDS, TextConfig

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "texts.md").read_text("utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S)
    for line in block.splitlines()
    if line.startswith("char-rnn ")
]
MINUTES = ["--minutes", "5"]
TINY = [
    *("--iterations", "100", "--hidden_size", "12", "--batch_size", "8", "--seq_length", "16"),
    *("--learning_rate", "0.02", "--threads", "1", "--sample_every", "0", "--eval_every", "50"),
]
WORDS = ["it", "was", "a", "night", "of", "light", "and", "the", "sea", "went", "down", "water"]
READ = {
    "names": {"documents": "lines"}, "poems": {"documents": "blank"},
    "poem-files": {"documents": "files"}, "code": {"pattern": ("*.py",)},
    "tunes": {"documents": "blank"}, "wiki": {"min_count": 10},
    "pages": {"column": "text", "documents": "records"},
    "reviews": {"column": "review", "documents": "records"}, "picture": {"bytes": True},
    "old": {"encoding": "cp1252"}, "often": {"min_count": 2}, "bytes": {"bytes": True},
}  # fmt: skip
"""How a run of the page reads its text, where that is not as usual."""
LENGTHS = {"names": 36, "poems": 30, "poem-files": 6, "tunes": 20, "pages": 45, "reviews": 40}
"""How many documents the texts below have."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with all that the page names."""
    home, rng = tmp_path_factory.mktemp("texts"), random.Random(1)

    def lines(count, words=7):
        return "".join(
            " ".join(["It was", *rng.choices(WORDS, k=words)]) + ".\n" for _ in range(count)
        )

    def write(name, text, encoding="utf-8"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_bytes(text.encode(encoding))

    write("book.txt", lines(60))
    write("chat.txt", "".join(f"[10:{k:02d}] Ann: {lines(1, 3)}" for k in range(60)))
    names = [a + b + c for a in "bdk" for b in ("an", "er", "il") for c in ("", "a", "na", "to")]
    write("names.txt", "\n".join(sorted(names)) + "\n")
    write("poems.txt", "\n".join(lines(2, 3) for _ in range(30)))
    for k in range(6):
        write(f"poems/{k}.txt", lines(4, 3))
        write(f"project/m{k}.py", f"def f{k}(x):\n    return x + {k}\n" * 8)
    write("project/notes.txt", "never read: ÿ\n")
    bars = ["".join(rng.choices("GABcde", k=6)) for _ in range(20)]
    write("tunes.abc", "\n".join(f"X:{k}\nT:Jig {k}\nK:G\n{bar}|\n" for k, bar in enumerate(bars)))
    write("levels.txt", "".join("".join(rng.choices("#-E", k=30)) + "\n" for _ in range(100)))
    (home / "wiki.txt.bz2").write_bytes(bz2.compress((lines(60) + "☃").encode()))
    rows = [{"text": lines(1)} if k % 10 else {"title": "no text"} for k in range(50)]
    (home / "pages.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    with zipfile.ZipFile(home / "books.zip", "w") as archive:
        archive.writestr("a.txt", lines(30))
        archive.writestr("b.txt", lines(30))
    write("reviews.csv", "stars,review\n" + "".join(f'5,"{lines(1, 4)[:-1]}"\n' for _ in range(40)))
    (home / "picture.bin").write_bytes(rng.randbytes(2000))
    write("old.txt", "Café déjà vu, “façade”.\n" * 60, "cp1252")
    write("chinese.txt", "".join(map(chr, rng.choices(range(0x4E00, 0x4E00 + 1200), k=9000))))
    write("beginning.txt", "It was a ")
    write("beginnings.txt", "It was\nIt was the sea\n")
    return home


def check_run(name, home):
    read = Run.open(f"runs/{name}").text.reading
    for field, value in READ.get(name, {}).items():
        assert getattr(read, field) == value, field
    corpus = Run.open(f"runs/{name}").corpus()
    assert LENGTHS.get(name) == (None if corpus.ends is None else len(corpus.ends) - 1)
    if name == "code":
        assert "ÿ" not in corpus.vocabulary and "\f" in corpus.vocabulary
    if name == "wiki":
        assert "☃" not in corpus.vocabulary and corpus.vocabulary.rare is not None
    if name == "old":
        assert "é" in corpus.vocabulary and "“" in corpus.vocabulary
    if name == "all":
        assert corpus.length > len((home / "book.txt").read_bytes())


def check_made(name, out, arguments, home):
    if name == "names" and "--new" in arguments:
        made = out.splitlines()
        assert len(set(made)) == len(made) == 20
        assert not set(made) & set((home / "names.txt").read_text().split())
    elif name == "levels":
        assert re.fullmatch(r"([-#E]{30}\n){10}\n?", out)
    elif name == "picture":
        made = (home / "made.bin").read_bytes()
        assert made.startswith(b"\x89PNG\r\n") and len(made) == 206
    elif name == "tunes":
        assert out.startswith("X:1\nT:")
    elif "--json" in arguments:
        prompts = [json.loads(line)["prompt"] for line in out.splitlines()]
        assert prompts == ["It was", "It was the sea"]
    elif "--seed_file" in arguments:
        assert out.startswith("It was a ")
    elif "--lines" in arguments:
        assert len(out.removesuffix("\n").split("\n")) <= 11
    elif "--seed" in arguments:
        assert out.startswith(arguments[arguments.index("--seed") + 1])
    else:
        assert out.strip()


def test_the_commands_do_what_they_say(home, monkeypatch, capsys):
    monkeypatch.chdir(home)
    monkeypatch.setenv("CHAR_RNN_CACHE", str(home / "cache"))
    made = set()
    for line in COMMANDS:
        arguments = shlex.split(line)[1:]
        if arguments[0] == "train":
            at = arguments.index("--minutes")
            assert arguments[at : at + 2] == MINUTES
            arguments[at : at + 2] = TINY
        elif arguments[0] == "generate":
            arguments += ["--rng_seed", "1"]
        capsys.readouterr()
        code = cli.main(arguments, standalone_mode=False)
        out = capsys.readouterr().out
        assert not code, line
        if arguments[0] == "train":
            name = arguments[-1].removeprefix("runs/")
            check_run(name, home)
            made.add(name)
        elif arguments[0] == "generate":
            check_made(arguments[1].removeprefix("runs/"), out, arguments, home)
        else:
            rows = [row.split() for row in out.splitlines()]
            values = [float(row[3]) for row in rows[1:]]
            assert values and values == sorted(values, reverse=True)
    assert set(READ) | set(LENGTHS) <= made


OPTIONS = [
    *TextConfig.__dataclass_fields__,
    *("characters", "seed -", "seed_file", "bytes_seed", "prompts", "json", "stop"),
    *("count", "new", "unique", "each_line", "sort", "reverse"),
]


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_texts_has_its_line(option):
    assert re.search(rf"`[^`\n]*--{option}(?!\w)", PAGE)


@pytest.mark.parametrize("kind", DOCUMENT_KINDS)
def test_every_kind_of_document_has_its_line(kind):
    assert f"\n| `{kind}` |" in PAGE
