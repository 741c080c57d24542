"""What stands in a run folder is data of unknown make: it goes on, or one line says why not."""

import json
import os
import shutil

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus, TrainConfig
from char_rnn.config import ModelConfig
from char_rnn.errors import CharRNNError, CorruptFile, RunError
from char_rnn.runs.curves import read_curves
from char_rnn.runs.run import Run
from char_rnn.storage import load_tensors, reading, save_tensors
from char_rnn.text_config import TextConfig

TEXT = "the quick brown fox jumps over the lazy dog. " * 20
CORPUS = Corpus.from_text(TEXT)
CONFIG = TrainConfig(
    iterations=8, seq_length=5, batch_size=2, threads=1, eval_every=2, sample_every=2,
    sample_length=5, average=0.9,
)  # fmt: skip


@pytest.fixture(scope="module", name="good")
def _good(tmp_path_factory):
    """Return a run that was stopped after 4 of its 8 steps."""
    folder = tmp_path_factory.mktemp("good") / "run"
    run = Run.create(folder, ModelConfig(CORPUS.vocabulary.size, 4, "gru"), CONFIG, CORPUS)
    trainer = run.trainer(CORPUS)
    for _ in run.follow(trainer):
        trainer.stop = trainer.iteration >= 4
    return folder


@pytest.fixture(name="folder")
def _folder(good, tmp_path):
    return shutil.copytree(good, tmp_path / "run")


def resume(folder):
    """Go on with the run to its end; return its last weights."""
    run = Run.open(folder)
    list(run.follow(run.trainer(CORPUS)))
    return CharRNN.load(folder / "last.safetensors").parameters.flat


def begin_again(folder):
    """Put the folder where its last state is, as the beginning of a resumed run does."""
    run = Run.open(folder)
    run._begin(run.trainer(CORPUS))


def edit(folder, change):
    """Let `change` edit the tensors and facts of the run's last state; renew the checksum."""
    tensors, facts = load_tensors(folder / "last.safetensors")
    change(tensors, facts)
    save_tensors(folder / "last.safetensors", tensors, facts)


def refused(folder, kind=CorruptFile):
    with pytest.raises(CharRNNError) as caught:
        resume(folder)
    message = str(caught.value)
    assert type(caught.value) is kind and message.isprintable()
    assert message.startswith(str(folder))
    return message


def setting(path, value):
    """Return a change that sets the fact at a dotted path."""
    *outer, last = path.split(".")

    def change(_, facts):
        for name in outer:
            facts = facts[name]
        facts[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("trainer.iteration", -1), ("trainer.iteration", 2**60), ("trainer.iteration", 1.5),
        ("trainer.seconds", 10**400), ("trainer.seconds", "1"), ("trainer.elapsed", -1),
        ("trainer.losses", [None]), ("trainer.losses", [0.0] * 101), ("trainer.losses", 3),
        ("trainer.streams", None), ("trainer.streams.position", 10**6),
        ("trainer.streams.epoch", True), ("trainer.streams.offset", 1),
        ("trainer.rng", {}), ("trainer.rng.bit_generator", "MT19937"), ("trainer.rng.state", 3),
        ("trainer.rng.state.state", 10**400), ("trainer.rng.state.inc", -1),
        ("trainer.rng.has_uint32", 2), ("trainer.rng.uinteger", 2**32),
        ("trainer.began", [True]), ("trainer.began", [1, 0]), ("trainer.began", []),
        ("trainer.rate_scale", 2), ("trainer.optimizer_steps", 10**400),
        ("trainer.not_better", None), ("trainer.best_val_loss", "low"), ("trainer", None),
        ("kind", "model"), ("config.hidden_size", 2**31), ("config.layers", 2147483648),
        ("vocabulary", None), ("vocabulary.characters", ["b", "a"]), ("summary", []),
        ("written", []), ("written", {"log.jsonl": -1}), ("written", {"log.jsonl": 1.5}),
        ("written", {"log.jsonl": True}), ("written", {"../victim.txt": 0}),
        ("written", {"config.json": 0}),
    ],
)  # fmt: skip
def test_a_fact_that_does_not_fit_is_named(folder, path, value):
    edit(folder, setting(path, value))
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    if path == "vocabulary":  # a model may have none; the run goes by its text
        resume(folder)
        return
    message = refused(folder)
    assert f": {path.partition('.')[0]}" in message or "belongs to another run" in message
    assert before == {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("hidden", lambda a: a[..., :2]), ("hidden", lambda a: a[:, :, :1]),
        ("optimizer/mean", lambda a: a.astype(np.float64)), ("average", lambda a: a[None]),
        ("good/model/out.bias", lambda a: a * np.nan), ("good/average", lambda a: a / 0),
        ("model/out.weight", lambda a: a.astype(np.int8)), ("model/out.bias", lambda a: None),
        ("good/optimizer/squares", lambda a: a[:1]),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_tensor_that_does_not_fit_is_named(folder, name, change):
    def both(tensors, _):
        changed = change(tensors.pop(name))
        if changed is not None:
            tensors[name] = changed

    edit(folder, both)
    assert name.removeprefix("model/") in refused(folder)


@pytest.mark.parametrize("text", [
    "{}", "[]", "3", '{"format_version": 2}', '{"format_version": 1, "text": []}',
])  # fmt: skip
def test_a_config_of_another_form_is_refused(folder, text):
    (folder / "config.json").write_text(text, "utf-8")
    message = refused(folder)
    assert ("later char-rnn" in message) == ("2" in text)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("text", "sha256", None), ("text", "where", 3), ("text", "bytes", 0),
        ("text", "length", "1"), ("text", "reading", []), ("text", "reading", {"byte": True}),
        ("text", "reading", {"min_count": 0}), ("text", "reading", {"pattern": "*"}),
        ("text", "patterns", ["*.py", 1]), ("text", "patterns", "*"), ("text", "name", "a" * 5000),
        ("model", "hidden_size", 10**400), ("model", "layers", 2147483648), ("model", "cell", []),
        ("model", "vocab_size", 5), ("model", "more", 1), ("train", "batch_size", 1e308),
        ("train", "learning_rate", "1"), ("train", "temperature", [1]), ("train", "rng_seed", -1),
        ("train", "batch_size", 5),
    ],
)  # fmt: skip
def test_a_setting_that_does_not_fit_is_named(folder, part, name, value):
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    settings[part][name] = value
    (folder / "config.json").write_text(json.dumps(settings), "utf-8")
    message = refused(folder)
    assert name in message or "last.safetensors" in message


