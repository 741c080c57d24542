"""The exercise's own tests, its worked example with the right numbers, and what it got wrong."""

import math

import numpy as np
import pytest

from char_rnn.errors import NonFiniteGradient, TextTooShort, UnknownCharacters, UsageError
from char_rnn.exercise import (
    Vocabulary,
    backward,
    clip_gradients,
    cross_entropy_loss,
    forward,
    indices_to_one_hot,
    initialize_params,
    numerical_gradient,
    one_hot,
    rnn_step_forward,
    sample,
    sample_with_temperature,
    softmax,
    train,
)

NAMES = ["W_xh", "W_hh", "W_hy", "b_h", "b_y"]
CHI_SQUARE_4 = 18.47  # exceeded by chance once in 1,000 times, 4 degrees of freedom


def rng(seed=0):
    return np.random.default_rng(seed)


def lively_params(V, H, seed=0, scale=0.7):
    """Weights and biases large enough for every term of a gradient to matter."""
    draw = rng(seed)
    params = initialize_params(V, H, draw)
    return {name: scale * draw.standard_normal(value.shape) for name, value in params.items()}


def chi_square(counts, probs):
    expected = np.sum(counts) * np.asarray(probs)
    return np.sum((counts - expected) ** 2 / expected)


# Forward


def test_one_hot():
    np.testing.assert_array_equal(one_hot(3, 10), np.array([[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]]).T)
    columns = indices_to_one_hot([2, 0], 3)
    np.testing.assert_array_equal(np.hstack(columns).T, [[0, 0, 1], [1, 0, 0]])


def test_initialize_params():
    V, H = 40, 30
    params = initialize_params(V, H, rng())
    assert list(params) == NAMES
    shapes = [(H, V), (H, H), (V, H), (H, 1), (V, 1)]
    assert [value.shape for value in params.values()] == shapes
    for name in ("W_xh", "W_hh", "W_hy"):
        assert abs(np.std(params[name]) - 0.01) < 0.001
        assert abs(np.mean(params[name])) < 0.001
    assert not params["b_h"].any()
    assert not params["b_y"].any()
    again = initialize_params(V, H, rng())
    assert all(np.array_equal(params[name], again[name]) for name in NAMES)


def test_rnn_forward_shapes():
    vocab_size, hidden_size = 10, 5
    params = initialize_params(vocab_size, hidden_size)
    h_next, y, _ = rnn_step_forward(one_hot(3, vocab_size), np.zeros((hidden_size, 1)), **params)
    assert h_next.shape == (hidden_size, 1)
    assert y.shape == (vocab_size, 1)


def test_the_hidden_state_is_bounded_by_tanh():
    params = lively_params(6, 5, scale=100)
    h = np.zeros((5, 1))
    for x in indices_to_one_hot([0, 5, 3, 3, 1], 6):
        h, _, _ = rnn_step_forward(x, h, **params)
        assert np.all(np.abs(h) <= 1)


def test_forward_carries_the_state_through_every_step():
    params = lively_params(4, 3)
    h_init = rng(1).standard_normal((3, 1))
    inputs = indices_to_one_hot([1, 3, 0, 0], 4)
    outputs, h_final, caches = forward(inputs, h_init, params)
    first, h_middle, _ = forward(inputs[:1], h_init, params)
    rest, h_end, _ = forward(inputs[1:], h_middle, params)
    np.testing.assert_array_equal(outputs, first + rest)
    np.testing.assert_array_equal(h_final, h_end)
    assert len(caches) == len(outputs) == 4


# Softmax and loss


def test_softmax_is_over_the_whole_array_or_along_an_axis():
    y = rng().standard_normal((5, 1))
    np.testing.assert_allclose(softmax(y), np.exp(y) / np.exp(y).sum(), rtol=1e-14)
    batch = rng().standard_normal((2, 3, 5))
    probs = softmax(batch, axis=-1)
    for i in np.ndindex(2, 3):
        np.testing.assert_allclose(probs[i], softmax(batch[i]), rtol=1e-14)
    assert abs(softmax(batch).sum() - 1) < 1e-14


def test_softmax_is_stable():
    np.testing.assert_array_equal(softmax(np.array([[1e4], [-1e4], [1e4]])).T, [[0.5, 0, 0.5]])
    rows = np.array([[1e4, 0], [-1e4, -1e4]])
    np.testing.assert_array_equal(softmax(rows, axis=-1), [[1, 0], [0.5, 0.5]])


