"""The reference is checked before anything is checked against it."""

import math

import numpy as np
import pytest
from reference import CELLS, GruAfter, GruBefore, Lstm, MinGru, Rnn, cell_class, reference_network

IN_TORCH = [("rnn", False), ("lstm", False), ("gru", True)]
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def central_differences(loss, array, epsilon=1e-5):
    """Change `array` in place, one element at a time, and put it back."""
    gradient = np.zeros_like(array)
    for i in np.ndindex(array.shape):
        kept = array[i]
        array[i] = kept + epsilon
        above = loss()
        array[i] = kept - epsilon
        below = loss()
        array[i] = kept
        gradient[i] = (above - below) / (2 * epsilon)
    return gradient


def layer_case(cell, reset_after, T, B=2, I=3, H=4):
    """Random weights, input, initial state, and gradients to send back; nothing of it zero."""
    rng = np.random.default_rng(T)
    kind = cell_class(cell, reset_after)
    G = len(kind.gates)
    shapes = {"weight_ih": (G * H, I), "weight_hh": (G * H, H)}
    values = {part: 0.8 * rng.standard_normal(shapes.get(part, (G * H,))) for part in kind.parts}
    values["x"] = rng.standard_normal((T, B, I))
    values |= {name: rng.standard_normal((B, H)) for name in kind.states}
    dh = rng.standard_normal((T, B, H))
    dstate = tuple(rng.standard_normal((B, H)) for _ in kind.states)
    return kind, values, dh, dstate


def run_layer(kind, values):
    layer = kind(*(values[part] for part in kind.parts))
    h, final = layer.forward(values["x"], tuple(values[name] for name in kind.states))
    return layer, h, final


@pytest.mark.parametrize("T", [1, 3])
@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_layer_against_central_differences(cell, reset_after, T):
    kind, values, dh, dstate = layer_case(cell, reset_after, T)

    def loss():
        _, h, final = run_layer(kind, values)
        return np.sum(h * dh) + sum(np.sum(s * d) for s, d in zip(final, dstate, strict=True))

    layer, _, _ = run_layer(kind, values)
    for _ in range(2):  # a second call must not add to the first
        gradients = layer.backward(dh, dstate)
    assert gradients.keys() == values.keys()
    for name, value in values.items():
        expected = central_differences(loss, value)
        np.testing.assert_allclose(gradients[name], expected, rtol=1e-6, atol=1e-8, err_msg=name)


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_final_gradient_is_zero_unless_given(cell, reset_after):
    kind, values, dh, dstate = layer_case(cell, reset_after, 2)
    layer, h, final = run_layer(kind, values)
    np.testing.assert_array_equal(h[-1], final[0])
    zero = tuple(np.zeros_like(part) for part in dstate)
    left, right = layer.backward(dh), layer.backward(dh, zero)
    for name in values:
        np.testing.assert_array_equal(left[name], right[name])


def torch_layer(torch, cell, values):
    """Return torch's own layer with these weights, its input and its state, all to be derived."""
    H, I = values["h0"].shape[1], values["x"].shape[2]
    layer = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](I, H).double()
    layer.load_state_dict({f"{part}_l0": torch.from_numpy(values[part]) for part in PARTS})
    x = torch.tensor(values["x"], requires_grad=True)
    state = [torch.tensor(values[s][None], requires_grad=True) for s in ("h0", "c0") if s in values]
    return layer, x, state


def torch_gradients(torch, cell, values, dh, dstate):
    """Return what torch makes of the layer: h, the final state and all gradients, as arrays."""
    layer, x, state = torch_layer(torch, cell, values)
    h, final = layer(x, tuple(state) if cell == "lstm" else state[0])
    final = final if cell == "lstm" else (final,)
    loss = torch.sum(h * torch.from_numpy(dh))
    for part, d in zip(final, dstate, strict=True):
        loss = loss + torch.sum(part[0] * torch.from_numpy(d))
    loss.backward()
    gradients = {part: getattr(layer, f"{part}_l0").grad for part in PARTS} | {"x": x.grad}
    gradients |= {name: s.grad[0] for name, s in zip(("h0", "c0"), state, strict=False)}
    return (
        h.detach().numpy(),
        [part.detach().numpy()[0] for part in final],
        {name: gradient.numpy() for name, gradient in gradients.items()},
    )


