"""The tables of names, and a cell of one's own that a notebook adds: it trains and generates."""

import numpy as np
import pytest

import char_rnn
from char_rnn import CharRNN, Corpus, TrainConfig
from char_rnn.analyse import gradient_check
from char_rnn.config import ModelConfig
from char_rnn.errors import FileError, UsageError
from char_rnn.model.cells import Cell, Phase, cell_class
from char_rnn.model.stepper import Stepper
from char_rnn.runs.run import Run
from char_rnn.tables import CELLS, OPTIMIZERS, find
from char_rnn.training.trainer import Trainer

TEXT = "she sells sea shells on the sea shore. " * 30


class Leaky(Cell):
    """h' = ½ h + ½ tanh(W x + b + U h)."""

    gates = ("a",)
    phases = (Phase(slice(0, 1)),)
    direct = True
    scratch = 1
    apart = "leaky"

    def __init__(self, memory):
        self.a, self.u = memory.gates[0], memory.recurrent[0]
        self.h, self.h_next = memory.before[0], memory.after[0]
        self.dh, self.d_direct = memory.d_states[0], memory.d_direct
        self.slope = memory.scratch[0]

    def forward(self):
        np.tanh(self.a + self.u, out=self.a)
        np.copyto(self.h_next, (self.h + self.a) / 2)

    def backward(self):
        np.multiply(self.dh, 0.5, out=self.d_direct)
        np.multiply(self.d_direct, 1 - self.a**2, out=self.a)


class Swapped(Cell):
    """Gates b and a; only a has a recurrent product: h' = ½ tanh(W_a x + U h) + ½ σ(W_b x)."""

    gates = ("b", "a")
    phases = (Phase(slice(1, 2)),)
    sigmoids = ("b",)
    apart = "swapped"

    def __init__(self, memory):
        self.b, self.a = memory.gates
        (self.u,) = memory.recurrent
        self.h_next, self.dh = memory.after[0], memory.d_states[0]

    def forward(self):
        np.copyto(self.b, (np.tanh(self.b) + 1) / 2)
        np.tanh(self.a + self.u, out=self.a)
        np.copyto(self.h_next, (self.a + self.b) / 2)

    def backward(self):
        np.copyto(self.a, self.dh / 2 * (1 - self.a**2))
        np.copyto(self.b, self.dh / 2 * self.b * (1 - self.b))


class Squared(Cell):
    """h' = tanh(W x + b + U h²): a phase without a product makes the operand of the next."""

    gates = ("a",)
    phases = (Phase(forward="square", backward="square_back"), Phase(slice(0, 1), operand=0))
    direct = True
    kept = 1
    apart = "squared"

    def __init__(self, memory):
        (self.a,), (self.u,), (self.squares,) = memory.gates, memory.recurrent, memory.kept
        self.h, self.h_next = memory.before[0], memory.after[0]
        self.dh, self.d_direct = memory.d_states[0], memory.d_direct
        self.d_squares = memory.d_operand

    def square(self):
        np.multiply(self.h, self.h, out=self.squares)

    def forward(self):
        np.tanh(self.a + self.u, out=self.h_next)

    def backward(self):
        np.multiply(self.dh, 1 - self.h_next**2, out=self.a)

    def square_back(self):
        np.copyto(self.d_direct, 2 * self.h * self.d_squares)


def test_the_tables_name_what_is_there():
    for name in CELLS:
        assert issubclass(find(CELLS, "cell", name), Cell)
    for name in OPTIMIZERS:
        assert isinstance(find(OPTIMIZERS, "optimizer", name), type)
    with pytest.raises(UsageError, match=r"unknown cell 'lstn' \(did you mean 'lstm'\?\)"):
        find(CELLS, "cell", "lstn")


@pytest.mark.parametrize(
    ("name", "cls", "said"),
    [
        ("lstm", Leaky, "is char_rnn.model.cells.lstm:LSTM already"),
        ("my cell", Leaky, "must be a word"),
        (3, Leaky, "must be a word"),
        ("mine", "char_rnn:Mine", "must be a class"),
        ("mine", dict, "the class dict has no gates"),
    ],
)  # fmt: skip
def test_what_cannot_be_registered_says_so_in_a_line(name, cls, said):
    with pytest.raises(UsageError, match=said) as caught:
        char_rnn.register_cell(name, cls)
    assert "\n" not in str(caught.value)
    assert "mine" not in CELLS


def test_a_page_of_a_notebook_may_run_twice():
    char_rnn.register_cell("leaky", Leaky)
    again = type("Leaky", (Leaky,), {"__module__": Leaky.__module__, "__qualname__": "Leaky"})
    char_rnn.register_cell("leaky", again)
    assert cell_class(ModelConfig(5, cell="leaky")) is again
    with pytest.raises(UsageError, match="take another name"):
        char_rnn.register_cell("leaky", Swapped)


