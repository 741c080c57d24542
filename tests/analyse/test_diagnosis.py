"""Every illness made on purpose, and healthy runs: what a diagnosis names, and what it cannot see.

Measured beforehand over seeds 0 to 4 of text and weights (all runs below, another text each): each
illness was named first in 5 of 5, and each of the healthy runs came out clean in 5 of 5.
"""

import json
import re
import shutil

import numpy as np
import pytest

import char_rnn
from char_rnn import CharRNN, Corpus, Run
from char_rnn.analyse.diagnosis import diagnose
from char_rnn.analyse.findings import ILLNESSES, SEVERITIES
from char_rnn.analyse.gradient_reach import Reach, fresh, gradient_reach, saturated
from char_rnn.errors import CharRNNError, RunError
from char_rnn.model.loss import log_softmax

LETTERS = list("abcdefghijklmnopqrstuvwxyz")
BASE = {
    "cell": "rnn", "hidden_size": 32, "iterations": 250, "batch_size": 16, "seq_length": 20,
    "learning_rate": 0.02, "eval_every": 25, "sample_every": 0, "threads": 1, "progress": False,
}  # fmt: skip


def words(characters, kinds, seed):
    """Return lines of words, of `kinds` of them: spelling is to be learned, and no grammar."""
    rng = np.random.default_rng(seed)
    known = ["".join(rng.choice(LETTERS, rng.integers(2, 8))) for _ in range(kinds)]
    shares = rng.dirichlet(np.full(kinds, 0.5))
    counts = rng.integers(4, 10, size=characters // 20)
    lines = [" ".join(rng.choice(known, n, p=shares)) + ".\n" for n in counts]
    return "".join(lines)[:characters]


TEXT = words(16_000, 30, 0)


def train(text=TEXT, save=False, **settings):
    return char_rnn.train(text, **(BASE | {"save": save} | settings))


def steady(config, T, B, threads, seconds):
    """Stand for the machine: what it reads in a second is twenty characters a stream."""
    return 20.0 * B


def names(found):
    return [finding.name for finding in found if finding.severity != "hint"]


ILL = {
    # name: the settings that make it, the text, what the evidence holds, the settings to try
    "exploding": (
        {"optimizer": "sgd", "learning_rate": 50.0, "clip": 0.0, "iterations": 60,
         "eval_every": 10, "schedule": "constant"},
        TEXT, ["above that of guessing"], {"learning_rate": 5.0, "clip": 1.0},
    ),
    "vanishing": (
        {"init": "normal", "optimizer": "sgd", "learning_rate": 0.03, "seq_length": 50,
         "iterations": 200, "eval_every": 20},
        TEXT, ["in a window of 50", "an untrained network", "one of three"],
        {"init": "orthogonal", "cell": "gru"},
    ),
    "collapse": (
        {"cell": "gru", "sample_every": 1000, "temperature": 0.1},
        TEXT, ["At temperature 0.1", "stands in loops, of the real text 0%", "at temperature 1 0%"],
        {"temperature": 0.8},
    ),
    "poor": (
        {"optimizer": "adagrad", "learning_rate": 0.003}, TEXT, ["it learned", "single characters"],
        {"optimizer": "adam", "learning_rate": 0.011},
    ),
    "overfitting": (
        {"cell": "gru", "hidden_size": 48, "schedule": "constant", "iterations": 200,
         "eval_every": 20},
        words(3000, 400, 0), ["the validation loss rose"], {"output_dropout": 0.3},
    ),
    "too short": (
        {"iterations": 40, "eval_every": 4}, TEXT, ["one of three"], {"iterations": 80},
    ),
    "too small": (
        {"hidden_size": 4}, TEXT, ["281 parameters for", "by heart"],
        {"hidden_size": 64},
    ),
}  # fmt: skip
HEALTHY = {
    "rnn": (TEXT, {}),
    "gru": (
        words(16_000, 60, 100),
        {"cell": "gru", "hidden_size": 40, "batch_size": 32, "iterations": 200, "eval_every": 20},
    ),
    "lstm": (TEXT, {"cell": "lstm", "learning_rate": 0.03}),
    "bytes": (
        words(12_000, 15, 300).replace("e", "é").encode(),
        {"bytes": True, "iterations": 350, "eval_every": 35},
    ),
    "documents": (
        TEXT,
        {"documents": "lines", "cell": "gru", "seq_length": 30, "iterations": 180,
         "eval_every": 18},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ILL)
def test_an_illness_made_on_purpose_is_named_first(name):
    settings, text, said, remedy = ILL[name]
    found = diagnose(train(text, **settings), steady)
    first = found.findings[0]
    assert not found.clean and names(found)[0] == name, str(found)
    assert all(words in first.evidence for words in said), first.evidence
    assert first.settings == remedy
    assert all(f"--{setting} " in first.remedy for setting in remedy), first.remedy
    check(found)


@pytest.fixture(scope="module", name="healthy")
def _healthy():
    """Return the healthy runs, each trained once."""
    made = {}

    def get(name):
        if name not in made:
            text, settings = HEALTHY[name]
            made[name] = train(text, **settings)
        return made[name]

    return get


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_comes_out_clean(healthy, name):
    found = diagnose(healthy(name), steady)
    assert found.clean and not found.unseen, str(found)
    assert found.numbers["learned"] > 0.95
    said = str(found).splitlines()[0]
    assert re.match(
        r"Nothing is wrong with text: its loss on [\d,]+ characters of the validation part is", said
    )
    assert "stands in loops" in said
    check(found)


def check(found):
    """Hold what is true of every diagnosis."""
    orders = [SEVERITIES.index(finding.severity) for finding in found]
    assert orders == sorted(orders)
    for finding in (*found, *found.unseen):
        assert finding.severity == "unseen" or finding.name in ILLNESSES
        assert "\n" not in finding.sentence and "nan" not in finding.sentence
        assert finding.remedy or finding.severity == "unseen"
        assert str(finding).startswith(f"{finding.name} ({finding.severity})\n  ")
    json.dumps(found.numbers, allow_nan=False)
    json.dumps([(f.numbers, f.settings) for f in found], allow_nan=False)


def test_a_slow_run_is_named_with_what_would_be_quicker(tmp_path):
    """A stream at a time, on a machine that reads twenty characters a second and stream."""
    out = tmp_path / "run"
    train(save=True, out=out, batch_size=1, iterations=1200, eval_every=120, learning_rate=0.01)

    def log_as_if(speed):
        lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
        for line in lines:
            line["seconds"] = line["characters"] / speed
        (out / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return diagnose(Run.open(out), steady)

    found = log_as_if(20.0)
    assert names(found) == ["slow"] and found.findings[0].name == "slow", str(found)
    assert "20 characters a second in windows of 1 × 20; windows of 32 × 20" in str(found)
    assert found.findings[0].settings["batch_size"] == 32 and "640 here" in str(found)
    assert found.speeds["logged"] == pytest.approx(20) and found.speeds["possible"] == 640
    # As quick as it can be; and by another's work, not by its own windows, too slow.
    assert not names(log_as_if(640.0))

    def quick(config, T, B, threads, seconds):
        return 100.0

    log_as_if(20.0)
    busy = diagnose(Run.open(out), quick)
    (slow,) = (finding for finding in busy if finding.name == "slow")
    assert busy.clean and slow.severity == "hint" and "are read at 100 now" in slow.evidence


def test_saturated_units_are_why_a_gradient_vanishes():
    """A run that begins with every unit at an end of tanh, and cannot get away from there."""
    rng = np.random.default_rng(0)
    vocabulary = char_rnn.Vocabulary(TEXT)
    start = CharRNN(vocabulary.size, 32, "rnn", vocabulary=vocabulary, rng=rng)
    start.parameters["rnn.bias_ih_l0"] = 20 * np.sign(rng.normal(size=32))
    settings = {name: BASE[name] for name in BASE if name not in ("cell", "hidden_size")}
    run = char_rnn.train(TEXT, start_from=start, save=False, **settings)
    first = diagnose(run, steady).findings[0]
    assert first.name == "vanishing" and "% of the units are saturated" in first.evidence
    assert first.settings == {"learning_rate": 0.002, "cell": "gru"}
    assert first.numbers["saturation"] > 0.9 and first.numbers["reach"] < 2


def test_noise_has_nothing_to_learn():
    noise = "".join(np.random.default_rng(0).choice(LETTERS[:8], 4000))
    found = diagnose(train(Corpus.from_text(noise), iterations=100, warmup=10), steady)
    assert names(found) == ["poor"] and "there may be nothing to learn" in str(found)


def test_the_same_run_gives_the_same_diagnosis(healthy):
    run = healthy("rnn")
    first, second = diagnose(run, steady), diagnose(run)
    assert first.findings == tuple(f for f in second if f.name != "slow")
    assert (first.numbers, first.healthy) == (second.numbers, second.healthy)
    told = []
    assert diagnose(run, steady, told.append) == first and told == sorted(told)


def test_a_run_without_its_validation_part_is_looked_at_on_what_it_trained_on():
    settings = {name: value for name, value in BASE.items() if name != "eval_every"}
    run = char_rnn.train(TEXT, val_fraction=0.0, save=False, **settings)
    found = diagnose(run, steady)
    assert found.clean and not found.numbers["held_out"] and found.numbers["learned"] > 0.95
    assert "characters of what it trained on is" in found.healthy
    assert [finding.name for finding in found.unseen] == ["overfitting"]


# What is not there, and what is not whole.


@pytest.fixture(name="folder")
def _folder(tmp_path):
    """Return the folder of a short run on a file."""
    (tmp_path / "text.txt").write_text(TEXT)
    train(tmp_path / "text.txt", save=True, out=tmp_path / "run", iterations=100, eval_every=10)
    return tmp_path / "run"


def test_a_run_without_its_text_tells_what_it_could_not_look_at(folder):
    whole = diagnose(Run.open(folder), steady)
    assert whole.numbers["learned"] is not None and not whole.unseen
    text = folder.parent / "text.txt"
    text.write_text(TEXT[:-1])
    changed = diagnose(Run.open(folder), steady)
    assert "text has changed since the run began" in changed.unseen[0].evidence
    text.unlink()
    found = diagnose(Run.open(folder), steady)
    assert found.unseen[0].name == "text" and "text.txt" in found.unseen[0].evidence
    assert str(found).split("\n\n")[-1].startswith("not looked at\n  How well")
    assert found.numbers["ngrams"] == [] and found.numbers["own_writing"]["distinct"] > 0
    assert found.numbers["real_writing"] is None and "gradient" not in found.numbers
    for name in ("model.safetensors", "last.safetensors"):
        (folder / name).unlink()
    found = diagnose(Run.open(folder), steady)
    assert [finding.name for finding in found.unseen] == ["text", "model"]
    check(found)


def test_what_is_no_run_has_one_line(folder, tmp_path):
    log = folder / "log.jsonl"
    for damage in ('{"event": 3}\n', "[1]\n", '{"event": "step", "loss": "low"}\n', "\x00"):
        log.write_text(damage)
        with pytest.raises(CharRNNError) as raised:
            diagnose(Run.open(folder), steady)
        assert "\n" not in str(raised.value)
    log.write_text("")
    with pytest.raises(RunError, match="no loss in its log yet; train it first"):
        diagnose(Run.open(folder), steady)
    shutil.copy(folder / "config.json", tmp_path / "config.json")
    with pytest.raises(RunError, match="has no log"):
        diagnose(Run.open(tmp_path), steady)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model": {"vocab_size": 1e9}}))
    with pytest.raises(CharRNNError):
        diagnose(Run.open(folder), steady)


def test_interrupted_killed_and_old_runs(folder):
    """Nothing is said of where it was going; what the log tells besides counts as ever."""
    log = folder / "log.jsonl"
    lines = log.read_text().splitlines()
    log.write_text("\n".join(lines[:6]) + "\n")  # killed: no end
    killed = diagnose(Run.open(folder), steady)
    assert killed.numbers["reason"] == "interrupted" and not names(killed)
    assert "It was stopped on its way" in str(killed)
    end = json.loads(lines[-1])
    assert end["event"] == "end" and end["reason"] == "finished"
    log.write_text("\n".join([*lines[:6], json.dumps(end | {"reason": "interrupted"})]) + "\n")
    assert "It was stopped on its way" in str(diagnose(Run.open(folder), steady))
    # Before there were reasons: the log ends where the config says that it does.
    end.pop("reason")
    log.write_text("\n".join([*lines[:-1], json.dumps(end)]) + "\n")
    assert diagnose(Run.open(folder), steady).numbers["reason"] == "finished"
    # And before there were readings, calibration, norms.
    config = json.loads((folder / "config.json").read_text())
    config["text"] |= {"bytes": False}
    del config["text"]["reading"], config["train"]["calibration"], config["train"]["average"]
    (folder / "config.json").write_text(json.dumps(config))
    check(diagnose(Run.open(folder), steady))


def test_a_run_that_has_trained_nothing():
    corpus = Corpus.from_text(TEXT)
    model = char_rnn.ModelConfig(corpus.vocabulary.size, 8)
    run = Run.in_memory(model, char_rnn.TrainConfig(iterations=5), corpus)
    with pytest.raises(RunError, match="train it first"):
        diagnose(run, steady)


@pytest.mark.parametrize("text", ["ab" * 12, "abcdefgh" * 8, "a" * 200])
def test_texts_of_a_few_characters(text):
    found = diagnose(train(Corpus.from_text(text), iterations=3), steady)
    json.dumps(found.numbers, allow_nan=False)
    assert str(found)


# What is measured.


def test_the_gradient_of_a_linear_chain():
    """A network whose tanh is linear and whose recurrent weights halve the state, at every step."""
    rng = np.random.default_rng(0)
    model = CharRNN(5, 8, "rnn", dtype="float64", rng=rng)
    for name, array in model.parameters.items():
        array[:] = 0.5 * np.eye(8) if name == "rnn.weight_hh_l0" else 1e-4 * array
    reach = gradient_reach(model, rng.integers(5, size=(40, 3)), 20)
    assert reach.steps == (1, 2, 3, 4, 6, 8, 12, 16, 20)
    ratios = np.array(reach.norms) / reach.norms[0]
    np.testing.assert_allclose(ratios, 0.5 ** (np.array(reach.steps) - 1.0), rtol=1e-6)
    assert reach.characters == pytest.approx(1 + np.log(100) / np.log(2), rel=1e-6)
    assert saturated(model, rng.integers(5, size=(40, 3))) == 0


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_the_gradient_by_central_differences(cell):
    """Of each stream's own last loss, with respect to all states k characters before it."""
    rng = np.random.default_rng(1)
    model = CharRNN(6, 3, cell, layers=2, dtype="float64", rng=rng)
    ids = rng.integers(6, size=(8, 3))
    reach = gradient_reach(model, ids, 3)
    found = model.states(ids[:-1])
    for k, norm in zip(reach.steps, reach.norms, strict=True):
        state = [part[-k - 1].copy() for part in (found if isinstance(found, tuple) else (found,))]

        def losses(k=k, state=state):
            logits, _ = model.forward(ids[-k - 1 : -1], tuple(state) if state[1:] else state[0])
            return -log_softmax(logits[-1])[range(3), ids[-1]]

        squares = np.zeros(3)  # of each stream, whose loss knows nothing of the others' states
        for part in state:
            for place in np.ndindex(part.shape):
                was = part[place]
                part[place] = was + 1e-5
                more = losses()
                part[place] = was - 1e-5
                squares += ((more - losses()) / 2e-5) ** 2
                part[place] = was
        assert norm == pytest.approx(np.median(np.sqrt(squares)), rel=1e-5)


def test_how_far_a_gradient_reaches():
    assert Reach((1, 2, 3), (1.0, 0.5, 0.25)).characters == 3
    assert Reach((1, 2, 4), (1.0, 0.1, 0.001)).characters == pytest.approx(3)
    assert Reach((1, 2), (1.0, 0.0)).characters == 1
    assert Reach((1, 2), (0.0, 0.0)).characters == 0 == Reach((1,), (np.inf,)).characters


def test_an_untrained_network_and_units_of_other_cells():
    model = CharRNN(5, 6, "lstm", init="normal", rng=np.random.default_rng(0))
    assert fresh(model).config.init == "orthogonal" and fresh(model).hidden_size == 6
    model.parameters["rnn.bias_ih_l0"] = 30.0  # all gates open: c is 1, 2, 3 …
    assert saturated(model, np.zeros((8, 1), np.int64)) == 6 / 8  # tanh 3 is the first above 0.99
