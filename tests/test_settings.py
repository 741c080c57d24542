"""A setting stands in one place, its field: checks, options, help and needs come from there."""

import dataclasses
import math
import re
import string
from pathlib import Path

import click
import pytest

from char_rnn import config
from char_rnn.checks import OneOf, Share
from char_rnn.cli.evaluate import command as evaluate
from char_rnn.cli.generate import command as generate
from char_rnn.cli.train import command as train
from char_rnn.config import LENGTHS, PLANNED, ModelConfig, TrainConfig
from char_rnn.errors import UsageError
from char_rnn.recipes import TRAIN_RECIPE
from char_rnn.runs.going_on import FREE
from char_rnn.runs.rules import KNOWN
from char_rnn.sample_config import STRATEGIES, SampleConfig
from char_rnn.settings import settings_of, without_effect
from char_rnn.text_config import TextConfig

SOURCE = Path(config.__file__).parent
CODE = "".join(path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
CONFIGS = {ModelConfig: {"vocab_size": 5}, TrainConfig: {}, SampleConfig: {}, TextConfig: {}}
FIELDS = [
    pytest.param(cls, field, id=f"{cls.__name__}.{field.name}")
    for cls in CONFIGS
    for field in dataclasses.fields(cls)
]


@pytest.mark.parametrize(("cls", "field"), FIELDS)
def test_a_field_says_all_of_its_setting(cls, field):
    about = settings_of(cls)[field.name]
    assert about.help.endswith(".") and about.help[0].isupper() and len(about.help) <= 100
    assert ". " not in about.help, "one sentence"
    assert about.group and about.check.bounds
    assert f"    {field.name}: {about.help}\n" in cls.__doc__
    if field.default not in (None, dataclasses.MISSING):
        assert about.check(field.name, field.default) == field.default


@pytest.mark.parametrize(("cls", "field"), FIELDS)
def test_what_is_of_the_wrong_type_is_refused_by_name(cls, field):
    with pytest.raises(UsageError, match=rf"{field.name}\b|temperature"):
        cls(**CONFIGS[cls] | {field.name: b"wrong"})


@pytest.mark.parametrize(
    ("cls", "name", "value", "said"),
    [
        (ModelConfig, "hidden_size", 0, "hidden_size is 0; it must be at least 1"),
        (ModelConfig, "layers", 1.0, "layers is 1.0; it must be a whole number"),
        (ModelConfig, "layers", True, "layers is True; it must be a whole number"),
        (ModelConfig, "tied", 1, "tied is 1; it must be true or false"),
        (ModelConfig, "cell", "lstn", "unknown cell 'lstn' (did you mean 'lstm'?); known: "),
        (TrainConfig, "rng_seed", 2**63, "rng_seed is too large a number; it must be at most 9,22"),
        (TrainConfig, "learning_rate", 0, "learning_rate is 0; it must be greater than 0"),
        (TrainConfig, "clip", -1, "clip is -1; it must not be negative"),
        (TrainConfig, "clip", math.inf, "clip is inf; it must be a finite number"),
        (TrainConfig, "clip", 10**400, "clip is too large a number"),
        (TrainConfig, "momentum", 1, "momentum is 1; it must be at least 0 and less than 1"),
        (TrainConfig, "reset", 1.5, "reset is 1.5; it must be at least 0 and at most 1"),
        (TrainConfig, "minutes", 1e8, "minutes is 100000000.0; it must be at most 10,000,000"),
        (SampleConfig, "top_p", 0, "top_p is 0; it must be greater than 0"),
        (SampleConfig, "top_p", 2, "top_p is 2; it must be at least 0 and at most 1"),
        (SampleConfig, "regex", None, "regex is None; it must be a text"),
        (SampleConfig, "stop", "x", "stop is the one text 'x'; it must be a tuple: ('x',)"),
        (SampleConfig, "words", [1], "words is [1]; it must be a tuple of texts"),
        (SampleConfig, "bias", "e=1", "bias is 'e=1'; it must be pairs of a character and a num"),
        (SampleConfig, "bias", (("ab", 1),), "bias 'ab': 1; it must be a character and a number"),
        (SampleConfig, "code", 5, "code is 5; it must be a text"),
        (SampleConfig, "code", "rust", "unknown code 'rust'; known: python"),
        (SampleConfig, "order", ("top_q",), "unknown strategy 'top_q' (did you mean 'top_p'?); kn"),
        (SampleConfig, "temperature", "warm", "temperature 'warm'"),
        (TextConfig, "bytes", 1, "bytes is 1; it must be true or false"),
        (TextConfig, "pattern", "*.py", "pattern is the one text '*.py'; it must be a tuple: ('*."),
        (TextConfig, "normalize", "NFX", "unknown normalize 'NFX'; known: NFC, NFD, NFKC, NFKD"),
        (TextConfig, "min_count", 0, "min_count is 0; it must be at least 1"),
        (TextConfig, "documents", "records", "documents are records of a column; name the column"),
    ],
)
def test_a_wrong_value_is_told_in_one_line(cls, name, value, said):
    with pytest.raises(UsageError) as caught:
        cls(**CONFIGS[cls] | {name: value})
    assert str(caught.value).startswith(said)


def test_values_are_kept_in_one_form():
    made = SampleConfig(stop=["a"], bias=[["e", 1]], order=["top_p"])
    assert made.stop == ("a",) and made.bias == (("e", 1),) and made.order[-1] == "top_p"
    assert len(made.order) == len(STRATEGIES)
    assert ModelConfig(5).reset_after is False  # chosen, and written down
    assert TrainConfig().threads is None and TrainConfig().minutes is None
    with pytest.raises(UsageError, match="iterations and epochs both say"):
        TrainConfig(iterations=1, epochs=1.0)


def test_a_share():
    assert Share()("x", 1) == 1 and Share(whole=False)("x", 0) == 0
    for check, value in ((Share(whole=False), 1), (Share(some=True), 0), (Share(), -1)):
        with pytest.raises(UsageError, match=r"^x is "):
            check("x", value)
    assert Share(whole=False, some=True).bounds == "more than 0 to below 1"


def options_of(command):
    return {p.name: p for p in command.params if isinstance(p, click.Option)}


@pytest.mark.parametrize(
    ("cls", "command"),
    [(ModelConfig, train), (TrainConfig, train), (TextConfig, train), (SampleConfig, generate)],
)
def test_options_are_made_from_the_fields(cls, command):
    options = options_of(command)
    for name, about in settings_of(cls).items():
        assert (name in options) == about.option
        if not about.option:
            continue
        option = options[name]
        assert option.help == about.help and option.group == about.group
        assert {f"--{name}", f"--{name.replace('_', '-')}"} <= {*option.opts}
        assert (f"-{about.short}" in option.opts) == bool(about.short)
        assert (f"--{about.opposite}" in option.secondary_opts) == bool(about.opposite)
        if isinstance(about.check, OneOf):
            assert tuple(option.type.choices) == tuple(about.check.known)
        record = option.get_help_record(click.Context(command))
        assert record[1].startswith(about.help)
        assert ("planned, or" in record[1].replace("\xa0", " ")) == about.planned


def test_a_default_reaches_the_command_as_it_is():
    with train.make_context("train", []) as ctx:
        chosen = {name: ctx.params[name] for name in settings_of(TrainConfig)}
        assert TrainConfig(**chosen) == TRAIN_RECIPE.train.__class__()
        assert ctx.params["cell"] == TRAIN_RECIPE.cell
    with train.make_context(
        "train", ["--random_offset", "true", "-m", "3", "--reset-before"]
    ) as ctx:
        assert ctx.params["random_offset"] is True and ctx.params["minutes"] == 3
        assert ctx.params["reset_after"] is False


@pytest.mark.parametrize(("cls", "field"), FIELDS)
def test_a_setting_is_read_somewhere(cls, field):
    """One that nothing reads would be accepted, and do nothing."""
    found = re.search(rf"(config|train|model|reading)\.{field.name}\b", CODE)
    assert found


def test_what_is_planned():
    assert {"cell", "layers", "learning_rate"} <= PLANNED
    assert not PLANNED & {*LENGTHS, "threads", "rng_seed", "temperature"}


def test_what_may_change_when_a_run_goes_on():
    samples = {"sample_every", "sample_length", "temperature"}
    assert {*LENGTHS, *samples, "patience", "eval_every", "threads"} == FREE


def test_needs_name_settings():
    known = KNOWN
    found = 0
    for name, about in known.items():
        for need in about.needs:
            found += 1
            assert need.setting in known and need.setting != name
            named = {part for _, part, _, _ in string.Formatter().parse(need.otherwise) if part}
            assert named <= known.keys()
            default = {**TRAIN_RECIPE.train.to_dict(), "layers": 2, "bytes": None}
            assert isinstance(need.holds(default[need.setting]), bool)
    assert found >= 10


def test_what_has_no_effect_is_told_in_the_spelling_of_the_place():
    def told(*of):
        return list(without_effect(KNOWN, *of))

    given, settings = {"momentum": 0.5, "layer_dropout": 0.2}, {"optimizer": "adam"}
    assert told(given, settings) == ["momentum has no effect without optimizer sgd"]
    assert told(given, settings, "--{}") == ["--momentum has no effect without --optimizer sgd"]
    settings |= {"optimizer": "sgd", "layers": 1}
    assert told(given, settings) == ["layer_dropout has no effect with one layer (layers)"]
    assert not told({"layer_dropout": 0.0, "seed": 1}, settings)
    assert told({"encoding": "cp1252", "lowercase": False}, {"bytes": True}) == [
        "encoding has no effect with bytes: bytes are taken as they are"
    ]
    usual = TextConfig().to_dict()
    assert not told(usual, {"bytes": True})
    odd = {"encoding": "cp1252", "min_count": 2, "lowercase": True, "normalize": "NFC"}
    odd |= {"keep_line_ends": True}
    for name, value in odd.items():
        assert len(told(usual | {name: value}, {"bytes": True})) == 1
    patience = told({"patience": 3}, {"eval_every": 0, "val_fraction": 0.0})
    assert len(patience) == 2 and "eval_every 0" in patience[0]


def test_every_option_has_help_and_a_group():
    for command in (train, generate, evaluate):
        for option in options_of(command).values():
            assert option.help and option.help.endswith(".")
            assert option.name == "help" or option.group != "Other"
