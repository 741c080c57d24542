"""`char-rnn train` on MIDI and `char-rnn generate --out tune.mid`, from one end to the other."""

import pytest

from char_rnn.cli.generate_music import is_music
from char_rnn.music import demo
from char_rnn.music.bars import bars
from char_rnn.music.midi import read_midi, write_midi
from char_rnn.music.theory import ends_on_tonic, in_key

pytest.importorskip("mido")

FAST = ("--cell", "rnn", "--hidden_size", 16, "--sample_every", 0, "--threads", 1)


@pytest.fixture(scope="module")
def tunes(tmp_path_factory):
    """Make a folder of tunes, and a model that has seen them."""
    folder = tmp_path_factory.mktemp("music")
    (folder / "tunes").mkdir()
    for number, score in enumerate(demo.demo_scores(12)):
        (folder / "tunes" / f"{number}.mid").write_bytes(write_midi(score))
    return folder


@pytest.fixture
def at_home(tunes, monkeypatch):
    monkeypatch.chdir(tunes)


def test_from_tunes_to_tunes(call, tunes, at_home):
    (tunes / "tunes" / "bad.mid").write_text("Once upon a time")
    code, out, err = call(
        "train", "tunes", "--transpose", "C", "--iterations", 60, "-o", "r", *FAST
    )
    (tunes / "tunes" / "bad.mid").unlink()
    assert code == 0 and not err
    assert "Text: tunes, " in out and " in 12 documents" in out
    assert "Note: tunes/bad.mid is no MIDI file" in out
    assert out.endswith("  char-rnn generate r --out tune.mid --bars 16\n")
    code, out, err = call("generate", "r", "--out", "new/t.mid", "--bars", 4, "--key", "D",
                          "--scale", "dorian", "--count", 3)  # fmt: skip
    assert (code, out, err) == (0, "".join(f"new/t-{n}.mid: 4 bars\n" for n in (1, 2, 3)), "")
    for path in sorted((tunes / "new").iterdir()):
        score, remarks = read_midi(path)
        assert not remarks and len(bars(score)) == 4
        assert score.keys[0].value == (2, "dorian")
        assert in_key(score) == 1 and ends_on_tonic(score)
    seed = read_midi("tunes/3.mid")[0]
    code, out, _ = call("generate", "r", "--out", "s.mid", "--seed", "tunes/3.mid", "--bars", 2)
    assert code == 0 and out == f"s.mid: 2 bars, after {len(bars(seed))} of the seed\n"
    assert read_midi("s.mid")[0].notes[: len(seed.notes)] == seed.notes
    code, out, _ = call("generate", "r", "--length", 20)  # a model of text, as ever
    assert code == 0 and out


def test_the_demo_is_learned_without_any_file(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    some = demo.demo_scores(12)
    monkeypatch.setattr(demo, "demo_scores", lambda: some)
    code, out, _ = call("train", "music-demo", "--iterations", 60, "-o", "r", *FAST)
    assert code == 0 and "Text: music-demo, " in out and "in 12 documents" in out
    code, out, _ = call("train", "--resume", "r", "--iterations", 80)
    assert code == 0 and "Going on with r at iteration 60" in out


def test_what_is_music():
    assert is_music("t.mid") and is_music("a/T.MIDI")
    assert not is_music("t.txt") and not is_music(None) and not is_music("mid")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bars", 4], "--bars has no effect without music: --out FILE.mid"),
        (["--key", "D", "--out", "t.txt"], "--key has no effect without music"),
        (["--out", "t.mid", "--lines", 3], "--lines has no effect on music"),
        (["--out", "t.mid", "--interactive"], "--interactive has no effect on music"),
        (["--out", "t.mid", "--json"], "--json has no effect on music"),
        (["--out", "t.mid"], "the model knows no music"),
        (["--out", "t.mid", "--seed", "Once"], "--seed 'Once' is no file"),
        (["--out", "t.mid", "--key", "H"], "'H' names no key"),
        (["--out", "t.mid", "-t", "1:0.5"], "give one number"),
    ],
)
def test_mistakes_of_generating(call, at_home, arguments, words):
    code, out, err = call("generate", "shakespeare", *arguments)
    assert code == 2 and not out and err.startswith("char-rnn: ") and words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tunes", "--documents", "lines"], "--documents has no effect on MIDI"),
        (["tunes", "--transpose", "Am"], "transpose is 'Am'"),
        (["tunes", "--transpose", "12"], "transpose is 12"),
        (
            ["shakespeare", "--transpose", "2"],
            "--transpose has no effect on a text that is no MIDI",
        ),
        (["music-demo", "--grid", "24"], "has a grid of its own"),
        (["tunes", "t.txt"], "tunes is music and t.txt is not"),
    ],
)
def test_mistakes_of_training(call, at_home, arguments, words):
    code, out, err = call("train", *arguments)
    assert code == 2 and not out and words in err and err.count("\n") == 1
