import numpy as np
import pytest

import char_rnn
from char_rnn import ByteVocabulary, CharRNN, Vocabulary, lab
from char_rnn.errors import TextNotFound, UsageError
from char_rnn.lab.experiment import Given
from char_rnn.lab.temperature import copied, known_text, measures, words_of, write

SMALL = {"temperatures": (0.3, 1.0, 1.7), "streams": 12, "length": 120, "own_words": 1}


def test_the_hotter_the_more_open_and_the_fewer_words_are_real():
    """Measured over 6 seeds, from one temperature to the next: entropy + 0.74 nats at the least,
    real words − 0.12, distinct pairs of words + 0.17 from 0.3 to 1, likeness − 0.07.
    """
    found = lab.run("temperature", seeds=1, processes=1, **SMALL)
    entropy, real, pairs, alike = (
        found.numbers[name][0] for name in ("entropy", "real_words", "distinct_pairs", "alike")
    )
    assert min(np.diff(entropy)) > 0.4
    assert max(np.diff(real)) < -0.05
    assert pairs[0] + 0.08 < pairs[1] <= pairs[2] + 0.02
    assert alike[0] > alike[1] + 0.03
    assert "copied" not in found.numbers
    chart = found.figure.chart()
    assert found.numbers["samples"]["1"] in chart and "T = 1:" in chart
    assert "4,320 other characters" in chart
    assert "From temperature 0.3 to 1.7" in found.found


def bias_model(vocabulary, log_p):
    model = CharRNN(vocabulary.size, 2, vocabulary=vocabulary)
    model.parameters.flat[:] = 0
    model.parameters["out.bias"] = log_p
    return model


@pytest.mark.parametrize("T", [0.5, 1.0, 2.0])
def test_it_draws_from_softmax_of_logits_over_temperature(T):
    p = np.array([0.1, 0.2, 0.7])
    texts, entropy = write(bias_model(Vocabulary("abc"), np.log(p)), T, 20, 100, 0)
    q = p ** (1 / T) / (p ** (1 / T)).sum()
    assert entropy == pytest.approx(-(q * np.log(q)).sum(), rel=1e-5)
    drawn = "".join(texts)
    assert len(drawn) == 2000
    # Four standard errors of 2,000 draws are less than 0.045.
    assert [drawn.count(c) / 2000 for c in "abc"] == pytest.approx(q.tolist(), abs=0.045)


def test_what_stands_for_rare_characters_is_never_drawn():
    model = bias_model(Vocabulary("abc", rare=True), [0, 0, 0, 9])
    texts, entropy = write(model, 1.0, 4, 50, 0)
    assert set("".join(texts)) == set("abc") and entropy == pytest.approx(np.log(3))


def test_models_of_bytes_and_documents_write_too():
    texts, _ = write(CharRNN(256, 4, vocabulary=ByteVocabulary()), 1.0, 2, 30, 0)
    assert len(texts) == 2
    vocabulary = Vocabulary("abc", documents="lines")
    texts, _ = write(CharRNN(4, 4, vocabulary=vocabulary), 1.0, 2, 30, 0)
    assert {len(text) for text in texts} == {30}


def test_measures():
    assert words_of("The cat's 3rd “Hat”, don’t cu") == ["the", "cat's", "rd", "hat", "don’t"]
    assert words_of("Done. ") == ["done"]
    found = measures(["a cat sat. ", "a cow sat. "], {"a", "cat", "sat"})
    assert found["real_words"] == pytest.approx(5 / 6)
    assert found["distinct_pairs"] == 1.0
    assert np.isnan(measures(["1 2 3"], set())["real_words"])
    text = "one two three four five six seven"
    assert copied([[text, "x" * len(text)], [text[:19] + "!", ""]], text) == [0.5, 0.0]


def test_which_text_is_known(tmp_path):
    text = "Some words for a model.\n" * 40
    (tmp_path / "words.txt").write_text(text)
    size = {"hidden_size": 4, "iterations": 2, "progress": False, "val_fraction": 0.1}
    run = char_rnn.train(tmp_path / "words.txt", out=tmp_path / "run", **size)
    assert known_text(Given()) is None
    assert known_text(Given(of_model=run.model)) is None
    assert known_text(Given(of_model=run)) == text
    assert known_text(Given(of_model=str(tmp_path / "run"))) == text
    assert known_text(Given(text="other\nwords", of_model=run)) == "other\nwords"
    found = lab.run(
        "temperature", model=run, seeds=2, temperatures=(1.0,), streams=2, length=30, processes=1
    )
    assert np.shape(found.numbers["copied"]) == (2, 1)
    assert "5 of the text it was trained on" in found.figure.chart()
    (tmp_path / "words.txt").unlink()
    assert known_text(Given(of_model=char_rnn.Run.open(tmp_path / "run"))) is None
    with pytest.raises(TextNotFound):
        known_text(Given(text=tmp_path / "words.txt", of_model=run))


def test_samples_are_shown_as_they_are():
    found = lab.run(
        "temperature",
        model=bias_model(Vocabulary("<&\n"), [0, 0, 0]),
        seeds=1,
        temperatures=(0.5, 3.0),
        streams=2,
        length=40,
        own_words=1,
        processes=1,
    )
    assert "&lt;" in found.page and "<&" not in found.page
    assert list(found.numbers["samples"]) == ["0.5"]
    assert "real words" not in found.found  # there are none


def test_a_temperature_of_zero_is_told():
    with pytest.raises(UsageError, match=r"temperatures are \(0, 1\.0\); each must be above 0"):
        lab.run("temperature", temperatures=(0, 1.0))


def test_a_model_without_a_vocabulary_is_told():
    with pytest.raises(UsageError, match="no vocabulary"):
        lab.run("temperature", model=CharRNN(3, 2), processes=1, **SMALL)
