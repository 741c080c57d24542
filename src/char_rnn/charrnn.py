"""CharRNN: a network together with its vocabulary, its files and its voice.

`data` and `model` do not know each other: a network reads ids and a vocabulary makes them. This
is where they meet, so it stands above both and above `constrain`, and below `training`.
"""

import dataclasses
import operator
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from char_rnn.config import BEAM_DIVERSITY, DTYPES, LENGTH_PENALTY, ModelConfig, SampleConfig
from char_rnn.constrain.writer import ConstrainedWriter, Pieces, refuse_conditions
from char_rnn.data.vocabulary import AnyVocabulary, Vocabulary
from char_rnn.errors import UsageError, unknown_name
from char_rnn.formats import check_arrays, check_finite, checked_weights, model_facts
from char_rnn.generate.arguments import as_generator, as_settings, as_text, as_texts
from char_rnn.generate.batch import Texts
from char_rnn.generate.session import Session
from char_rnn.generate.writer import Found
from char_rnn.model.blas import blas_threads
from char_rnn.model.initialisation import initialise_
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters, is_spare, recurrent_name
from char_rnn.storage import save_pickle, save_tensors
from char_rnn.storage.fields import read
from char_rnn.storage.models import model_file, read_model

if TYPE_CHECKING:
    from char_rnn.data.copies import CopyIndex

Array = np.ndarray
State = Array | tuple[Array, Array]