def test_cross_entropy_is_summed_over_the_steps():
    outputs = list(rng().standard_normal((3, 4, 1)))
    loss, probs = cross_entropy_loss(outputs, [2, 0, 3])
    expected = -sum(math.log(softmax(y)[k, 0]) for y, k in zip(outputs, [2, 0, 3], strict=True))
    assert abs(loss - expected) < 1e-13
    np.testing.assert_array_equal(probs, [softmax(y) for y in outputs])
    with pytest.raises(ValueError, match="zip"):
        cross_entropy_loss(outputs, [2, 0])


def test_cross_entropy_is_right_at_extreme_logits():
    y = np.array([[1e4], [-1e4], [0.0]])
    assert cross_entropy_loss([y], [0])[0] == 0
    assert cross_entropy_loss([y], [1])[0] == 2e4
    assert cross_entropy_loss([y], [2])[0] == 1e4
    assert cross_entropy_loss([np.full((8, 1), 1e4)], [5])[0] == pytest.approx(math.log(8), 1e-15)


def test_the_loss_is_that_of_certainty_without_a_floor():
    # log(p + 1e-8) would stop at 18.4 and make a sure prediction cost less than nothing
    assert cross_entropy_loss([np.array([[40.0], [0.0]])], [1])[0] == pytest.approx(40, 1e-15)
    assert cross_entropy_loss([np.array([[40.0], [0.0]])], [0])[0] >= 0


# Backward


def loss_of(params, h_init, indices, targets):
    V = len(params["b_y"])
    outputs, _, _ = forward(indices_to_one_hot(indices, V), h_init, params)
    return cross_entropy_loss(outputs, targets)[0]


def gradients_of(params, h_init, indices, targets):
    V = len(params["b_y"])
    outputs, _, caches = forward(indices_to_one_hot(indices, V), h_init, params)
    _, probs = cross_entropy_loss(outputs, targets)
    return backward(probs, targets, caches, params)


@pytest.mark.parametrize(
    ("indices", "targets"), [([3], [1]), ([3, 0, 1, 1, 0, 2], [0, 1, 1, 0, 2, 4])], ids=["T1", "T6"]
)
def test_gradient_check(indices, targets):
    params = lively_params(5, 4)
    h_init = rng(1).uniform(-1, 1, (4, 1))
    grads = gradients_of(params, h_init, indices, targets)
    assert list(grads) == NAMES
    for name in NAMES:
        numerical = numerical_gradient(
            lambda value, name=name: loss_of({**params, name: value}, h_init, indices, targets),
            params[name],
        )
        np.testing.assert_allclose(grads[name], numerical, rtol=1e-6, atol=1e-9, err_msg=name)

    # Character 3 is read at the first step alone, so its column of dW_xh is that step's dz,
    # and what leaves the window for h_init is W_hh.T @ dz.
    dh_init = params["W_hh"].T @ grads["W_xh"][:, [3]]
    numerical = numerical_gradient(lambda h: loss_of(params, h, indices, targets), h_init)
    np.testing.assert_allclose(dh_init, numerical, rtol=1e-6, atol=1e-9)


def test_backward_leaves_what_it_reads_as_it_was():
    params = lively_params(3, 2)
    outputs, _, caches = forward(indices_to_one_hot([0, 2], 3), np.ones((2, 1)), params)
    _, probs = cross_entropy_loss(outputs, [2, 1])
    first = backward(probs, [2, 1], caches, params)
    second = backward(probs, np.array([2, 1], dtype=np.int32), caches, params)
    assert all(np.array_equal(first[name], second[name]) for name in NAMES)


def test_numerical_gradient_is_central_and_leaves_x_alone():
    x = rng().standard_normal((2, 3))
    before = x.copy()
    # Central differences of a quadratic are exact but for rounding; one-sided ones err by epsilon.
    gradient = numerical_gradient(lambda v: float(np.sum(v**2)), x, epsilon=0.1)
    np.testing.assert_allclose(gradient, 2 * x, atol=1e-13)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_allclose(numerical_gradient(lambda v: v[0] ** 3, np.array([2])), [12])


# The worked example: "ab" → "b ", a = 0, b = 1, ' ' = 2, with the right numbers

EXAMPLE = {
    "W_xh": np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]),
    "W_hh": np.array([[0.1, 0.2], [0.3, 0.4]]),
    "W_hy": np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]),
    "b_h": np.zeros((2, 1)),
    "b_y": np.zeros((3, 1)),
}


def assert_close(array, literal):
    np.testing.assert_allclose(array, literal, rtol=0, atol=5e-5)


