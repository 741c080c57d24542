"""A network that reads the end of a document begins anew: nothing crosses the border."""

import copy
import dataclasses
import pickle
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import CELLS

from char_rnn import CharRNN, Vocabulary
from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.errors import CorruptFile, UsageError
from char_rnn.model import states as reading
from char_rnn.model.network import Network
from char_rnn.model.parameters import STATE_NAMES, Parameters
from char_rnn.model.stepper import Stepper
from char_rnn.training.dropout import Dropout
from char_rnn.training.parallel import Workers

V, H, T, B = 6, 4, 6, 4
END = 4
EVERY_CELL = pytest.mark.parametrize(("cell", "reset_after"), CELLS)
EXACTLY = {"rtol": 0, "atol": 1e-12}


def made(cell="gru", reset_after=False, layers=2, dtype="float64", **more):
    """Return the weights of a network that ends documents, all of them well away from zero."""
    config = ModelConfig(V, H, cell, layers, reset_after, dtype=dtype, end=END, **more)
    parameters = Parameters(config)
    parameters.flat[:] = 0.5 * np.random.default_rng(0).standard_normal(parameters.flat.size)
    return parameters


def endless(parameters):
    """Return a network with the same weights that never begins anew: what there was before."""
    config = dataclasses.replace(parameters.config, end=None)
    return Network(Parameters(config, parameters.flat))


def windows():
    """Return windows of ids (T, B): ends at random, at all places, at the border, and nowhere."""
    rng = np.random.default_rng(1)
    none = rng.integers(END, size=(T, B))
    found = [rng.integers(V, size=(T, B)), none, np.where(rng.random((T, B)) < 0.4, END, none)]
    for rows in (slice(0, 1), slice(2, 4), slice(T - 1, T), slice(None)):  # all streams at once
        found.append(none.copy())
        found[-1][rows] = END
    one = none.copy()
    one[3, 1] = END
    return [*found, none, one]


class Slow:
    """A window as documents, each of which is read alone, from its own beginning."""

    def __init__(self, parameters, ids, state, began, targets, d_hidden, masks=None):
        network = endless(parameters)
        shape = (network.cell.states, len(ids), *state.shape[1:])
        self.logits, self.nats = np.zeros((*ids.shape, V)), np.zeros(ids.shape)
        self.states, self.d_state = np.zeros(shape), np.zeros_like(state)
        self.gradients = np.zeros_like(parameters.flat)
        for b, column in enumerate(ids.T):
            bounds = [0, *np.flatnonzero(column == END), len(ids)]
            for start, stop in pairwise(bounds):
                if start == stop:  # the window begins with an end
                    continue
                anew = column[start] == END
                first = network.initial_state(1) if anew else state[:, :, b : b + 1]
                part = slice(start, stop), slice(b, b + 1)
                mask = None if masks is None else masks[:, b : b + 1]
                self.logits[part] = network.forward(ids[part], first, mask)
                for k, layer in enumerate(network.layers):
                    self.states[:, part[0], k, b] = layer.after[:, :, 0]
                network.backward(targets[part], ids.size, anew | began[part[1]], d_hidden[part])
                self.nats[part] = network.last_nats
                self.gradients += network.gradients.flat
                if not anew:
                    self.d_state[:, :, b] = network.d_state[:, :, 0]


def check_window(network, ids, seed, masks=None):
    """Hold that `network` finds in a window what its documents have, read one by one."""
    rng = np.random.default_rng(seed)
    targets, began = rng.integers(V, size=ids.shape), rng.random(ids.shape[1]) < 0.5
    state = rng.standard_normal(network.initial_state(ids.shape[1]).shape)
    d_hidden = rng.standard_normal((*ids.shape, H))
    slow = Slow(network.parameters, ids, state, began, targets, d_hidden, masks)
    np.testing.assert_allclose(network.forward(ids, state, masks), slow.logits, **EXACTLY)
    for k, layer in enumerate(network.layers):
        np.testing.assert_allclose(layer.after, slow.states[:, :, k], **EXACTLY)
    np.testing.assert_allclose(network.state(), slow.states[:, -1], **EXACTLY)
    loss = network.backward(targets, None, began, d_hidden)
    np.testing.assert_allclose(network.last_nats, slow.nats, **EXACTLY)
    assert loss == pytest.approx(slow.nats.sum(), rel=1e-12)
    # Where few units are normalised, some gradients are large: relative to them, then.
    closely = {"rtol": 1e-11, "atol": 1e-12}
    np.testing.assert_allclose(network.gradients.flat, slow.gradients, **closely)
    np.testing.assert_allclose(network.d_state, slow.d_state, **closely)
    assert not network.d_state[:, :, ids[0] == END].any()