def test_a_config_of_another_text_is_named_where_there_is_no_last_state(folder):
    (folder / "last.safetensors").unlink()
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    for change, said in (
        ({"vocab_size": 10**9}, "model.vocab_size is 1,000,000,000; the text has 28"),
        ({"end": 3}, "model.end is 3; that of the text is None"),
    ):
        changed = settings | {"model": settings["model"] | change}
        (folder / "config.json").write_text(json.dumps(changed), "utf-8")
        assert said in refused(folder)


def test_a_run_of_a_time_before_there_were_ends_goes_on(folder):
    expected = resume(shutil.copytree(folder, folder.with_name("twin")))
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    assert settings["model"].pop("end") is None
    (folder / "config.json").write_text(json.dumps(settings), "utf-8")
    edit(folder, lambda _, facts: facts["config"].pop("end"))
    np.testing.assert_array_equal(resume(folder), expected)


def test_sizes_are_held_against_the_file_before_anything_is_made(folder, monkeypatch):
    """The config's claim, in both files alike, is seen before a model of its size is begun."""
    for size in ({"hidden_size": 10**6}, {"layers": 2147483648}, {"vocab_size": 10**9}):
        edit(folder, lambda _, facts, size=size: facts["config"].update(size))
        settings = json.loads((folder / "config.json").read_text("utf-8"))
        settings["model"].update(size)
        (folder / "config.json").write_text(json.dumps(settings), "utf-8")
        monkeypatch.setattr("char_rnn.charrnn.Parameters", None)
        refused(folder)


def test_the_number_of_streams_is_held_against_the_file_too(folder, monkeypatch):
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    settings["train"] |= {"batch_size": 10**6, "seq_length": 1}
    (folder / "config.json").write_text(json.dumps(settings), "utf-8")
    monkeypatch.setattr("char_rnn.charrnn.Parameters", None)
    said = refused(folder)
    assert "the tensor hidden is float32 (1, 1, 2, 4); expected float32 (1, 1, 809, 4)" in said


def test_the_model_that_a_run_began_with_must_be_its_own(tmp_path):
    start = CharRNN(CORPUS.vocabulary.size, 4, vocabulary=CORPUS.vocabulary)
    run = Run.create(tmp_path / "run", start.config, CONFIG, CORPUS, start)
    for model in (
        CharRNN(CORPUS.vocabulary.size, 5, vocabulary=CORPUS.vocabulary),
        CharRNN(CORPUS.vocabulary.size, 4),
    ):
        model.save(run.folder / "start.safetensors")
        assert "is a model of another run" in refused(run.folder)


def test_old_runs_without_later_fields_go_on(folder):
    whole = resume(shutil.copytree(folder, folder.with_name("whole")))

    def older(_, facts):
        del facts["trainer"]["streams"]["offset"]

    edit(folder, older)
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    del settings["text"]["reading"], settings["train"]["sampling_schedule"]
    settings["text"]["bytes"] = False
    (folder / "config.json").write_text(json.dumps(settings), "utf-8")
    assert Run.open(folder).text.reading == TextConfig(False, keep_line_ends=True)
    np.testing.assert_array_equal(resume(folder), whole)