@pytest.mark.parametrize("T", [1, 5])
@pytest.mark.parametrize(("cell", "reset_after"), IN_TORCH)
def test_layer_against_torch(cell, reset_after, T):
    torch = pytest.importorskip("torch")
    kind, values, dh, dstate = layer_case(cell, reset_after, T)
    expected_h, expected_final, expected = torch_gradients(torch, cell, values, dh, dstate)
    layer, h, final = run_layer(kind, values)
    np.testing.assert_allclose(h, expected_h, rtol=0, atol=1e-10)
    np.testing.assert_allclose(final, expected_final, rtol=0, atol=1e-10)
    gradients = layer.backward(dh, dstate)
    assert gradients.keys() == expected.keys()
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=0, atol=1e-10, err_msg=name)


def test_the_two_grus_meet_where_the_reset_gate_commutes():
    # torch has no reset before the product. Where U_n is diagonal and d_n zero, U_n (r · h) is
    # r · (U_n h), and both forms and the gradients of all they share are the same.
    torch = pytest.importorskip("torch")
    _, values, dh, dstate = layer_case("gru", False, 5)
    H = 4
    U_n = values["weight_hh"][2 * H :]
    U_n *= np.eye(H)
    values["bias_hh"][2 * H :] = 0
    expected_h, _, expected = torch_gradients(torch, "gru", values, dh, dstate)
    layer, h, _ = run_layer(GruBefore, values)
    np.testing.assert_allclose(h, expected_h, rtol=0, atol=1e-10)
    gradients = layer.backward(dh, dstate)
    for found in (gradients, expected):
        found["weight_hh"][2 * H :] *= np.eye(H)
        found["bias_hh"][2 * H :] = 0
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=0, atol=1e-10, err_msg=name)


def test_one_step_by_hand():
    # H = I = B = 1: the weights of the gates in order, x = 1, h = 0.5, c = −0.3
    x, h, c = np.ones((1, 1, 1)), np.array([[0.5]]), np.array([[-0.3]])

    def step(kind, ih, hh, b, d, *state):
        columns = np.array(ih)[:, None], np.array(hh)[:, None]
        return [float(s[0, 0]) for s in kind(*columns, b, d).forward(x, state)[1]]

    def s(a):
        return 1 / (1 + math.exp(-a))

    assert step(Rnn, [0.2], [0.4], [0.1], [-0.3], h) == pytest.approx([math.tanh(0.2)])

    four = [0.1, 0.2, 0.3, 0.4], [0.5, -0.6, 0.7, -0.8], [0.1, 0.1, 0.2, 0.2], [0, 0.3, 0, 0.3]
    new_c = s(0.3) * -0.3 + s(0.45) * math.tanh(0.85)
    assert step(Lstm, *four, h, c) == pytest.approx([s(0.5) * math.tanh(new_c), new_c])

    three = [0.1, 0.2, 0.3], [0.5, -0.6, 0.7], [0.1, 0.1, 0.2], [0.2, 0.3, 0.4]
    r, z = s(0.65), s(0.3)
    before = (1 - z) * math.tanh(0.3 + 0.2 + 0.7 * (r * 0.5) + 0.4) + z * 0.5
    after = (1 - z) * math.tanh(0.3 + 0.2 + r * (0.7 * 0.5 + 0.4)) + z * 0.5
    assert step(GruBefore, *three, h) == pytest.approx([before])
    assert step(GruAfter, *three, h) == pytest.approx([after])

    layer = MinGru([[0.2], [0.4]], [0.1, -0.3])
    _, (new_h,) = layer.forward([[[1.0]]], (np.array([[0.5]]),))
    assert new_h == pytest.approx((1 - s(0.3)) * 0.5 + s(0.3) * 0.1)


