"""Networks of one layer worked out by hand: a function is a page, and a line an equation.

Each takes the weights by their names, the ids that are read and those that come, and the state
before them. It returns every number of each step, the gradients of the sum of the losses, summed
over the steps, and the gradients of the state before.

Matrices: W_xh (H, V), W_hh (H, H) and W_hy (V, H), as the exercise calls them; of a gate k, W_k
(H, V) and U_k (H, H). Everything else is a vector: x, y, p and b_y (V,), the rest (H,).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray
Weights = Mapping[str, Array]
Step = dict[str, Any]
Page = tuple[list[Step], dict[str, Array], dict[str, Array]]


def rnn(w: Weights, inputs: Sequence[int], targets: Sequence[int], h: Array) -> Page:
    """Work out the RNN: h' = tanh(W_xh x + W_hh h + b_h)."""
    one_hot = np.eye(len(w["b_y"]))
    steps: list[Step] = []

    for read, target in zip(inputs, targets, strict=True):
        x = one_hot[read]
        from_input, from_state = w["W_xh"] @ x, w["W_hh"] @ h
        z = from_input + from_state + w["b_h"]
        step = {"x": x, "h_before": h, "from_input": from_input, "from_state": from_state, "z": z}
        h = np.tanh(z)
        steps.append(step | {"h": h} | output(w, h, target))

    gradients = {name: np.zeros_like(weight) for name, weight in w.items()}
    from_next = np.zeros_like(h)  # nothing comes after the last step

    for step in reversed(steps):
        step |= output_backward(w, step, gradients)
        dh = step["from_output"] + from_next  # h was used twice
        dz = dh * (1 - step["h"] ** 2)
        step |= {"from_next": from_next, "dh": dh, "dz": dz}
        gradients["W_xh"] += np.outer(dz, step["x"])
        gradients["W_hh"] += np.outer(dz, step["h_before"])
        gradients["b_h"] += dz
        from_next = w["W_hh"].T @ dz

    return steps, gradients, {"h": from_next}


def output(w: Weights, h: Array, target: int) -> Step:
    """Predict from h (H,): logits, probabilities, and the loss of what comes."""
    y = w["W_hy"] @ h + w["b_y"]
    p = np.exp(y - y.max()) / np.sum(np.exp(y - y.max()))
    return {"y": y, "p": p, "target": target, "loss": -np.log(p[target])}


def output_backward(w: Weights, step: Step, gradients: dict[str, Array]) -> Step:
    """Return the gradients of y and, as far as it comes from there, of h; add up the weights'."""
    dy = step["p"].copy()
    dy[step["target"]] -= 1
    gradients["W_hy"] += np.outer(dy, step["h"])
    gradients["b_y"] += dy
    return {"dy": dy, "from_output": w["W_hy"].T @ dy}


def lstm(w: Weights, inputs: Sequence[int], targets: Sequence[int], h: Array, c: Array) -> Page:
    """Work out the LSTM: c' = f · c + i · g, h' = o · tanh c'."""
    one_hot = np.eye(len(w["b_y"]))
    steps: list[Step] = []

    for read, target in zip(inputs, targets, strict=True):
        x = one_hot[read]
        step = {"x": x, "h_before": h, "c_before": c}
        i = sigmoid(w["W_i"] @ x + w["U_i"] @ h + w["b_i"])
        f = sigmoid(w["W_f"] @ x + w["U_f"] @ h + w["b_f"])
        g = np.tanh(w["W_g"] @ x + w["U_g"] @ h + w["b_g"])
        o = sigmoid(w["W_o"] @ x + w["U_o"] @ h + w["b_o"])
        c = f * c + i * g
        h = o * np.tanh(c)
        step |= {"i": i, "f": f, "g": g, "o": o, "c": c, "h": h}
        steps.append(step | output(w, h, target))

    gradients = {name: np.zeros_like(weight) for name, weight in w.items()}
    from_next, dc_next = np.zeros_like(h), np.zeros_like(c)

    for step in reversed(steps):
        i, f, g, o, c = (step[name] for name in "ifgoc")
        step |= output_backward(w, step, gradients)
        dh = step["from_output"] + from_next
        do = dh * np.tanh(c)
        dc = dh * o * (1 - np.tanh(c) ** 2) + dc_next
        di, df, dg = dc * g, dc * step["c_before"], dc * i
        da = {"i": di * i * (1 - i), "f": df * f * (1 - f)}
        da |= {"g": dg * (1 - g**2), "o": do * o * (1 - o)}
        step |= {"from_next": from_next, "dh": dh, "dc_next": dc_next, "dc": dc}
        step |= {"di": di, "df": df, "dg": dg, "do": do}
        step |= {f"da_{gate}": slope for gate, slope in da.items()}
        for gate, slope in da.items():
            gradients[f"W_{gate}"] += np.outer(slope, step["x"])
            gradients[f"U_{gate}"] += np.outer(slope, step["h_before"])
            gradients[f"b_{gate}"] += slope
        from_next = sum((w[f"U_{gate}"].T @ slope for gate, slope in da.items()), 0 * h)
        dc_next = f * dc

    return steps, gradients, {"h": from_next, "c": dc_next}


