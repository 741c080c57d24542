"""The reader at the door: what fits comes back, and what does not is one line that says where."""

import dataclasses
import math

import numpy as np
import pytest

from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.errors import CorruptFile
from char_rnn.storage.fields import (
    MOST_ITEMS,
    Maybe,
    boolean,
    choice,
    list_of,
    nullable,
    number,
    plain,
    read,
    record,
    settings,
    text,
    whole,
)

TREE = record({
    "name": text(5, 1), "at": whole(0, 9), "loss": nullable(number(0, 100)), "ok": boolean,
    "kind": choice("a", 1), "more": Maybe(list_of(number(), 0, 3), []),
    "inner": record({"x": whole(-5, 5)}),
})  # fmt: skip
GOOD = {"name": "abc", "at": 3, "loss": 1.5, "ok": True, "kind": 1, "inner": {"x": -5}}


def refused(kind, value):
    with pytest.raises(CorruptFile) as caught:
        read(kind, value, "some/file")
    message = str(caught.value)
    assert message.startswith("some/file: ") and message.isprintable() and len(message) < 600
    return message.removeprefix("some/file: ")


def test_what_fits_comes_back():
    assert read(TREE, GOOD | {"ignored": 1}, "f") == GOOD | {"more": []}
    assert read(TREE, GOOD | {"loss": None, "more": [1]}, "f")["more"] == [1.0]
    found = read(number(), 3, "f")
    assert (found, type(found)) == (3.0, float)
    assert read(number(), 10**300, "f") == 1e300


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "name is ''; expected a text of 1 to 5 characters"),
        ({"name": "a\x1b]0;\u202e" * 99}, r"name is 'a\x1b]0;\u202ea"),
        ({"name": None}, "name is None"),
        ({"name": b"abc"}, "name is a bytes"),
        ({"at": True}, "at is True; expected a whole number from 0 to 9"),
        ({"at": 3.0}, "at is 3.0"),
        ({"at": 10}, "at is 10"),
        ({"at": -1}, "at is -1"),
        ({"at": 10**400}, "at is a whole number of 1,329 bits"),
        ({"at": np.int64(3)}, "at is a int64"),
        ({"loss": math.nan}, "loss is nan; expected a number from 0 to 100"),
        ({"loss": math.inf}, "loss is inf"),
        ({"loss": True}, "loss is True"),
        ({"loss": "1"}, "loss is '1'"),
        ({"loss": np.ones(3)}, "loss is a ndarray"),
        ({"ok": 1}, "ok is 1; expected true or false"),
        ({"kind": True}, "kind is True; expected 'a' or 1"),
        ({"kind": []}, "kind is a list of 0"),
        ({"more": [1, None]}, "more[1] is None"),
        ({"more": [1] * 4}, "more is a list of 4; expected a list of 0 to 3"),
        ({"more": (1,)}, "more is a list of 1"),
        ({"inner": {"x": 6}}, "inner.x is 6; expected a whole number from -5 to 5"),
        ({"inner": {}}, "inner.x is missing"),
        ({"inner": [1]}, "inner is a list of 1; expected a record of x"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else "",
)
def test_what_does_not_fit_is_named(change, said):
    assert refused(TREE, GOOD | change).startswith(said)


def test_what_is_no_record_or_lacks_a_field():
    for value in (None, [], "x", 3, np.zeros(3)):
        assert refused(TREE, value).startswith("it is ")
    del (less := dict(GOOD))["ok"]
    assert refused(TREE, less).startswith("ok is missing")


def test_other_fields_are_left_out_refused_or_let_through():
    fields = {"a": whole()}
    assert read(record(fields), {"a": 1, "b": 2}, "f") == {"a": 1}
    assert read(record(fields, others=plain), {"a": 1, "b": [2]}, "f") == {"a": 1, "b": [2]}
    said = refused(record(fields, closed=True), {"a": 1, "../../victim": 0})
    assert said.startswith("'../../victim' is unknown; expected nothing but a")
    assert r"'\x1b[31m' is unknown" in refused(record(fields, closed=True), {"a": 1, "\x1b[31m": 0})
    refused(record(fields, others=plain), {"a": 1, 2: 3})


@pytest.mark.parametrize(
    "value",
    [math.nan, [0] * MOST_ITEMS, {"a": np.zeros(2)}, "a" * 5000, [[[[[[[[[[1]]]]]]]]]],
     {1: {2: b""}}, {"a" * 5000: 1}],
)  # fmt: skip
def test_plain_data_are_small_and_known(value):
    refused(plain, value)


def test_every_setting_has_a_type():
    """A new kind of annotation in a configuration needs a kind here."""
    for cls, config in ((ModelConfig, ModelConfig(3)), (TrainConfig, TrainConfig(minutes=1.5))):
        assert read(settings(cls), config.to_dict(), "f") == config
        for field in dataclasses.fields(cls):
            for nasty in ([], {}, b"", 10**400, math.nan, np.zeros(2), 1e400, (1,)):
                said = refused(settings(cls), config.to_dict() | {field.name: nasty})
                assert said.startswith(f"{field.name} is ")


def test_settings_are_complete_known_and_within_their_bounds():
    kind = record({"model": settings(ModelConfig)})
    assert read(kind, {"model": {"vocab_size": 3}}, "f")["model"] == ModelConfig(3)
    assert refused(kind, {"model": {}}).startswith("model.vocab_size is missing")
    said = refused(kind, {"model": {"vocab_size": 3, "more": 1}})
    assert said.startswith("model.more is unknown")
    said = refused(kind, {"model": {"vocab_size": 3, "hidden_size": 0}})
    assert said.startswith("model does not fit: hidden_size is 0; it must be at least 1")
    assert "unknown cell" in refused(kind, {"model": {"vocab_size": 3, "cell": "\x1b" * 900}})


def test_what_older_files_lack_can_differ_from_todays_default():
    kind = settings(TrainConfig, {"clip": 0.0})
    assert read(kind, {}, "f").clip == 0.0
    assert read(kind, {"clip": 1}, "f").clip == 1.0