@pytest.mark.parametrize("cls", [Leaky, Swapped, Squared])
@pytest.mark.parametrize("ways", [{}, {"layer_norm": True, "tied": True}])
def test_a_registered_cell_has_exact_gradients_and_generates_what_it_computes(cls, ways):
    char_rnn.register_cell("mine", cls)
    model = CharRNN(7, 6, "mine", 2, None, "float64", np.random.default_rng(0), **ways)
    model.parameters.flat[:] += 0.3 * np.random.default_rng(1).standard_normal(
        model.parameters.flat.size
    )
    ids, targets = np.random.default_rng(2).integers(7, size=(2, 5, 3))
    assert max(gradient_check(model, ids, targets).values()) < 1e-6
    window, _ = model.forward(ids)
    stepper = Stepper(model.parameters, 3)
    stepper.begin(stepper.initial_state())
    for t in range(5):
        np.testing.assert_allclose(stepper.step(ids[t]), window[t], atol=1e-12)


def test_a_cell_that_contradicts_itself_says_so():
    with pytest.raises(UsageError, match="unknown gate of Mine 's'; known: z, n"):
        type("Mine", (Cell,), {"gates": ("z", "n"), "phases": (Phase(),), "sigmoids": ("s",)})
    phases = Phase(slice(0, 1), operand=0), Phase(slice(1, 2))
    with pytest.raises(UsageError, match="an operand comes before"):
        type("Mine", (Cell,), {"gates": ("z", "n"), "phases": phases})


def test_recurrent_weights_have_rows_for_the_gates_of_phases_only():
    char_rnn.register_cell("swapped", Swapped)
    shapes = {k: v.shape for k, v in CharRNN(7, 6, "swapped", layer_norm=True).parameters.items()}
    assert shapes["rnn.weight_ih_l0_swapped_layer_norm"] == (12, 7)
    assert shapes["rnn.weight_hh_l0_swapped_layer_norm"] == (6, 6)
    assert shapes["rnn.bias_hh_l0_swapped_layer_norm"] == (6,)
    assert shapes["rnn.norm_hh_l0_swapped_layer_norm"] == (6,)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_cell_from_a_notebook_trains_saves_loads_and_generates(tmp_path, threads):
    char_rnn.register_cell("leaky", Leaky)
    corpus = Corpus.from_text(TEXT)
    config = TrainConfig(
        iterations=100, batch_size=32, seq_length=20, threads=threads, learning_rate=0.01
    )
    run = Run.create(
        tmp_path / "run", ModelConfig(corpus.vocabulary.size, 64, "leaky"), config, corpus
    )
    trainer = run.trainer(corpus)
    assert trainer.threads == 1  # no other process knows the cell
    first, *_, last = [event.loss for event in run.follow(trainer) if hasattr(event, "loss")]
    assert last < first - 0.3
    model = CharRNN.load(run.folder)
    assert model.config.cell == "leaky"
    assert len(model.sample("she ", 20, rng=np.random.default_rng(0))) == 24
    del CELLS["leaky"]
    with pytest.raises(FileError, match=r"unknown cell 'leaky'.*: char_rnn\.register_cell$"):
        CharRNN.load(run.folder)


def test_a_cell_without_recurrent_product_has_no_dead_numbers():
    model = CharRNN(7, 6, "mingru", 2, layer_norm=True)
    parts = ("weight_ih", "bias_ih", "norm_ih")
    names = {f"rnn.{part}_l{k}_mingru_layer_norm" for part in parts for k in range(2)}
    assert set(model.parameters) == names | {"out.weight", "out.bias"}
    model = CharRNN(65, 256, "mingru")
    assert model.num_parameters == 2 * 256 * (65 + 1) + 65 * 257


def test_recurrent_dropout_needs_recurrent_weights():
    corpus = Corpus.from_text(TEXT)
    model = CharRNN(corpus.vocabulary.size, 8, "mingru")
    config = TrainConfig(iterations=1, seq_length=5, batch_size=2, recurrent_dropout=0.2)
    with pytest.raises(UsageError, match="the cell 'mingru' has no recurrent") as said:
        Trainer(model, corpus, config)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"gates": "ab"}, "Odd.gates is 'ab'; it must be a tuple of different names"),
        ({"gates": ("a", "a")}, "it must be a tuple of different names"),
        ({"gates": 3}, "Odd.gates is 3"),
        ({"__init__": Cell.__init__}, "Odd has no __init__"),
        ({"phases": (Phase(slice(0, 1), forward="ahead"),)}, "Odd has no ahead, which its phase"),
    ],
)
def test_a_cell_that_cannot_work_is_told_where_it_is_written(parts, said):
    with pytest.raises(UsageError) as error:
        type("Odd", (Leaky,), parts)
    assert said in str(error.value)