def test_no_name_in_a_file_is_a_path(folder):
    victim = folder.parent / "victim.txt"
    victim.write_text("mine", "utf-8")
    for name in ("../victim.txt", str(victim)):
        edit(folder, lambda _, facts, name=name: facts["written"].update({name: 0}))
        refused(folder)
        edit(folder, lambda _, facts, name=name: facts["written"].pop(name))
    resume(folder)
    assert victim.read_text("utf-8") == "mine"


@pytest.mark.parametrize("link", ["symlink", "link"])
@pytest.mark.parametrize(
    "name", ["log.jsonl", "samples.txt", "model.safetensors", "last.safetensors", "config.json"]
)
def test_a_run_writes_to_files_of_its_own_only(folder, name, link):
    elsewhere = folder.parent / "elsewhere"
    shutil.copy(folder / name, elsewhere)
    before = elsewhere.read_bytes()
    (folder / name).unlink()
    try:
        getattr(os, link)(elsewhere, folder / name)
    except (OSError, NotImplementedError):
        pytest.skip("no links here")
    assert "is a link" in refused(folder, RunError)
    assert elsewhere.read_bytes() == before
    (folder / name).unlink()
    shutil.copy(elsewhere, folder / name)
    resume(folder)  # as it says: with a copy in its place


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(folder):
    for name in ("log.jsonl", "samples.txt", "last.safetensors"):
        (folder / name).unlink()
        os.mkfifo(folder / name)
        refused(folder, RunError)
        (folder / name).unlink()
        (folder / name).touch()


def test_log_and_samples_are_cut_to_what_was_written_and_never_made_longer(folder):
    sizes = load_tensors(folder / "last.safetensors")[1]["written"]
    assert set(sizes) == {"log.jsonl", "samples.txt"} and all(sizes.values())
    for name in sizes:
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write("after the checkpoint\n")
    begin_again(folder)
    assert sizes == {name: (folder / name).stat().st_size for name in sizes}
    edit(folder, lambda _, facts: facts["written"].update(dict.fromkeys(sizes, 10**12)))
    begin_again(folder)
    assert sizes == {name: (folder / name).stat().st_size for name in sizes}


def test_a_line_that_a_power_cut_left_half_written_goes(folder):
    log, size = folder / "log.jsonl", load_tensors(folder / "last.safetensors")[1]["written"]
    lines = log.read_bytes()[: size["log.jsonl"]].splitlines(keepends=True)
    log.write_bytes(b"".join(lines)[:-20])
    resume(folder)
    found = log.read_bytes().splitlines(keepends=True)
    assert found[: len(lines) - 1] == lines[:-1] and lines[-1] not in found
    read_curves(folder)


def test_weights_that_are_not_finite_go_back_to_the_last_good_ones(folder):
    def diverge(tensors, _):
        tensors["model/out.weight"][0] = np.inf
        tensors["average"][:] = np.nan

    good = load_tensors(folder / "last.safetensors")[0]["good/model/out.weight"]
    edit(folder, diverge)
    trainer = Run.open(folder).trainer(CORPUS)
    np.testing.assert_array_equal(trainer.model.parameters["out.weight"], good)
    assert trainer.learner.recovery.rate_scale == 0.5
    assert np.isfinite(resume(folder)).all()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[1]", "line 2: it is a list"), ("{}", "event is missing"), ('{"event": 1}', "event is 1"),
        ('{"event": "step", "iteration": -1}', "iteration is -1"),
        ('{"event": "step", "iteration": 1e999}', "not valid JSON|iteration is inf"),
        ('{"event": "step", "loss": "x"}', "loss is 'x'"),
        ('{"event": "step", "loss": 1e305}', "loss is 1e"),
        ('{"event": "step", "loss": NaN}', "not valid JSON"),
        ('{"event": "step", "seconds": {}}', "seconds is a record of 0"),
        ("[" * 5000, "not valid JSON"), ("", "not valid JSON"), ("\x00", "not valid JSON"),
        ('"' + "a" * 70_000 + '"', "not valid JSON"),
    ],
)  # fmt: skip
def test_a_line_of_the_log_that_does_not_fit_is_named(folder, line, said):
    lines = (folder / "log.jsonl").read_text("utf-8").splitlines()
    lines[1] = line
    (folder / "log.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(CorruptFile, match=rf"log\.jsonl, line 2: .*({said.split(': ')[-1]})"):
        read_curves(folder)


def test_a_last_line_that_was_not_written_to_its_end_is_left_out(folder):
    whole = read_curves(folder)
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"event": "st')
    assert read_curves(folder) == whole


def test_the_log_has_a_largest_length(folder, monkeypatch):
    monkeypatch.setattr(reading, "MAX_LINES", 3)
    with pytest.raises(CorruptFile, match="more than 3 lines"):
        read_curves(folder)


def test_a_large_config_is_not_parsed(folder):
    with (folder / "config.json").open("a", encoding="utf-8") as file:
        file.write(" " * 2**20)
    with pytest.raises(CharRNNError, match="expected at most 1,048,576"):
        Run.open(folder)