class CharRNN:
    """A character-level recurrent network.

    vocab_size: V. hidden_size: H. cell: `rnn`, `lstm` or `gru`. layers: L.
    reset_after: the GRU in PyTorch's form (True, and what None chooses) or the exercise's (False).
    dtype: float32 or float64.
    rng: draws the initial weights and random initial states; None takes a fresh one.
    vocabulary: makes ids of characters; needed by `sample` and by nothing else.
    init, initial_state, layer_norm, tied: see ModelConfig.

    parameters: a mapping from PyTorch's names to live arrays.
    summary: whatever is known of the training, saved with the model.
    """

    def __init__(
        self,
        vocab_size: int,
        hidden_size: int = ModelConfig.hidden_size,
        cell: str = ModelConfig.cell,
        layers: int = ModelConfig.layers,
        reset_after: bool | None = ModelConfig.reset_after,
        dtype: Any = ModelConfig.dtype,
        rng: np.random.Generator | None = None,
        vocabulary: AnyVocabulary | None = None,
        init: str = ModelConfig.init,
        initial_state: str = ModelConfig.initial_state,
        layer_norm: bool = ModelConfig.layer_norm,
        tied: bool = ModelConfig.tied,
    ) -> None:
        config = ModelConfig(
            vocab_size=_whole("vocab_size", vocab_size),
            hidden_size=_whole("hidden_size", hidden_size),
            cell=cell,
            layers=_whole("layers", layers),
            reset_after=None if reset_after is None else bool(reset_after),
            init=init,
            initial_state=initial_state,
            layer_norm=bool(layer_norm),
            tied=bool(tied),
            dtype=_dtype_name(dtype),
        )
        self._set_up(config, vocabulary, rng)
        initialise_(self.parameters, self.rng)

    @classmethod
    def from_config(
        cls,
        config: ModelConfig,
        vocabulary: AnyVocabulary | None = None,
        rng: np.random.Generator | None = None,
    ) -> Self:
        """Return a new network of `config`."""
        return cls(**config.to_dict(), vocabulary=vocabulary, rng=rng)

    def copy(self) -> Self:
        """Return a model with weights of its own, equal to these."""
        twin = type(self).__new__(type(self))
        twin._set_up(self.config, self.vocabulary)
        twin.parameters.flat[:] = self.parameters.flat
        twin.summary = dict(self.summary)
        return twin

    def extended(self, vocabulary: AnyVocabulary, rng: np.random.Generator) -> Self:
        """Return a model that knows `vocabulary`, which holds at least all characters of this one.

        What is known of a character stays; the weights of a new one are drawn by `rng`, and its
        output bias is the smallest there is, for it was never seen.
        """
        old = self._need_vocabulary()
        if vocabulary == old:
            return self.copy()
        if not (isinstance(old, Vocabulary) and isinstance(vocabulary, Vocabulary)):
            raise UsageError("a model of characters and one of bytes cannot be made of each other")
        config = dataclasses.replace(self.config, vocab_size=vocabulary.size)
        twin = type(self).from_config(config, vocabulary, rng)
        twin.summary = dict(self.summary)
        places = vocabulary.encode("".join(old.chars)).astype(np.intp)
        twin.parameters["out.bias"] = self.parameters["out.bias"].min()
        for name, array in self.parameters.items():
            if name == recurrent_name(config, "weight_ih", 0) and not config.tied:
                twin.parameters[name][:, places] = array
            elif name.startswith("out."):
                twin.parameters[name][places] = array
            else:
                twin.parameters[name] = array
        return twin

    def _set_up(
        self,
        config: ModelConfig,
        vocabulary: AnyVocabulary | None,
        rng: np.random.Generator | None = None,
    ) -> None:
        if vocabulary is not None and not isinstance(vocabulary, AnyVocabulary):
            raise UsageError(f"vocabulary is {vocabulary!r}; it must be a Vocabulary, of its text")
        if vocabulary is not None and vocabulary.size != config.vocab_size:
            raise UsageError(
                f"vocab_size is {config.vocab_size} but the vocabulary has {vocabulary.size} "
                "characters; they must be the same"
            )
        self.vocabulary = vocabulary
        self.rng = as_generator(rng)
        self.parameters = Parameters(config)
        self.summary: dict[str, Any] = {}
        self._network = Network(self.parameters)

    def __repr__(self) -> str:
        V, H = self.config.vocab_size, self.config.hidden_size
        return f"CharRNN(input={V}, hidden={H}, output={V})"

    @property
    def config(self) -> ModelConfig:
        """What the network is made of."""
        return self.parameters.config

    @property
    def num_parameters(self) -> int:
        """How many numbers training can change (a bias that repeats another is not one)."""
        return int(self.parameters.trained.size)

    # The exercise's names, for the one-layer RNN.

    @property
    def W_xh(self) -> Array:  # noqa: N802
        """Input to hidden, (H, V); a live view."""
        return self._classic("weight_ih")

    @property
    def W_hh(self) -> Array:  # noqa: N802
        """Hidden to hidden, (H, H); a live view."""
        return self._classic("weight_hh")

    @property
    def W_hy(self) -> Array:  # noqa: N802
        """Hidden to output, (V, H); a live view."""
        return self._classic("out.weight")

    @property
    def b_h(self) -> Array:
        """Hidden bias, (H, 1); a live view. PyTorch's second bias stays zero beside it."""
        return self._classic("bias_ih")[:, None]

    @property
    def b_y(self) -> Array:
        """Output bias, (V, 1); a live view."""
        return self._classic("out.bias")[:, None]

    def _classic(self, part: str) -> Array:
        if self.config.cell != "rnn" or self.config.layers != 1:
            raise AttributeError(
                "W_xh, W_hh, W_hy, b_h and b_y belong to the one-layer rnn; this is a "
                f"{self.config.layers}-layer {self.config.cell}: see parameters"
            )
        name = part if part.startswith("out.") else recurrent_name(self.config, part, 0)
        return self.parameters[name]

    # Forward and backward.

    @blas_threads(1)
    def forward(self, inputs: Any, state: State | None = None) -> tuple[Array, State]:
        """Return logits (T, B, V) for ids (T, B) or (T,), and the state after them.

        state: (L, B, H), for the LSTM a pair (h, c) of them; None starts with the initial state.
        Both results are the caller's own. Raises UsageError for wrong shapes and ids.
        """
        ids = self._ids("inputs", inputs)
        B = ids.shape[1]
        self._from_initial = state is None
        if state is None:
            start = self._network.initial_state(B, self.rng)
        else:
            start = self._inner_state(state, B)
        logits = self._network.forward(ids, start).copy()
        return logits, self._outer_state(self._network.state())

    @blas_threads(1)
    def backward(self, targets: Any) -> tuple[float, dict[str, Array]]:
        """Return the mean loss of the last window, in nats a character, and its gradients.

        targets: (T, B) or (T,) ids, the shape that `forward` had. The gradients are the caller's
        own, under the names of `parameters`; `state_gradient` holds that of the initial state.
        Raises UsageError for wrong shapes and ids, and where no `forward` came before.
        """
        ids = self._ids("targets", targets)
        if not self._network.can_go_back:
            raise UsageError(
                "backward has no forward before it; call forward(inputs) first, each time"
            )
        if ids.shape != self._network.shape:
            raise UsageError(
                f"targets have the shape {ids.shape}; the inputs had {self._network.shape}"
            )
        began = np.full(ids.shape[1], self._from_initial)
        total = self._network.backward(ids, began=began)
        self.state_gradient = self._outer_state(self._network.d_state)
        return total / ids.size, {k: v.copy() for k, v in self._network.gradients.items()}

    def _ids(self, what: str, ids: Any) -> Array:
        try:
            array = np.asarray(ids)
        except ValueError:
            raise UsageError(f"{what} have rows of different lengths; expected (T, B)") from None
        if array.ndim == 1:
            array = array[:, None]
        if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "iu":
            raise UsageError(
                f"{what} have the shape {array.shape} and dtype {array.dtype}; expected whole "
                "numbers of shape (T, B) or (T,), at least one"
            )
        if int(array.min()) < 0 or int(array.max()) >= self.config.vocab_size:
            raise UsageError(
                f"{what} reach from {array.min()} to {array.max()}; "
                f"ids must lie between 0 and {self.config.vocab_size - 1}"
            )
        return array.astype(np.intp)

    def _inner_state(self, state: State, B: int) -> Array:
        count, shape = self._network.cell.states, (self.config.layers, B, self.config.hidden_size)
        try:
            parts = list(state) if count > 1 else [state]
            arrays = [np.asarray(part, self.config.dtype) for part in parts]
        except (TypeError, ValueError):
            raise UsageError(f"state is {state!r}; expected {count} of {shape}") from None
        found = [array.shape for array in arrays]
        if found != [shape] * count:
            raise UsageError(f"state has the shape {found}; expected {count} of {shape}")
        return np.stack(arrays)

    def _outer_state(self, state: Array) -> State:
        return (state[0], state[1]) if len(state) == 2 else state[0]

    # Generation.

    def generate(
        self, seed: str = "", config: SampleConfig | None = None,
        rng: np.random.Generator | None = None, copies: "CopyIndex | None" = None,
        threads: int = 1,
    ) -> Pieces:  # fmt: skip
        """Return what follows `seed`: an iterator over pieces of text, as they are made.

        Without a seed text the model begins a new line, where its vocabulary has one.
        copies: the text that `config.max_copy` must not copy from.
        threads: of BLAS. Two help only where a layer has a million weights or more, on a machine
            with nothing else to do.
        """
        seed, config, draws = as_text("seed", seed), as_settings(config), as_generator(rng)
        return self._writer().write(seed, config, draws, threads, copies)

    def sample(
        self, seed: str = "", length: int = SampleConfig.length,
        temperature: float | str = SampleConfig.temperature,
        rng: np.random.Generator | None = None, **settings: Any,
    ) -> str:  # fmt: skip
        """Return `seed` and the `length` characters that the model continues it with.

        settings: any others of SampleConfig.
        """
        config = SampleConfig(length, temperature, **settings)
        return seed + "".join(self.generate(seed, config, rng))

    def sample_many(
        self, seeds: list[str], length: int = SampleConfig.length,
        temperature: float | str = SampleConfig.temperature,
        rng: np.random.Generator | None = None, **settings: Any,
    ) -> list[str]:  # fmt: skip
        """Return each of `seeds` with its continuation: many streams as one batch.

        Many times as fast as one after the other. A stream's text depends on `rng` and on how
        many streams there are. An empty seed begins a new line, where the vocabulary has one.
        """
        seeds = as_texts("seeds", seeds)
        texts = self.generate_many(seeds, SampleConfig(length, temperature, **settings), rng)
        return [seed + text for seed, text in zip(seeds, texts, strict=True)]

    def generate_many(
        self, seeds: list[str], config: SampleConfig | None = None,
        rng: np.random.Generator | None = None, copies: "CopyIndex | None" = None,
        threads: int | None = None,
    ) -> list[str]:  # fmt: skip
        """Return what follows each of `seeds`: as one batch, or one by one under conditions.

        The conditions are regex, words, close, max_copy and code. threads: groups of texts that
        are written side by side, None for as many as there are cores; the texts are the same.
        """
        return list(self.generate_each(seeds, config, rng, copies, threads))

    def generate_each(
        self, seeds: list[str], config: SampleConfig | None = None,
        rng: np.random.Generator | None = None, copies: "CopyIndex | None" = None,
        threads: int | None = None,
    ) -> Texts:  # fmt: skip
        """Return the same as an iterator, which has each text when it and all before it are done.

        Closed early, or interrupted, its `rest` has the others as far as they came.
        """
        seeds, config, draws = as_texts("seeds", seeds), as_settings(config), as_generator(rng)
        cores = threads or os.cpu_count() or 1
        return self._writer().write_many(seeds, config, draws, cores, copies)

    def search(
        self, seed: str = "", config: SampleConfig | None = None, width: int = 10,
        groups: int = 1, results: int = 1, diversity: float = BEAM_DIVERSITY,
        length_penalty: float = LENGTH_PENALTY, stopped: Callable[[], bool] = lambda: False,
    ) -> list[Found]:  # fmt: skip
        """Return the likeliest texts that follow `seed`, the best first: a beam search.

        config: length, stop and lines=1 end a text; the model's own probabilities count,
            whatever its temperature is.
        width: beams, in `groups` that avoid each other's characters; `diversity` nats for each
            beam of an earlier group that has just chosen the same one.
        length_penalty: α in the score log p / n^α, by which texts of different lengths compete.
        stopped: asked several times a step; where it says so, the search ends with what it has.
        """
        seed, config = as_text("seed", seed), as_settings(config)
        refuse_conditions(config, "a beam search")
        return self._writer().search(
            seed, config, width, groups, results, diversity, length_penalty, stopped
        )

    def session(
        self, config: SampleConfig | None = None, rng: np.random.Generator | None = None
    ) -> Session:
        """Return a conversation: the model goes on from what it reads, turn by turn."""
        config, draws = as_settings(config), as_generator(rng)
        refuse_conditions(config, "a conversation")
        vocabulary = self._need_vocabulary()
        return Session(self.parameters, vocabulary, config, draws)

    def _writer(self) -> ConstrainedWriter:
        return ConstrainedWriter(self.parameters, self._need_vocabulary())

    def _need_vocabulary(self) -> AnyVocabulary:
        if self.vocabulary is None:
            raise UsageError(
                "this model has no vocabulary; pass vocabulary=Vocabulary(text) to CharRNN"
            )
        return self.vocabulary

    # Files.

    def facts(self) -> dict[str, Any]:
        """Return what is saved beside the tensors: config, vocabulary, training summary."""
        vocabulary = None if self.vocabulary is None else self.vocabulary.to_dict()
        return {
            "kind": "model",
            "config": self.config.to_dict(),
            "vocabulary": vocabulary,
            "summary": self.summary,
        }

    def save(self, path: str | Path, dtype: str | None = None) -> None:
        """Write the model to `path` atomically: a safetensors file, or a pickle if it ends in .pkl.

        The pickle is a plain dictionary of arrays, strings and numbers.
        dtype: `float16` halves a safetensors file; the model is computed in its own dtype again.
        """
        if dtype is not None:
            dtype = _dtype_name(dtype, (*DTYPES, "float16"))
        if Path(path).suffix == ".pkl":
            save_pickle(Path(path), self.facts() | {"parameters": dict(self.parameters)})
            return
        tensors = {n: p if dtype is None else p.astype(dtype) for n, p in self.parameters.items()}
        save_tensors(Path(path), tensors, self.facts())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model from a file, or the best one of a run folder.

        Raises a FileError if the file is damaged or its weights are not finite, and RunError if a
        run folder has no model yet.
        """
        file = model_file(path)
        tensors, facts = read_model(file)
        return cls.from_tensors(tensors, facts, str(file))

    @classmethod
    def from_tensors(cls, tensors: dict[str, Array], facts: dict[str, Any], where: str) -> Self:
        """Build a model from saved tensors and facts; `where` names their file in errors.

        Raises CorruptFile if they are not those of a model, whatever else they are.
        """
        found = read(model_facts, facts, where)
        check_arrays(tensors, where)
        weights = checked_weights(tensors, found["config"], where)
        check_finite(weights, where)
        model = cls.__new__(cls)
        model._set_up(found["config"], found["vocabulary"])
        model.summary = found["summary"]
        for name, tensor in weights.items():
            model.parameters[name] = tensor
        return model

    def spare_names(self) -> list[str]:
        """Return the parameters that only repeat others (see `is_spare`)."""
        return [name for name in self.parameters if is_spare(name, self._network.cell)]


def _whole(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise UsageError(f"{name} is {value!r}; it must be a whole number") from None


def _dtype_name(dtype: Any, known: tuple[str, ...] = DTYPES) -> str:
    try:
        name = str(np.dtype(dtype).name)
    except TypeError:
        name = repr(dtype)
    if name not in known:
        raise unknown_name("dtype", dtype, known)
    return name