def test_worked_example_forward():
    outputs, h, _ = forward(indices_to_one_hot([0], 3), np.zeros((2, 1)), EXAMPLE)
    loss, probs = cross_entropy_loss(outputs, [1])
    assert_close(h.T, [[0.0997, 0.3799]])
    assert_close(outputs[0].T, [[0.0860, 0.1819, 0.2778]])
    assert_close(probs[0].T, [[0.3019, 0.3323, 0.3658]])
    assert_close(loss, 1.1017)


def test_worked_example_backward():
    # By hand, for 'a' → 'b':
    #   dy = p − [0, 1, 0]    = [0.3019, −0.6677, 0.3658]
    #   dh = W_hy.T dy        = [0.03019 − 0.20031 + 0.18288, 0.06038 − 0.26707 + 0.21946]
    #                         = [0.01277, 0.01277], equal because the columns of W_hy differ by a
    #                           constant 0.1 and dy sums to 0
    #   dz = dh · (1 − h²)    = 0.01277 · [0.99007, 0.85564] = [0.01264, 0.01093]
    grads = gradients_of(EXAMPLE, np.zeros((2, 1)), [0], [1])
    dy = grads["b_y"]  # one step: db_y = dy
    assert_close(dy.T, [[0.3019, -0.6677, 0.3658]])
    assert_close(grads["W_hy"], [[0.0301, 0.1147], [-0.0665, -0.2537], [0.0365, 0.1390]])
    dz = grads["b_h"]  # one step: db_h = dz
    np.testing.assert_allclose(dz.T, [[0.012643, 0.010927]], atol=5e-7)
    dh = dz / (1 - np.array([[0.099668], [0.379949]]) ** 2)
    np.testing.assert_allclose(dh.T, [[0.012770, 0.012770]], atol=5e-7)
    np.testing.assert_allclose(
        grads["W_xh"], [[0.012643, 0, 0], [0.010927, 0, 0]], rtol=0, atol=5e-7
    )
    np.testing.assert_array_equal(grads["W_hh"], np.zeros((2, 2)))  # h_0 is zero


def test_worked_example_to_its_end():
    # Both steps, 'a' → 'b' and 'b' → ' ', as an automatic differentiation gives them
    h_0 = np.zeros((2, 1))
    assert_close(loss_of(EXAMPLE, h_0, [0, 1], [1, 2]), 2.0362)
    grads = gradients_of(EXAMPLE, h_0, [0, 1], [1, 2])
    assert_close(grads["W_xh"], [[-0.0376, -0.1632, 0], [-0.0563, -0.1147, 0]])
    assert_close(grads["W_hh"], [[-0.0163, -0.0620], [-0.0114, -0.0436]])
    assert_close(grads["W_hy"], [[0.1073, 0.2790], [0.0253, -0.0581], [-0.1326, -0.2209]])
    assert_close(grads["b_h"].T, [[-0.2008, -0.1710]])
    assert_close(grads["b_y"].T, [[0.5791, -0.3377, -0.2414]])


# Clipping


@pytest.mark.parametrize("container", [dict, list, tuple])
def test_clip_gradients_scales_in_place(container):
    a, b = np.array([[3.0, 0.0]]), np.array([[0.0], [4.0]])
    grads = {"a": a, "b": b} if container is dict else container([a, b])
    same, norm = clip_gradients(grads, max_norm=1.0)
    assert same is grads
    assert norm == 5
    np.testing.assert_allclose(a, [[0.6, 0]], rtol=1e-15)
    np.testing.assert_allclose(b, [[0], [0.8]], rtol=1e-15)


def test_clip_gradients_leaves_small_ones_alone():
    a = np.array([3.0, 4.0])
    assert clip_gradients([a])[1] == 5  # the limit itself is allowed
    np.testing.assert_array_equal(a, [3, 4])
    assert clip_gradients([a], max_norm=math.inf)[1] == 5
    assert clip_gradients([np.zeros(3), np.zeros((0, 2))])[1] == 0
    assert clip_gradients({})[1] == 0


