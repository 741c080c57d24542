"""What a trace calls its numbers, and the equation of each, cell by cell.

{t} is the step, {b} the one before, {n} the next; {target} is the character that comes.
"""

from typing import NamedTuple

Row = tuple[str, str, str]  # the key of a number in a step, its name, its equation


class Equations(NamedTuple):
    """Of each number of a step, in the order in which they are worked out.

    drawn: the keys of those of the state that a drawing has room for, forward and backward.
    """

    forward: tuple[Row, ...]
    backward: tuple[Row, ...]
    drawn: tuple[tuple[str, ...], tuple[str, ...]]


def _equations(
    forward: tuple[Row, ...], back: str, backward: tuple[Row, ...], drawn: tuple[str, str]
) -> Equations:
    """Put input and output round those of a cell; back: of what h has from the next step."""
    return Equations(
        (*forward, ("y", "y_{t}", "W_hy h_{t} + b_y"), ("p", "p_{t}", "softmax y_{t}")),
        (
            ("dy", "dy_{t}", "p_{t} − one-hot of {target}"),
            ("from_output", "from the output", "W_hyᵀ dy_{t}"),
            ("from_next", "from the next step", back),
            ("dh", "dh_{t}", "their sum"),
            *backward,
        ),
        (tuple(drawn[0].split()), ("dh", "from_output", "from_next", *drawn[1].split())),
    )


def _gru(u: str, dr: str) -> Equations:
    return _equations(
        (
            ("r", "r_{t}", "σ(W_r x_{t} + U_r h_{b} + b_r)"),
            ("z", "z_{t}", "σ(W_z x_{t} + U_z h_{b} + b_z)"),
            ("u", "u_{t}", u),
            ("n", "n_{t}", "tanh(W_n x_{t} + u_{t} + b_n)"),
            ("h", "h_{t}", "(1 − z_{t}) · n_{t} + z_{t} · h_{b}"),
        ),
        "z_{n} · dh_{n}, and through r, z and u of step {n}",
        (
            ("dz", "dz_{t}", "dh_{t} · (h_{b} − n_{t})"),
            ("dn", "dn_{t}", "dh_{t} · (1 − z_{t})"),
            ("da_n", "da_n", "dn_{t} · (1 − n_{t}²)"),
            ("dr", "dr_{t}", dr),
            ("da_r", "da_r", "dr_{t} · r_{t} · (1 − r_{t})"),
            ("da_z", "da_z", "dz_{t} · z_{t} · (1 − z_{t})"),
        ),
        ("h r z n", "dr dz dn"),
    )


RNN = _equations(
    (
        ("from_input", "W_xh x_{t}", ""),
        ("from_state", "W_hh h_{b}", ""),
        ("z", "z_{t}", "W_xh x_{t} + W_hh h_{b} + b_h"),
        ("h", "h_{t}", "tanh z_{t}"),
    ),
    "W_hhᵀ dz_{n}",
    (("dz", "dz_{t}", "dh_{t} · (1 − h_{t}²)"),),
    ("h z", "dz"),
)
GRU = _gru("U_n (r_{t} · h_{b})", "U_nᵀ da_n · h_{b}")
GRU_RESET_AFTER = _gru("r_{t} · (U_n h_{b} + b'_n)", "da_n · (U_n h_{b} + b'_n)")
LSTM = _equations(
    (
        ("i", "i_{t}", "σ(W_i x_{t} + U_i h_{b} + b_i)"),
        ("f", "f_{t}", "σ(W_f x_{t} + U_f h_{b} + b_f)"),
        ("g", "g_{t}", "tanh(W_g x_{t} + U_g h_{b} + b_g)"),
        ("o", "o_{t}", "σ(W_o x_{t} + U_o h_{b} + b_o)"),
        ("c", "c_{t}", "f_{t} · c_{b} + i_{t} · g_{t}"),
        ("h", "h_{t}", "o_{t} · tanh c_{t}"),
    ),
    "U_iᵀ da_i + U_fᵀ da_f + U_gᵀ da_g + U_oᵀ da_o of step {n}",
    (
        ("do", "do_{t}", "dh_{t} · tanh c_{t}"),
        ("dc_next", "dc, next step", "f_{n} · dc_{n}"),
        ("dc", "dc_{t}", "dh_{t} · o_{t} · (1 − tanh² c_{t}) + that of the next step"),
        ("di", "di_{t}", "dc_{t} · g_{t}"),
        ("df", "df_{t}", "dc_{t} · c_{b}"),
        ("dg", "dg_{t}", "dc_{t} · i_{t}"),
        ("da_i", "da_i", "di_{t} · i_{t} · (1 − i_{t})"),
        ("da_f", "da_f", "df_{t} · f_{t} · (1 − f_{t})"),
        ("da_g", "da_g", "dg_{t} · (1 − g_{t}²)"),
        ("da_o", "da_o", "do_{t} · o_{t} · (1 − o_{t})"),
    ),
    ("h c i f g o", "dc di df dg do"),
)
