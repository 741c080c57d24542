"""Who decides between plain texts and those under conditions."""

import numpy as np
import pytest

from char_rnn import CharRNN, SampleConfig, Vocabulary
from char_rnn.constrain.writer import ConstrainedWriter
from char_rnn.errors import UsageError
from char_rnn.generate.writer import Writer


@pytest.fixture
def model():
    return CharRNN(4, 8, vocabulary=Vocabulary("abc\n"), rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    "condition", [{"regex": "a+"}, {"words": ("a",)}, {"close": True}, {"max_copy": 9},
                  {"code": "python"}],
)  # fmt: skip
def test_what_keeps_no_conditions_refuses_them(model, condition):
    config = SampleConfig(5, **condition)
    with pytest.raises(UsageError, match="kept in a conversation"):
        model.session(config)
    with pytest.raises(UsageError, match="kept in a beam search"):
        model.search("a", config)


@pytest.mark.parametrize("ends", [{"lines": 2}, {"until_line_end": True}])
def test_a_beam_search_ends_in_few_ways(model, ends):
    with pytest.raises(UsageError, match="ends at its length"):
        model.search("a", SampleConfig(5, **ends))


def test_without_conditions_the_text_is_the_plain_one(model):
    parts = (model.parameters, model.vocabulary)
    plain, constrained = Writer(*parts), ConstrainedWriter(*parts)
    config, seeds = SampleConfig(40), ["a", "", "bc"]
    text = "".join(plain.write("ab", config, np.random.default_rng(1)))
    found = constrained.write("ab", config, np.random.default_rng(1))
    assert "".join(found) == text and len(text) == 40
    assert found.taken_back == 0 and not found.gave_up
    many = list(plain.write_many(seeds, config, np.random.default_rng(1)))
    assert list(constrained.write_many(seeds, config, np.random.default_rng(1))) == many