def test_clip_gradients_does_not_overflow():
    huge = np.array([3e200, 4e200])
    assert clip_gradients([huge], 5.0)[1] == pytest.approx(5e200)
    np.testing.assert_allclose(huge, [3, 4])
    single = np.array([3e30, 4e30], dtype=np.float32)
    assert clip_gradients([single], 5.0)[1] == pytest.approx(5e30)
    np.testing.assert_allclose(single, [3, 4], rtol=1e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_clip_gradients_refuses_what_is_not_finite(bad):
    a, b = np.array([100.0, 200.0]), np.array([bad, 1.0])
    for grads in ([a, b], [b, a], {"a": a, "b": b}):
        with pytest.raises(NonFiniteGradient):
            clip_gradients(grads)
    np.testing.assert_array_equal(a, [100, 200])
    np.testing.assert_array_equal(b, [bad, 1])
    with pytest.raises(NonFiniteGradient):  # finite elements, but their norm is not
        clip_gradients([np.full(4, 1.5e308)])


@pytest.mark.parametrize("limit", [0, -1, math.nan])
def test_clip_gradients_needs_a_limit(limit):
    with pytest.raises(UsageError, match="max_norm"):
        clip_gradients([np.ones(2)], limit)


# Drawing

PROBS = np.array([0.4, 0.3, 0.15, 0.1, 0.05])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_definition(temperature):
    draw = rng(3)
    draws = [sample_with_temperature(PROBS, temperature, draw) for _ in range(5_000)]
    expected = PROBS ** (1 / temperature)
    counts = np.bincount(draws, minlength=5)
    assert chi_square(counts, expected / expected.sum()) < CHI_SQUARE_4


def test_temperature_extremes():
    draw = rng(4)
    assert {sample_with_temperature(PROBS, 0, draw) for _ in range(20)} == {0}
    assert {sample_with_temperature(PROBS, 1e-6, draw) for _ in range(20)} == {0}
    assert {sample_with_temperature(PROBS, 5e-324, draw) for _ in range(20)} == {0}
    hot = [sample_with_temperature(PROBS, 1e6, draw) for _ in range(5_000)]
    assert chi_square(np.bincount(hot, minlength=5), np.full(5, 0.2)) < CHI_SQUARE_4


def test_draws_are_reproducible_and_typed():
    first, second = rng(7), rng(7)
    column = PROBS.reshape(5, 1)
    a = [sample_with_temperature(PROBS, 1.5, first) for _ in range(30)]
    b = [sample_with_temperature(column, 1.5, second) for _ in range(30)]
    assert a == b
    assert len(set(a)) > 1
    assert {type(index) for index in a} == {int}
    assert type(sample_with_temperature(PROBS, 0)) is int


@pytest.mark.parametrize("temperature", [0, 1e-6, 1.0, 1e6])
def test_a_probability_of_zero_is_never_drawn(temperature):
    probs = np.array([0.0, 0.5, 0.0, 1e-300, 0.5, 0.0])
    draw = rng(5)
    drawn = {sample_with_temperature(probs, temperature, draw) for _ in range(1_000)}
    assert drawn == ({1} if temperature == 0 else {1, 3, 4} if temperature == 1e6 else {1, 4})


def test_tiny_probabilities_keep_their_order():
    # probs + 1e-8 would make these three equal
    tiny = np.array([1e-20, 1e-30, 1e-300])
    assert {sample_with_temperature(tiny, 1.0, rng(i)) for i in range(100)} == {0}


@pytest.mark.parametrize("temperature", [-1, -1e-9, math.nan, math.inf])
def test_a_wrong_temperature_is_refused(temperature):
    with pytest.raises(UsageError, match="temperature"):
        sample_with_temperature(PROBS, temperature)


@pytest.mark.parametrize("probs", [[0.5, math.nan], [1.5, -0.5], [0.0, 0.0], [math.inf, 1.0], []])
@pytest.mark.parametrize("temperature", [0, 1.0])
def test_what_is_no_distribution_is_refused(probs, temperature):
    with pytest.raises(UsageError, match="probabilities"):
        sample_with_temperature(np.array(probs), temperature)


# Training and generating


def test_train_learns_to_alternate():
    reports = []
    params, vocab = train(
        "ab" * 500, hidden_size=16, iterations=1_000, rng=rng(), report=reports.append
    )
    assert [vocab.idx_to_char[i] for i in range(2)] == ["a", "b"]
    assert [r.iteration for r in reports] == list(range(1_000))
    assert reports[0].loss == pytest.approx(25 * math.log(2), rel=1e-3)
    assert reports[-1].loss < 0.25  # 0.01 nats a character
    text = sample(params, vocab, np.zeros((16, 1)), 200, seed="a", rng=rng())
    assert text == "ab" * 100 + "a"


def test_train_learns_hello():
    params, vocab = train("hello hello hello", hidden_size=32, iterations=400, rng=rng())
    text = sample(params, vocab, np.zeros((32, 1)), 2, temperature=0, seed="hel")
    assert text == "hello"


@pytest.mark.parametrize(("text", "T"), [("abcab", 2), ("a" * 30 + "b", 15)], ids=["", "clipped"])
def test_train_is_min_char_rnn(text, T):
    # Two windows fit exactly and the third goes back to the start: the same, written out once more
    assert len(text) == 2 * T + 1
    H, lr, reports = 3, 0.1, []
    params, vocab = train(text, H, T, lr, 3, rng(2), reports.append)
    data = vocab.encode(text)
    expected = initialize_params(vocab.size, H, rng(2))
    mem = dict.fromkeys(NAMES, 0.0)
    for report, start in zip(reports, [0, T, 0], strict=True):
        if start == 0:
            h = np.zeros((H, 1))
        indices, targets = data[start : start + T], data[start + 1 : start + 1 + T]
        assert report.loss == pytest.approx(loss_of(expected, h, indices, targets), rel=1e-12)
        grads = gradients_of(expected, h, indices, targets)
        _, h, _ = forward(indices_to_one_hot(indices, vocab.size), h, expected)
        np.testing.assert_allclose(report.h, h, rtol=1e-12)
        norm = math.sqrt(sum(float(np.sum(g**2)) for g in grads.values()))
        assert report.grad_norm == pytest.approx(norm, rel=1e-12)
        for name, g in grads.items():
            clipped = g * min(1, 5 / norm)
            mem[name] = mem[name] + clipped**2
            expected[name] = expected[name] - lr * clipped / (np.sqrt(mem[name]) + 1e-8)
    assert (reports[0].grad_norm > 5) == (T == 15)
    for name in NAMES:
        np.testing.assert_allclose(params[name], expected[name], rtol=1e-9, err_msg=name)


def test_train_takes_short_texts_and_refuses_shorter_ones():
    params, vocab = train("ab", hidden_size=3, iterations=2, rng=rng())
    assert vocab.size == 2
    assert params["W_xh"].shape == (3, 2)
    for text in ("", "a"):
        with pytest.raises(TextTooShort):
            train(text, iterations=1)
    with pytest.raises(UsageError, match="seq_length"):
        train("abc", seq_length=0, iterations=1)


def test_sample_feeds_every_seed_character_once():
    vocab = Vocabulary("abcde")
    params = lively_params(5, 4, seed=1, scale=1.5)
    h_0 = rng(1).uniform(-1, 1, (4, 1))

    def next_probs(fed):
        outputs, _, _ = forward(indices_to_one_hot(vocab.encode(fed), 5), h_0, params)
        return softmax(outputs[-1]).ravel()

    draw = rng(9)
    texts = [sample(params, vocab, h_0, 1, seed="bad", rng=draw) for _ in range(2_000)]
    assert {text[:3] for text in texts} == {"bad"}
    assert {len(text) for text in texts} == {4}
    counts = np.bincount([vocab.char_to_idx[text[3]] for text in texts], minlength=5)
    assert chi_square(counts, next_probs("bad")) < CHI_SQUARE_4
    assert chi_square(counts, next_probs("badd")) > 10 * CHI_SQUARE_4  # as the exercise has it
    assert chi_square(counts, next_probs("ba")) > 10 * CHI_SQUARE_4


def test_sample_feeds_back_what_it_drew():
    vocab = Vocabulary("abcde")
    params = lively_params(5, 4, seed=3, scale=1.5)
    text, h = "ca", np.zeros((4, 1))
    generated = sample(params, vocab, h, 12, temperature=0, seed=text)
    for _ in range(12):
        outputs, _, _ = forward(indices_to_one_hot(vocab.encode(text), 5), h, params)
        text += vocab.idx_to_char[int(np.argmax(outputs[-1]))]
    assert generated == text
    assert len(set(text)) > 2
    np.testing.assert_array_equal(h, np.zeros((4, 1)))


def test_sample_without_a_seed_starts_anywhere():
    vocab = Vocabulary("abc")
    params = lively_params(3, 2)
    h = np.zeros((2, 1))
    texts = [sample(params, vocab, h, 4, rng=rng(i)) for i in range(30)]
    assert {text[0] for text in texts} == set("abc")
    assert {len(text) for text in texts} == {5}
    assert texts == [sample(params, vocab, h, 4, rng=rng(i)) for i in range(30)]
    assert sample(params, vocab, h, 0, seed="ab") == "ab"


def test_sample_refuses_unknown_characters():
    with pytest.raises(UnknownCharacters):
        sample(lively_params(3, 2), Vocabulary("abc"), np.zeros((2, 1)), 1, seed="axb")


def test_global_random_state_is_left_alone():
    np.random.seed(0)
    first = np.random.random(2)
    np.random.seed(0)
    params, vocab = train("abcabc", hidden_size=2, iterations=2)
    sample(params, vocab, np.zeros((2, 1)), 5)
    sample_with_temperature(PROBS)
    np.testing.assert_array_equal(np.random.random(2), first)