@EVERY_CELL
@pytest.mark.parametrize("layers", [1, 2])
def test_a_window_is_its_documents(cell, reset_after, layers):
    for initial_state, layer_norm, tied in (
        ("learned", False, True),
        ("learned", True, False),
        ("zeros", False, False),
        ("random", True, True),
    ):
        parameters = made(
            cell, reset_after, layers, initial_state=initial_state, layer_norm=layer_norm, tied=tied
        )
        network = Network(parameters)
        rng = np.random.default_rng(2)
        for seed, ids in enumerate(windows()):  # one after the other on the same memory
            masks = rng.integers(3, size=(layers, B, H)) / 2.0 if seed % 2 else None
            check_window(network, ids, seed, masks)
        check_window(network, windows()[0][:, :1], 0)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(CELLS)),
    st.integers(1, 2),
    st.lists(st.lists(st.sampled_from((0, END)), min_size=2, max_size=2), min_size=1, max_size=6),
)
def test_wherever_the_ends_are(kind, layers, ids):
    network = Network(made(*kind, layers, initial_state="learned"))
    for window in (ids, ids[::-1]):
        check_window(network, np.array(window), 0)


@EVERY_CELL
def test_without_an_end_it_is_the_network_that_has_none_to_the_bit(cell, reset_after):
    for dtype, streams in product(("float32", "float64"), (1, 3)):
        parameters = made(cell, reset_after, dtype=dtype, initial_state="learned")
        ids, targets = np.random.default_rng(0).integers(END, size=(2, T, streams))
        found = []
        for network in (Network(parameters), endless(parameters)):
            state = network.initial_state(streams)
            logits = network.forward(ids, state).copy()
            network.backward(targets, None, np.ones(streams, bool))
            found.append((logits, network.gradients.flat, network.state(), network.d_state))
        for ours, theirs in zip(*found, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@EVERY_CELL
@pytest.mark.parametrize(("layers", "layer_norm", "tied"), [(1, True, True), (2, False, False)])
def test_gradients_are_central_differences(cell, reset_after, layers, layer_norm, tied):
    parameters = made(
        cell, reset_after, layers, layer_norm=layer_norm, tied=tied, initial_state="learned"
    )
    network = Network(parameters)
    given, plain, rng = windows()[2][:5, :2], windows()[1][:5, :2], np.random.default_rng(3)
    given[0, 0] = END  # of a stream that began
    targets, began = rng.integers(V, size=given.shape), np.array([True, False])
    own = rng.standard_normal(network.initial_state(2).shape)

    def forward(ids):
        network.forward(ids, np.where(began[:, None], network.initial_state(2), own))

    def loss(ids):
        forward(ids)
        return network.nats(targets).sum()

    def differences(numbers, ids, epsilon=1e-5):
        found = np.empty(numbers.size)
        for k in range(numbers.size):
            kept = numbers.flat[k]
            numbers.flat[k] = kept + epsilon
            above = loss(ids)
            numbers.flat[k] = kept - epsilon
            found[k] = (above - loss(ids)) / (2 * epsilon)
            numbers.flat[k] = kept
        return found.reshape(numbers.shape)

    slow = {id(ids): differences(parameters.flat, ids) for ids in (given, plain)}
    slow_state = {id(ids): differences(own, ids) for ids in (given, plain)}
    for ids in (given, given, plain, given, plain, plain, given):
        forward(ids)
        network.backward(targets, 1, began)
        np.testing.assert_allclose(network.gradients.flat, slow[id(ids)], rtol=1e-6, atol=1e-7)
        at = ~began
        np.testing.assert_allclose(
            network.d_state[:, :, at], slow_state[id(ids)][:, :, at], rtol=1e-6, atol=1e-7
        )


@EVERY_CELL
def test_no_gradient_crosses_a_border(cell, reset_after):
    network = Network(made(cell, reset_after, initial_state="learned"))
    ids = np.random.default_rng(0).integers(END, size=(T, B))
    border = np.array([0, 1, 3, T - 1])
    ids[border, np.arange(B)] = END
    d_logits = np.random.default_rng(1).standard_normal((T, B, V))
    d_logits[np.arange(T)[:, None] < border] = 0
    network.forward(ids, network.initial_state(B) + 1)
    network.backward_from(d_logits)
    assert not network.d_state.any()
    seen = np.unique([ids[t, b] for b in range(B) for t in range(border[b], T)])
    unseen = [k for k in range(V) if k not in seen]
    assert not network.gradients[next(iter(network.gradients))][:, unseen].any()
    assert all(network.gradients[name].any() for name in STATE_NAMES[: network.cell.states])


@EVERY_CELL
def test_what_was_before_a_border_does_not_matter_be_it_infinite(cell, reset_after):
    network = Network(made(cell, reset_after))
    ids = np.random.default_rng(0).integers(V, size=(T, B))
    ids[0] = END
    state = network.initial_state(B)
    expected = network.forward(ids, state).copy()
    np.testing.assert_array_equal(network.forward(ids, state + np.nan), expected)


@EVERY_CELL
@pytest.mark.parametrize("streams", [1, 3])
def test_steps_equal_a_window(cell, reset_after, streams):
    for layers, norm, tied in (
        (1, False, True),
        (1, True, False),
        (2, False, False),
        (2, True, True),
    ):
        parameters = made(
            cell, reset_after, layers, layer_norm=norm, tied=tied, initial_state="learned"
        )
        network, stepper = Network(parameters), Stepper(parameters, streams)
        for turn, ids in enumerate(windows()):
            parameters.flat[:] *= 0.9
            ids = ids[:, :streams]
            state = np.random.default_rng(turn).standard_normal(
                network.initial_state(streams).shape
            )
            logits = network.forward(ids, state)
            stepper.begin(state, fresh=True)
            for t in range(T):
                np.testing.assert_allclose(stepper.step(ids[t]), logits[t], **EXACTLY)
                after = np.stack([layer.after[:, t] for layer in network.layers], axis=1)
                np.testing.assert_allclose(stepper.state(), after, **EXACTLY)


@pytest.mark.parametrize("count", [1, 2])
def test_workers_begin_anew_too(count):
    parameters = made("lstm", initial_state="learned")
    network, began = Network(parameters), np.array([True, False, True, False])
    with Workers(parameters, count, T, B) as workers:
        for seed, ids in enumerate(windows()):
            targets = np.random.default_rng(seed).integers(V, size=(T, B))
            state = workers.initial_state(B, np.random.default_rng(0)) + seed
            loss, after = workers.step(ids, targets, state, began)
            network.forward(ids, state)
            assert loss == pytest.approx(network.backward(targets, None, began) / ids.size)
            np.testing.assert_allclose(after, network.state(), **EXACTLY)
            np.testing.assert_allclose(workers.gradients.flat, network.gradients.flat, **EXACTLY)


def test_weights_that_are_held_begin_anew_too():
    parameters = made(initial_state="learned")
    network, ids = Network(parameters), windows()[2]
    expected = network.forward(ids, network.initial_state(B)).copy()
    with network.weights_held():
        for _ in range(2):
            found = network.forward(ids, network.initial_state(B))
            np.testing.assert_array_equal(found, expected)


def test_input_dropout_never_hides_an_end():
    ids = np.broadcast_to(np.arange(V)[:, None], (V, B))
    train = TrainConfig(input_dropout=0.9)
    rngs = [np.random.default_rng(0) for _ in range(2)]
    config = made().config
    ended, others = (
        Dropout(train, config, B),
        Dropout(train, dataclasses.replace(config, end=None), B),
    )
    for _ in range(20):
        hidden, hidden_else = (
            dropout.draw(rng).hide(ids) for dropout, rng in zip((ended, others), rngs, strict=True)
        )
        assert (hidden[END] == END).all()
        rest = np.arange(V) != END
        np.testing.assert_array_equal(hidden[rest], hidden_else[rest])


@EVERY_CELL
def test_input_dropout_makes_up_for_what_is_hidden_and_for_nothing_else(cell, reset_after):
    parameters, rng = made(cell, reset_after), np.random.default_rng(0)
    weight = parameters[next(iter(parameters))].copy()
    noise = Dropout(TrainConfig(input_dropout=0.5), parameters.config, B).draw(rng)
    noise.scale(parameters)
    expected = np.where(np.arange(V) == END, weight, 2 * weight)
    np.testing.assert_allclose(parameters[next(iter(parameters))], expected)


# The model.


def model_of(parameters, **more):
    model = CharRNN.from_config(parameters.config, **more)
    model.parameters.flat[:] = parameters.flat
    return model


@EVERY_CELL
def test_states_before_an_end_are_those_of_the_document_before_it(cell, reset_after, monkeypatch):
    monkeypatch.setattr(reading, "WINDOW", 4)  # ends at the border of two windows, and elsewhere
    model = model_of(made(cell, reset_after, initial_state="learned"))
    for ids in windows():
        found, gates = model.states(ids, gates=True)
        found = found if isinstance(found, tuple) else (found,)
        if cell == "rnn":
            np.testing.assert_array_equal(gates["h"], found[0])
        for b in range(B):
            column = ids[:, b]
            starts = [0, *np.flatnonzero(column == END), T]
            for start, stop in pairwise(starts):
                if start == stop:
                    continue
                alone, gates_alone = model.states(column[start:stop], gates=True)
                alone = alone if isinstance(alone, tuple) else (alone,)
                last = model.forward(column[start:stop])[1]
                last = last if isinstance(last, tuple) else (last,)
                for part, expected, final in zip(found, alone, last, strict=True):
                    np.testing.assert_allclose(part[stop - 1, :, b], final[:, 0], **EXACTLY)
                    np.testing.assert_allclose(part[start:stop, :, b], expected[:, :, 0], **EXACTLY)
                for name, expected in gates_alone.items():
                    part = gates[name][start:stop, :, b]
                    np.testing.assert_allclose(part, expected[:, :, 0], **EXACTLY)


def test_surprisals_are_those_of_each_document_from_its_beginning():
    model = model_of(made())
    first, second = [0, 1, 2], [3, 3, 5, 1]
    apart = [model.surprisal([*ids, END]) for ids in (first, second)]
    together = model.surprisal([*first, END, *second, END])
    np.testing.assert_allclose(together, np.concatenate(apart), **EXACTLY)


def ended(text, end):
    """Return the vocabulary of `text` whose symbol `end` ends documents."""
    vocabulary = Vocabulary(text)
    vocabulary.end = end
    return vocabulary


def test_the_end_comes_from_the_vocabulary():
    vocabulary = ended("abc", 2)
    assert CharRNN(3, 4).config.end is None
    assert CharRNN(3, 4, end=1).config.end == 1
    assert CharRNN(3, 4, vocabulary=vocabulary).config.end == 2
    assert CharRNN(3, 4, vocabulary=vocabulary, end=2).config.end == 2
    assert CharRNN.from_config(ModelConfig(3, 4), vocabulary).config.end == 2
    for wrong in (
        {"vocabulary": vocabulary, "end": 1},
        {"vocabulary": Vocabulary("abc"), "end": 1},
    ):
        with pytest.raises(UsageError, match="end is 1 but that of the vocabulary is"):
            CharRNN(3, 4, **wrong)


@pytest.mark.parametrize("end", [-1, 3, 1.5, "a"])
def test_an_end_that_is_no_id_is_refused(end):
    with pytest.raises(UsageError, match="end"):
        ModelConfig(3, end=end)
    with pytest.raises(UsageError, match="end"):
        CharRNN(3, 4, end=end)


def test_an_end_stays_with_the_model(tmp_path):
    model = CharRNN(5, 4, "lstm", end=3, rng=np.random.default_rng(0))
    plain = CharRNN(5, 4, "lstm", rng=np.random.default_rng(0))
    ids = [1, 2, 3, 0, 3]
    expected = model.forward(ids)[0]
    assert not np.allclose(expected, plain.forward(ids)[0])
    twins = [model.copy(), copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for name in ("model.safetensors", "model.pkl"):
        model.save(tmp_path / name)
        twins.append(CharRNN.load(tmp_path / name))
    for twin in twins:
        assert twin.config == model.config
        np.testing.assert_array_equal(twin.forward(ids)[0], expected)


def test_a_file_without_an_end_has_none_and_a_wrong_one_is_told():
    model = CharRNN(5, 4, vocabulary=Vocabulary("abcde"))
    tensors, facts = dict(model.parameters), model.facts()
    del facts["config"]["end"]
    assert CharRNN.from_tensors(tensors, facts, "old").config.end is None
    for end, said in ((2, "config.end is 2; expected None"), (5, "end is 5"), ("2", "end")):
        facts["config"]["end"] = end
        with pytest.raises(CorruptFile, match=said):
            CharRNN.from_tensors(tensors, facts, "wrong")
