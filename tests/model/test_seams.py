"""Where others build: a loss of their own between forward and backward; and what is inside."""

import numpy as np
import pytest
from reference import cell_class, plain_name

import char_rnn
from char_rnn import ByteVocabulary, CharRNN, Vocabulary, cross_entropy
from char_rnn.errors import UsageError
from char_rnn.model import states as reading
from char_rnn.model.loss import log_softmax
from char_rnn.model.parameters import Parameters
from char_rnn.training.clipping import clip_by_norm
from char_rnn.training.optimisers import Adam

V, H, T, B = 7, 5, 6, 3
CELLS = [("rnn", False), ("lstm", False), ("gru", False), ("gru", True)]
EVERY_CELL = pytest.mark.parametrize(("cell", "reset_after"), CELLS)


def make(cell="gru", reset_after=False, layers=2, dtype=np.float64, **settings):
    """Return a model whose every parameter is well away from zero."""
    rng = np.random.default_rng(0)
    model = CharRNN(V, H, cell, layers, reset_after, dtype, rng, **settings)
    for parameter in model.parameters.values():
        parameter += 0.3 * rng.standard_normal(parameter.shape)
    return model


def window(seed=1):
    return np.random.default_rng(seed).integers(V, size=(2, T, B))


def parts_of(state):
    return state if isinstance(state, tuple) else (state,)


def smoothed(logits, targets, share=0.1):
    """Label smoothing by hand: the mean of −Σ q log p, and its gradient (p − q) / count."""
    q = (1 - share) * np.eye(V)[targets] + share / V
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return -(q * np.log(p)).sum() / targets.size, (p - q) / targets.size


def differences(model, loss, epsilon=1e-6):
    """Return the central differences of `loss()` for every number of the model."""
    flat = model.parameters.flat
    found = np.empty_like(flat)
    for k in range(flat.size):
        kept = flat[k]
        flat[k] = kept + epsilon
        above = loss()
        flat[k] = kept - epsilon
        below = loss()
        flat[k] = kept
        found[k] = (above - below) / (2 * epsilon)
    return found


@EVERY_CELL
def test_a_loss_of_ones_own_has_exact_gradients(cell, reset_after):
    model = make(cell, reset_after, initial_state="learned")
    inputs, targets = window()
    for _ in range(2):  # stale buffers hide in the first call
        _, d_logits = smoothed(model.forward(inputs)[0], targets)
        gradients = model.backward(d_logits)
    expected = differences(model, lambda: smoothed(model.forward(inputs)[0], targets)[0])
    np.testing.assert_allclose(gradients.flat, expected, rtol=1e-5, atol=1e-8)
    assert gradients["h0"].any()


@EVERY_CELL
def test_a_loss_on_the_hidden_states_has_exact_gradients(cell, reset_after):
    """A penalty on activations and on their changes in time (Merity et al. 2017)."""
    model = make(cell, reset_after)
    inputs, targets = window()

    def forward():
        logits, _ = model.forward(inputs)
        loss, d_logits = cross_entropy(logits, targets)
        h = model.hidden
        assert h.shape == (T, B, H)
        loss += (h**2).sum() + ((h[1:] - h[:-1]) ** 2).sum()
        d_hidden = 2 * h
        d_hidden[1:] += 2 * (h[1:] - h[:-1])
        d_hidden[:-1] -= 2 * (h[1:] - h[:-1])
        return loss, d_logits, d_hidden

    _, d_logits, d_hidden = forward()
    gradients = model.backward(d_logits, d_hidden)
    expected = differences(model, lambda: forward()[0])
    np.testing.assert_allclose(gradients.flat, expected, rtol=1e-5, atol=1e-7)
    # The short form takes it too.
    forward()
    _, again = model.backward(targets, d_hidden)
    np.testing.assert_array_equal(again.flat, gradients.flat)


