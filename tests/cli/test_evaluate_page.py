"""`char-rnn evaluate`: its page, and what its baselines have learned from."""

import base64
import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

from char_rnn import CharRNN, Vocabulary
from char_rnn.analyse import baselines
from char_rnn.cli import evaluated
from char_rnn.cli.main import cli

TEXT = "a page of text, and some more of it\n" * 30


@pytest.fixture
def run(tmp_path):
    """Return what evaluates a small model on TEXT."""
    vocabulary = Vocabulary(TEXT)
    rng = np.random.default_rng(0)
    CharRNN(vocabulary.size, 5, vocabulary=vocabulary, rng=rng).save(tmp_path / "m.safetensors")
    (tmp_path / "t.txt").write_text(TEXT, "utf-8", newline="")

    def command(*more):
        names = [str(tmp_path / name) for name in ("m.safetensors", "t.txt")]
        done = CliRunner().invoke(cli, ["evaluate", *names, *more])
        assert done.exit_code == 0, done.output
        return done.stdout

    return command


@pytest.mark.parametrize("most", [50_000, 100])
def test_the_page_holds_the_scored_text(run, tmp_path, most, monkeypatch):
    monkeypatch.setattr(evaluated, "ON_PAGE", most)
    page = tmp_path / "page.html"
    found = json.loads(
        run("--val_fraction", "0.25", "--no_baselines", "--json", "--html", str(page))
    )
    scored = TEXT[-found["characters"] :]
    data = json.loads(re.search(r'id="data">(.*?)</script>', page.read_text("utf-8")).group(1))

    def unpacked(name, dtype):
        return np.frombuffer(base64.b64decode(data[name]), dtype)

    codes = unpacked("codes", "<u4")
    assert "".join(chr(codes[i]) for i in unpacked("text", "<u2")) == scored[:most]
    nats = unpacked("nats", "<u2") * data["step"]
    assert len(nats) == min(most, len(scored))
    assert nats.mean() == pytest.approx(found["loss"]["nats"], abs=0.2 if most < 200 else 0.001)
    assert data["loss"] == pytest.approx(found["loss"]["nats"], abs=1e-4)


def test_it_says_if_the_baselines_learn_from_a_part_only(run, monkeypatch):
    start = int(0.75 * len(TEXT)) + 1
    report = json.loads(run("--val_fraction", "0.25", "--json"))
    assert report["baselines learn from"] == {"characters": start, "of": start}
    assert "baselines learn from" not in json.loads(run("--json"))
    assert "The baselines learn from" not in run("--val_fraction", "0.25")
    monkeypatch.setattr(baselines, "MOST_TRAINING", 500)
    said = f"The baselines learn from the last 500 of the {start:,} characters before."
    assert said in run("--val_fraction", "0.25")