# The whole network


def network_case(cell, reset_after, layers, T=3, B=2, V=4, H=3):
    rng = np.random.default_rng(layers)
    kind = cell_class(cell, reset_after)
    G = len(kind.gates)
    parameters = {}
    for layer in range(layers):
        I = V if layer == 0 else H
        shapes = {"weight_ih": (G * H, I), "weight_hh": (G * H, H)}
        for part in kind.parts:
            shape = shapes.get(part, (G * H,))
            parameters[f"rnn.{part}_l{layer}"] = 0.8 * rng.standard_normal(shape)
    parameters["out.weight"] = rng.standard_normal((V, H))
    parameters["out.bias"] = rng.standard_normal(V)
    ids, targets = rng.integers(V, size=(2, T, B))
    state = tuple(rng.standard_normal((layers, B, H)) for _ in kind.states)
    return parameters, ids, targets, state


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_network_against_central_differences(cell, reset_after, layers):
    parameters, ids, targets, state = network_case(cell, reset_after, layers)

    def run():
        return reference_network(parameters, cell, reset_after, layers, ids, targets, state)

    gradients = run().gradients
    values = parameters | dict(zip(("h0", "c0"), state, strict=False))
    assert gradients.keys() == values.keys()
    for name, value in values.items():
        expected = central_differences(lambda: run().loss, value)
        np.testing.assert_allclose(gradients[name], expected, rtol=1e-6, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(("cell", "reset_after"), IN_TORCH)
def test_network_against_torch(cell, reset_after, layers):
    torch = pytest.importorskip("torch")
    parameters, ids, targets, state = network_case(cell, reset_after, layers, T=7, B=3, V=6, H=5)
    found = reference_network(parameters, cell, reset_after, layers, ids, targets, state)

    rnn = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](6, 5, layers)
    model = torch.nn.ModuleDict({"rnn": rnn, "out": torch.nn.Linear(5, 6)}).double()
    model.load_state_dict({name: torch.from_numpy(value) for name, value in parameters.items()})
    start = [torch.tensor(part, requires_grad=True) for part in state]
    x = torch.nn.functional.one_hot(torch.from_numpy(ids), 6).double()
    h, final = model["rnn"](x, tuple(start) if cell == "lstm" else start[0])
    logits = model["out"](h)
    loss = torch.nn.functional.cross_entropy(
        logits.reshape(-1, 6), torch.from_numpy(targets).reshape(-1)
    )
    loss.backward()

    expected = {name: value.grad for name, value in model.named_parameters()}
    expected |= {name: part.grad for name, part in zip(("h0", "c0"), start, strict=False)}
    assert abs(found.loss - loss.item()) < 1e-10
    np.testing.assert_allclose(found.logits, logits.detach().numpy(), rtol=0, atol=1e-10)
    for part, other in zip(found.state, final if cell == "lstm" else (final,), strict=True):
        np.testing.assert_allclose(part, other.detach().numpy(), rtol=0, atol=1e-10)
    assert found.gradients.keys() == expected.keys()
    for name, gradient in found.gradients.items():
        np.testing.assert_allclose(
            gradient, expected[name].numpy(), rtol=0, atol=1e-10, err_msg=name
        )


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_network_starts_from_zero_unless_told(cell, reset_after):
    parameters, ids, targets, state = network_case(cell, reset_after, 2)
    zero = tuple(np.zeros_like(part) for part in state)
    left = reference_network(parameters, cell, reset_after, 2, ids, targets)
    right = reference_network(parameters, cell, reset_after, 2, ids, targets, zero)
    assert left.loss == right.loss
    np.testing.assert_array_equal(left.logits, right.logits)