@EVERY_CELL
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layers", [1, 2])
def test_cross_entropy_is_the_loss_of_the_short_form_to_the_bit(cell, reset_after, dtype, layers):
    model = make(cell, reset_after, layers, dtype)
    inputs, targets = window()
    logits, _ = model.forward(inputs)
    loss, gradients = model.backward(targets)
    state_gradient = parts_of(model.state_gradient)
    model.forward(inputs)
    own_loss, d_logits = cross_entropy(logits, targets)
    own = model.backward(d_logits)
    assert own_loss == loss and d_logits.dtype == logits.dtype
    np.testing.assert_array_equal(own.flat, gradients.flat)
    for a, b in zip(state_gradient, parts_of(model.state_gradient), strict=True):
        np.testing.assert_array_equal(a, b)


def test_cross_entropy_by_hand_at_any_shape_and_extreme_logits():
    logits = np.array([[1e4, -1e4, 0.0], [0.0, 0.0, 0.0]])
    kept = logits.copy()
    loss, d_logits = cross_entropy(logits, [1, 2])
    assert loss == pytest.approx((2e4 + np.log(3)) / 2)
    np.testing.assert_allclose(d_logits, [[0.5, -0.5, 0], [1 / 6, 1 / 6, -1 / 3]], atol=1e-12)
    np.testing.assert_array_equal(logits, kept)
    np.testing.assert_array_equal(log_softmax(logits)[0], [0, -2e4, -1e4])

    logits = np.random.default_rng(0).normal(size=(4, 3, 2, V))
    targets = np.random.default_rng(1).integers(V, size=(4, 3, 2)).astype(np.uint8)
    loss, d_logits = cross_entropy(logits, targets)
    log_p = log_softmax(logits)
    np.testing.assert_allclose(np.exp(log_p).sum(axis=-1), 1)
    assert loss == pytest.approx(-log_p.reshape(-1, V)[np.arange(24), targets.ravel()].mean())
    np.testing.assert_allclose(d_logits, (np.exp(log_p) - np.eye(V)[targets]) / 24, atol=1e-15)
    assert cross_entropy(logits[0, 0, 0].astype(np.float16), 1)[1].dtype == np.float32
    assert cross_entropy([[0, 0]], [1])[0] == pytest.approx(np.log(2))
    assert char_rnn.cross_entropy is cross_entropy


def test_gradients_go_into_clipping_and_steps_as_they_are():
    model = make(dtype=np.float32)
    inputs, targets = window()
    logits, _ = model.forward(inputs)
    gradients = model.backward(cross_entropy(logits, targets)[1])
    assert isinstance(gradients, Parameters) and gradients.config == model.config
    assert list(gradients) == list(model.parameters)
    before = gradients.flat.copy()
    norm = clip_by_norm(gradients, 0.01)
    assert norm > 0.01 and np.linalg.norm(gradients.trained) == pytest.approx(0.01, rel=1e-4)
    weights = model.parameters.flat.copy()
    Adam().step(model.parameters, gradients, 0.01)
    assert 0 < np.abs(model.parameters.trained - weights[: gradients.trained.size]).max() < 0.011
    # They are the caller's own: the next backward leaves them alone, and does not see the clipping.
    kept = gradients.flat.copy()
    model.parameters.flat[:] = weights
    model.forward(inputs)
    _, again = model.backward(targets)
    np.testing.assert_array_equal(gradients.flat, kept)
    np.testing.assert_allclose(again.flat, before, rtol=1e-4, atol=1e-6)


def test_hidden_is_the_callers_own():
    model = make()
    inputs, targets = window()
    with pytest.raises(UsageError, match="forward"):
        _ = model.hidden
    logits, state = model.forward(inputs)
    hidden = model.hidden
    np.testing.assert_array_equal(hidden[-1], state[-1])
    expected = hidden @ model.parameters["out.weight"].T + model.parameters["out.bias"]
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-12)
    hidden[:] = 7
    assert not (model.hidden == 7).any()
    model.backward(targets)
    assert model.hidden.shape == (T, B, H)