def gru(w: Weights, inputs: Sequence[int], targets: Sequence[int], h: Array) -> Page:
    """Work out the GRU: h' = (1 − z) · n + z · h; z keeps the old state.

    The state is reset before the product with U_n, or, where there is a bias b'_n, after it.
    """
    after = "b'_n" in w
    one_hot = np.eye(len(w["b_y"]))
    steps: list[Step] = []

    for read, target in zip(inputs, targets, strict=True):
        x = one_hot[read]
        step = {"x": x, "h_before": h}
        r = sigmoid(w["W_r"] @ x + w["U_r"] @ h + w["b_r"])
        z = sigmoid(w["W_z"] @ x + w["U_z"] @ h + w["b_z"])
        u = r * (w["U_n"] @ h + w["b'_n"]) if after else w["U_n"] @ (r * h)
        n = np.tanh(w["W_n"] @ x + u + w["b_n"])
        h = (1 - z) * n + z * h
        step |= {"r": r, "z": z, "u": u, "n": n, "h": h}
        steps.append(step | output(w, h, target))

    gradients = {name: np.zeros_like(weight) for name, weight in w.items()}
    from_next = np.zeros_like(h)

    for step in reversed(steps):
        r, z, n, h_before = (step[name] for name in ("r", "z", "n", "h_before"))
        step |= output_backward(w, step, gradients)
        dh = step["from_output"] + from_next
        dz, dn = dh * (h_before - n), dh * (1 - z)
        da_n = dn * (1 - n**2)
        if after:  # u = r · (U_n h + b'_n)
            dr, to_u, reset = da_n * (w["U_n"] @ h_before + w["b'_n"]), da_n * r, h_before
            back = w["U_n"].T @ to_u
            gradients["b'_n"] += to_u
        else:  # u = U_n (r · h)
            to_u, reset = da_n, r * h_before
            dr, back = (w["U_n"].T @ da_n) * h_before, (w["U_n"].T @ da_n) * r
        da_r, da_z = dr * r * (1 - r), dz * z * (1 - z)
        step |= {"from_next": from_next, "dh": dh, "dz": dz, "dn": dn, "dr": dr}
        step |= {"da_n": da_n, "da_r": da_r, "da_z": da_z}
        gradients["U_n"] += np.outer(to_u, reset)
        for gate, slope in (("r", da_r), ("z", da_z), ("n", da_n)):
            gradients[f"W_{gate}"] += np.outer(slope, step["x"])
            gradients[f"b_{gate}"] += slope
        for gate, slope in (("r", da_r), ("z", da_z)):
            gradients[f"U_{gate}"] += np.outer(slope, h_before)
        from_next = z * dh + back + w["U_r"].T @ da_r + w["U_z"].T @ da_z

    return steps, gradients, {"h": from_next}


def sigmoid(a: Array) -> Array:
    """Return σ(a)."""
    found: Array = 1 / (1 + np.exp(-a))
    return found


PAGES: dict[str, Callable[..., Page]] = {"rnn": rnn, "gru": gru, "lstm": lstm}
