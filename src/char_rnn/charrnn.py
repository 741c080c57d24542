"""CharRNN: a network together with its vocabulary, its files and its voice.

`data` and `model` do not know each other: a network reads ids and a vocabulary makes them. This
is where they meet, so it stands above both and above `constrain`, and below `training`.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from char_rnn.config import DTYPES, ModelConfig
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.errors import UsageError
from char_rnn.formats import check_arrays, check_finite, checked_weights, model_facts
from char_rnn.generate.arguments import as_generator
from char_rnn.model.arguments import (
    State,
    as_dtype,
    as_numbers,
    as_state,
    as_whole,
    as_window,
    outer_state,
)
from char_rnn.model.blas import blas_threads
from char_rnn.model.exercise_names import ExerciseNames
from char_rnn.model.initialisation import initialise_
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters, recurrent_name
from char_rnn.reading import Reader
from char_rnn.storage import save_pickle, save_tensors
from char_rnn.storage.fields import read
from char_rnn.storage.models import model_file, read_model
from char_rnn.storage.reading import as_path
from char_rnn.voice import Voice

Array = np.ndarray


class CharRNN(Voice, Reader, ExerciseNames):
    """A character-level recurrent network.

    vocab_size: V. hidden_size: H. cell: a name in `tables.CELLS`. layers: L.
    reset_after: the GRU in PyTorch's form (True) or the exercise's (False, and what None chooses).
    dtype: float32 or float64.
    rng: draws the initial weights and random initial states; None takes a fresh one.
    vocabulary: makes ids of characters; needed by `sample` and by nothing else.
    init, initial_state, layer_norm, tied: see ModelConfig.
    end: the id of the symbol that a document begins with, as ModelConfig says; where there is a
        vocabulary, it is the vocabulary's.

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
        end: int | None = ModelConfig.end,
    ) -> None:
        if end is None and isinstance(vocabulary, AnyVocabulary):
            end = vocabulary.end
        config = ModelConfig(
            vocab_size=as_whole("vocab_size", vocab_size),
            hidden_size=as_whole("hidden_size", hidden_size),
            cell=cell,
            layers=as_whole("layers", layers),
            reset_after=None if reset_after is None else bool(reset_after),
            init=init,
            initial_state=initial_state,
            layer_norm=bool(layer_norm),
            tied=bool(tied),
            dtype=as_dtype(dtype),
            end=None if end is None else as_whole("end", end),
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
        """Return a new network of `config`; `end` is the vocabulary's, if it does not say."""
        return cls(**config.to_dict(), vocabulary=vocabulary, rng=rng)

    def copy(self) -> Self:
        """Return a model with weights of its own, equal to these."""
        twin = type(self).__new__(type(self))
        twin.__setstate__((self.config, self.vocabulary, None, self.parameters.flat, self.summary))
        return twin

    def extended(self, vocabulary: AnyVocabulary, rng: np.random.Generator) -> Self:
        """Return a model that knows `vocabulary`, which holds at least all characters of this one.

        What is known of a character stays; the weights of a new one are drawn by `rng`, and its
        output bias is the smallest there is, for it was never seen.
        """
        old = self._need_vocabulary()
        if vocabulary == old:
            return self.copy()
        if old.kind != vocabulary.kind:
            raise UsageError("a model of characters and one of bytes cannot be made of each other")
        config = dataclasses.replace(self.config, vocab_size=vocabulary.size, end=None)
        twin = type(self).from_config(config, vocabulary, rng)  # `end` is the vocabulary's
        twin.summary = dict(self.summary)
        places = [vocabulary.char_to_idx[char] for char in old.chars]
        if old.rare is not None and vocabulary.rare is not None:
            places.append(vocabulary.rare)
        if old.end is not None and vocabulary.end is not None:
            places.append(vocabulary.end)
        if len(places) < old.size:
            raise UsageError("the vocabulary lacks a symbol that the model has; give it one")
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
        if vocabulary is not None and vocabulary.end != config.end:
            raise UsageError(
                f"end is {config.end} but that of the vocabulary is {vocabulary.end}; leave it "
                "out, for it comes from the vocabulary"
            )
        self.vocabulary = vocabulary
        self.rng = as_generator(rng)
        self.parameters = Parameters(config)
        self.summary: dict[str, Any] = {}
        self._network = Network(self.parameters)
        self._state_gradient: State | None = None

    # `copy.deepcopy` and `pickle`: the network's views are made anew.

    def __getstate__(self) -> tuple[Any, ...]:
        flat = np.array(self.parameters.flat)
        return self.config, self.vocabulary, self.rng, flat, self.summary

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        config, vocabulary, rng, flat, summary = state
        self._set_up(config, vocabulary, rng)
        self.parameters.flat[:] = flat
        self.summary = dict(summary)

    def __repr__(self) -> str:
        return (
            f"CharRNN(cell={self.cell}, layers={self.layers}, hidden_size={self.hidden_size}, "
            f"vocab_size={self.vocab_size}, parameters={self.num_parameters:_})"
        )

    @property
    def outline(self) -> str:
        """The network as the exercise prints it."""
        V = self.vocab_size
        return f"CharRNN(input={V}, hidden={self.hidden_size}, output={V})"

    @property
    def config(self) -> ModelConfig:
        """What the network is made of."""
        return self.parameters.config

    @property
    def vocab_size(self) -> int:
        """V: how many characters it knows."""
        return self.config.vocab_size

    @property
    def hidden_size(self) -> int:
        """H: units of a layer."""
        return self.config.hidden_size

    @property
    def cell(self) -> str:
        """The name of its cell."""
        return self.config.cell

    @property
    def layers(self) -> int:
        """L: how many layers it has."""
        return self.config.layers

    @property
    def num_parameters(self) -> int:
        """How many numbers training can change (a bias that repeats another is not one)."""
        return int(self.parameters.trained.size)

    # Forward and backward.

    @blas_threads(1)
    def forward(self, inputs: Any, state: State | None = None) -> tuple[Array, State]:
        """Return logits (T, B, V) for ids (T, B) or (T,), and the state after them.

        state: (L, B, H), for the LSTM a pair (h, c) of them; None starts with the initial state.
        Both results are the caller's own. Raises UsageError for wrong shapes and ids.
        """
        ids = as_window("inputs", inputs, self.vocab_size)
        B = ids.shape[1]
        if state is None:
            start = self._network.initial_state(B, self.rng)
        else:
            shape = (self.layers, B, self.hidden_size)
            start = as_state(state, self._network.cell.states, shape, self.config.dtype)
        logits = self._network.forward(ids, start).copy()
        self._from_initial = state is None
        return logits, outer_state(self._network.state())

    @property
    def hidden(self) -> Array:
        """What the top layer handed to the output in the last `forward`, (T, B, H): a copy."""
        if self._network.shape == (0, 0):
            raise UsageError("hidden is what a forward leaves; call forward(inputs) first")
        return self._network.hidden.copy()

    @property
    def state_gradient(self) -> State:
        """The gradient of the state that the last `forward` began with: what `backward` left."""
        if self._state_gradient is None:
            raise UsageError("state_gradient is what a backward leaves; call backward first")
        return self._state_gradient

    @overload
    def backward(
        self, d_logits: NDArray[np.floating[Any]], /, d_hidden: Array | None = None
    ) -> Parameters: ...

    @overload
    def backward(
        self,
        targets: NDArray[np.integer[Any]] | Sequence[int] | Sequence[Sequence[int]],
        /,
        d_hidden: Array | None = None,
    ) -> tuple[float, Parameters]: ...

    @blas_threads(1)
    def backward(
        self, given: Any, /, d_hidden: Array | None = None
    ) -> Parameters | tuple[float, Parameters]:
        """Return the gradients of a loss of the last `forward`; each forward has one backward.

        given: d_logits (T, B, V), an array of floats: the gradient of the loss with respect to
            the logits, from `cross_entropy` or of your own. Or, the short form, targets: ids (T, B)
            or (T,); then the loss is their mean cross entropy, and `(loss, gradients)` is returned.
        d_hidden: (T, B, H), the gradient with respect to `hidden`, of what the loss has besides.
        The gradients are the caller's own, as clipping and optimisers take them; `state_gradient`
        holds that of the initial state. Raises UsageError for wrong shapes and ids, and where no
        `forward` came before.
        """
        network, (T, B) = self._network, self._network.shape
        if not network.can_go_back:
            raise UsageError(
                "backward has no forward before it; call forward(inputs) first, each time"
            )
        if d_hidden is not None:
            shape = (T, B, self.hidden_size)
            d_hidden = as_numbers("d_hidden", d_hidden, shape, "(T, B, H)")
        began = np.full(B, self._from_initial)
        loss: float | None = None
        if isinstance(given, np.ndarray) and given.dtype.kind == "f":
            d_logits = as_numbers("d_logits", given, (T, B, self.vocab_size), "(T, B, V)")
            network.backward_from(d_logits, began, d_hidden)
        else:
            ids = as_window("targets", given, self.vocab_size)
            if ids.shape != (T, B):
                raise UsageError(f"targets have the shape {ids.shape}; the inputs had {(T, B)}")
            loss = network.backward(ids, None, began, d_hidden) / ids.size
        self._state_gradient = outer_state(network.d_state)
        gradients = self.parameters.like()
        gradients.flat[:] = network.gradients.flat
        return gradients if loss is None else (loss, gradients)

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
            dtype = as_dtype(dtype, (*DTYPES, "float16"))
        file = as_path("path", path)
        if file.suffix == ".pkl":
            save_pickle(file, self.facts() | {"parameters": dict(self.parameters)})
            return
        tensors = {n: p if dtype is None else p.astype(dtype) for n, p in self.parameters.items()}
        save_tensors(file, tensors, self.facts())

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