LOGITS = np.zeros((T, B, V))
MISTAKES = {
    "targets of another shape": (lambda m: m.backward([1, 2, 3]), r"targets have the shape \(3, 1"),
    "targets that are no ids": (lambda m: m.backward([[0.5]]), "whole numbers"),
    "targets beyond the vocabulary": (lambda m: m.backward(np.full((T, B), V)), "from 7 to 7"),
    "d_logits of another shape": (lambda m: m.backward(LOGITS[:, :, 1:]), r"\(T, B, V\) = \(6, 3"),
    "d_logits without their time": (lambda m: m.backward(LOGITS[0]), "d_logits has the shape"),
    "d_hidden of another shape": (lambda m: m.backward(LOGITS, LOGITS), r"\(T, B, H\) = \(6, 3, 5"),
    "d_hidden of words": (lambda m: m.backward(LOGITS, "abc"), "d_hidden has the shape"),
    "d_hidden in rows": (lambda m: m.backward(LOGITS, [[1], [1, 2]]), "different lengths"),
    "targets of other logits": (lambda m: cross_entropy(LOGITS, [1, 2]), r"they need \(6, 3\)"),
    "targets that are high": (lambda m: cross_entropy(LOGITS, np.full((T, B), V)), "0 and 6"),
    "targets of parts": (lambda m: cross_entropy(LOGITS, np.full((T, B), 0.5)), "whole numbers"),
    "logits of words": (lambda m: cross_entropy("abc", 1), "logits have the shape"),
    "logits of nothing": (lambda m: cross_entropy(np.zeros((0, 3)), []), "logits have the shape"),
    "a text without a vocabulary": (lambda m: m.states("abc"), "vocabulary"),
    "no ids": (lambda m: m.states([]), "at least one"),
    "ids that are high": (lambda m: m.surprisal([1, V]), "from 1 to 7"),
    "ids with too many axes": (lambda m: m.states(np.zeros((1, 1, 1), int)), r"\(1, 1, 1\)"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told_in_one_line(name):
    call, said = MISTAKES[name]
    model = make()
    model.forward(window()[0])
    with pytest.raises(UsageError, match=said) as error:
        call(model)
    assert "\n" not in str(error.value)
    model.backward(LOGITS)  # a mistake costs nothing: the forward still waits
    with pytest.raises(UsageError, match=r"call forward\(inputs\) first"):
        model.backward(LOGITS)


# Reading what is inside.


@EVERY_CELL
@pytest.mark.parametrize("layers", [1, 2])
def test_states_are_those_of_single_steps(cell, reset_after, layers, monkeypatch):
    monkeypatch.setattr(reading, "WINDOW", 4)  # so that the text is longer than one
    model = make(cell, reset_after, layers, initial_state="learned")
    ids, _ = window()
    found = parts_of(model.states(ids))
    state, steps = None, []
    for row in ids:
        _, state = model.forward(row[None], state)
        steps.append(parts_of(state))
    for part, expected in zip(found, zip(*steps, strict=True), strict=True):
        assert part.shape == (T, layers, B, H)
        np.testing.assert_allclose(part, np.stack(expected), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(parts_of(model.states(ids[:, 0]))[0].shape, (T, layers, 1, H))


@EVERY_CELL
@pytest.mark.parametrize("layers", [1, 2])
def test_gates_are_those_of_the_slow_reference(cell, reset_after, layers, monkeypatch):
    monkeypatch.setattr(reading, "WINDOW", 4)
    model = make(cell, reset_after, layers)
    ids, _ = window()
    state, gates = model.states(ids, gates=True)
    slow = {plain_name(name): value for name, value in model.parameters.items()}
    kind = cell_class(cell, reset_after)
    assert len(gates) == len(kind.gates)
    h = np.eye(V)[ids]
    for k in range(layers):
        parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        layer = kind(*(slow[f"rnn.{part}_l{k}"] for part in parts))
        h, _ = layer.forward(h, tuple(np.zeros((B, H)) for _ in kind.states))
        np.testing.assert_allclose(parts_of(state)[0][:, k], h, rtol=0, atol=1e-12)
        for t, (_, _, values) in enumerate(layer.steps):
            of_step = {"h": values} if cell == "rnn" else dict(zip(gates, values, strict=False))
            for name, value in of_step.items():
                assert gates[name].shape == (T, layers, B, H)
                np.testing.assert_allclose(gates[name][t, k], value, rtol=0, atol=1e-12)
    assert tuple(gates) == {"rnn": ("h",)}.get(cell, kind.gates)
    for name in {"lstm": "ifo", "gru": "rz"}.get(cell, ""):
        assert gates[name].min() > 0 and gates[name].max() < 1


def spoken(text="abc\nefg", **settings):
    return make(vocabulary=Vocabulary(text), **settings)


def test_texts_are_read_one_or_several():
    model = spoken()
    ids = model.vocabulary.encode("cabbage"[:4])
    one = model.states("cabb")
    np.testing.assert_array_equal(one, model.states(ids))
    both = model.states(["cabb", "face"])
    assert both.shape == (4, 2, 2, H)
    np.testing.assert_allclose(both[:, :, 0], one[:, :, 0], rtol=0, atol=1e-12)
    nats = model.surprisal(["cabb", "face"])
    assert nats.shape == (4, 2)
    np.testing.assert_allclose(nats[:, 1], model.surprisal("face"), rtol=0, atol=1e-12)
    for wrong, said in (
        (["ab", "abc"], "2 to 3 long"), ("", "empty"), ("xyz", "'x', 'y', 'z'"), (b"ab", "a text"),
        (["ab", 3], "a text"), (None, "ids have"),
    ):  # fmt: skip
        for call in (model.states, model.surprisal):
            with pytest.raises(UsageError, match=said) as error:
                call(wrong)
            assert "\n" not in str(error.value)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_surprisal_is_forward_and_cross_entropy(dtype, monkeypatch):
    monkeypatch.setattr(reading, "WINDOW", 4)
    model = spoken(dtype=dtype)
    text = "cabbage"
    ids = model.vocabulary.encode("\n" + text)
    logits, _ = model.forward(ids[:-1])
    nats = model.surprisal(text)
    assert nats.shape == (7,) and nats.dtype == np.float64
    expected = [
        cross_entropy(y, target)[0] for y, target in zip(logits[:, 0], ids[1:], strict=True)
    ]
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(nats, expected, rtol=0, atol=tolerance)
    assert nats.mean() == pytest.approx(cross_entropy(logits[:, 0], ids[1:])[0], abs=tolerance)
    # As a beam search counts what it writes without a seed.
    best = model.search("", char_rnn.SampleConfig(length=3), width=50)[0]
    assert model.surprisal(best.text).sum() == pytest.approx(-best.log_probability, abs=1e-5)


def test_without_a_line_end_the_first_character_may_be_any():
    model = spoken("abcdefg")
    logits, _ = model.forward(model.vocabulary.encode("ca"))
    nats = model.surprisal("cab")
    expected = -log_softmax(logits[:, 0])[[0, 1], [0, 1]]
    np.testing.assert_allclose(nats, [np.log(V), *expected], rtol=0, atol=1e-12)
    assert model.surprisal("a").tolist() == [np.log(V)]
    assert make().surprisal([3]).tolist() == [np.log(V)]


def test_bytes_are_read_by_models_of_bytes():
    model = CharRNN(256, H, vocabulary=ByteVocabulary(), rng=np.random.default_rng(0))
    np.testing.assert_array_equal(model.states("é"), model.states("é".encode()))
    assert model.surprisal(b"\xc3\xff").shape == (2,)
    start = model.forward([10])[0][0, 0]
    assert model.surprisal(b"\xff")[0] == pytest.approx(cross_entropy(start, 255)[0])
    with pytest.raises(UsageError, match="one length"):
        model.states(["é", "e"])


def test_reading_disturbs_no_forward_that_waits():
    model = spoken()
    inputs, targets = window()
    model.forward(inputs)
    _, expected = model.backward(targets)
    model.forward(inputs)
    model.states("abc", gates=True)
    model.surprisal("cab")
    _, gradients = model.backward(targets)
    np.testing.assert_array_equal(gradients.flat, expected.flat)


def test_a_model_says_what_it_is():
    model = CharRNN(65, 32, "lstm", 2)
    sizes = (model.vocab_size, model.hidden_size, model.cell, model.layers)
    assert sizes == (65, 32, "lstm", 2)
    count = f"{model.num_parameters:_}"
    assert (
        repr(model)
        == str(model)
        == (f"CharRNN(cell=lstm, layers=2, hidden_size=32, vocab_size=65, parameters={count})")
    )
