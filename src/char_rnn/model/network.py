"""The network: layers of one cell, an output layer, and the loss. It knows ids, not characters."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from char_rnn.errors import UsageError
from char_rnn.model.cells import cell_class
from char_rnn.model.layer import NO_BORDERS, Borders, Layer
from char_rnn.model.loss import cross_entropy_gradient_, nats_
from char_rnn.model.memory import aligned
from char_rnn.model.parameters import STATE_NAMES, Parameters
from char_rnn.model.room import need, window_memory

Array = np.ndarray

RANDOM_STATE_SCALE = 0.1
LARGE = 200_000_000  # bytes of a window, from which on it is asked whether they are there


class Network:
    """Forward, loss and backward over windows of ids, on parameters that others may share.

    Several networks can work on the same parameters side by side: each has its own memory and
    its own gradients. What the methods return lives in that memory and is valid until the next
    call, unless it says otherwise.

    gradients: where they are written, if another process is to see them; new memory if None.
    shape: (T, B) of the last window; (0, 0) before the first.
    can_go_back: whether a forward has been run since the last backward.
    """

    def __init__(self, parameters: Parameters, gradients: Parameters | None = None) -> None:
        self.config = config = parameters.config
        self.parameters = parameters
        self.gradients = parameters.like() if gradients is None else gradients
        self.cell = cell_class(config)
        self.layers = [Layer(config, k, parameters, self.gradients) for k in range(config.layers)]
        self.shape = (0, 0)
        self._held = False
        self.can_go_back = False

    def initial_state(self, B: int, rng: np.random.Generator | None = None) -> Array:
        """Return a new (S, L, B, H): zeros, learned, or random where `rng` is given."""
        config = self.config
        shape = (self.cell.states, config.layers, B, config.hidden_size)
        state = np.zeros(shape, config.dtype)
        if config.initial_state == "learned":
            for s, name in enumerate(STATE_NAMES[: self.cell.states]):
                state[s] = self.parameters[name][:, None]
        elif config.initial_state == "random" and rng is not None:
            state[:] = RANDOM_STATE_SCALE * rng.standard_normal(shape)
        return state

    @contextmanager
    def weights_held(self) -> Iterator[None]:
        """Inside, the weights are known not to change: the first window takes them for all.

        Elsewhere every forward takes them as they are, which costs a few copies of each.
        """
        self._taken = False
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def _allocate(self, T: int, B: int) -> None:
        """Make room for windows of shape (T, B); raise UsageError if there is none."""
        V, H = self.config.vocab_size, self.config.hidden_size
        size = window_memory(self.config, T, B)
        if size > LARGE:
            need(size, f"windows of {B:,} × {T:,} characters", "take fewer or shorter ones")
        self.shape, self.can_go_back = (0, 0), False  # until all is there: memory may run out
        self.logits = aligned((V, T * B), self.config.dtype)
        self._dh = aligned((T * B, H), self.config.dtype)
        self._masked: list[Array] = []
        for layer in self.layers:
            layer.allocate(T, B)
        self.shape = (T, B)

    def forward(self, ids: Array, state: Array, masks: Array | None = None) -> Array:
        """Run a window of ids (T, B) from `state` (S, L, B, H); return the logits (T, B, V).

        masks: (L, B, H), factors of what each layer hands on, the same at every step (dropout).
        A stream that reads `config.end` begins that step anew, from the initial state (zeros where
        that is random). The weights count as they are now, but see `weights_held`.
        Raises UsageError if there is not the memory for such a window.
        """
        T, B = ids.shape
        if self.shape != (T, B):
            self._allocate(T, B)
            self._taken = False
        if not (self._held and self._taken):
            for layer in self.layers:
                layer.prepare(None if self._held else ids)
            self._taken = True
        x = ids
        borders, initial = self._borders(ids), self.initial_state(1)
        if masks is not None and not self._masked:
            self._masked = [np.empty((T, B, self.config.hidden_size), x.dtype) for x in masks]
        for k, (layer, before) in enumerate(zip(self.layers, state.swapaxes(0, 1), strict=True)):
            x = layer.forward(x, before, borders, initial[:, k])
            if masks is not None:
                x = np.multiply(x, masks[k], out=self._masked[k])
        self._masks = masks
        self._top = x.reshape(T * B, -1)
        self._read_out(self._top)
        self.can_go_back = True
        return self.logits.reshape(-1, T, B).transpose(1, 2, 0)

    def _borders(self, ids: Array) -> Borders:
        """Return which streams begin anew where, for they read `config.end` there."""
        if self.config.end is None:
            return NO_BORDERS
        steps, streams = np.nonzero(ids == self.config.end)
        found, starts = np.unique(steps, return_index=True)
        return dict(zip(found.tolist(), np.split(streams, starts[1:]), strict=False))

    @property
    def hidden(self) -> Array:
        """What the top layer handed to the output in the last window: (T, B, H)."""
        return self._top.reshape(*self.shape, -1)

    def state(self) -> Array:
        """Return a copy of the state after the last window: (S, L, B, H)."""
        return np.stack([layer.after[:, -1] for layer in self.layers], axis=1)

    def _read_out(self, h: Array) -> None:
        """Compute the logits y = W h + b, (V, N), of the top layer's states (N, H)."""
        np.matmul(self.parameters["out.weight"], h.T, out=self.logits)
        np.add(self.logits, self.parameters["out.bias"][:, None], out=self.logits)

    def nats(self, targets: Array) -> Array:
        """Return −log p of each of `targets` (T, B), in nats; the logits are lost.

        Where they were, exp(y − max y) is, until the next window. So nothing goes back after it:
        `backward` takes the nats itself.
        """
        self._need_forward()
        self.can_go_back = False
        losses, self._total = nats_(self.logits, targets.reshape(-1))
        return losses.reshape(targets.shape)

    def backward(
        self,
        targets: Array,
        count: int | None = None,
        began: Array | None = None,
        d_hidden: Array | None = None,
    ) -> float:
        """Return the summed loss of `targets` (T, B) in nats and leave the gradients.

        count: characters over which the loss is averaged before its gradient is taken; those of
            this window if None.
        began, d_hidden, and what it leaves: see `backward_from`.
        Leaves `last_nats` (T, B) too, −log p of each target.
        """
        self._need_forward()
        self.last_nats = self.nats(targets)
        flat = targets.reshape(-1)
        cross_entropy_gradient_(self.logits, self._total, flat, count or flat.size)
        self._go_back(began, d_hidden)
        return float(self.last_nats.sum(dtype=np.float64))

    def backward_from(
        self, d_logits: Array, began: Array | None = None, d_hidden: Array | None = None
    ) -> None:
        """Leave the gradients of a loss whose gradient with respect to the logits is d_logits.

        d_logits: (T, B, V).
        began: (B,), True for the streams that began with the learned initial state, which gets
            their gradient; None for none of them.
        d_hidden: (T, B, H), the gradient with respect to `hidden`, of what the loss has besides.
        Leaves `gradients`, and `d_state` (S, L, B, H), the gradient of the state handed in.
        """
        self._need_forward()
        self.logits.reshape(-1, *self.shape)[:] = d_logits.transpose(2, 0, 1)
        self._go_back(began, d_hidden)

    def _go_back(self, began: Array | None, d_hidden: Array | None) -> None:
        """Go from dy, which stands where y was, to all gradients."""
        self.can_go_back = False
        dy, gradients = self.logits, self.gradients
        np.matmul(dy, self._top, out=gradients["out.weight"])
        np.add.reduce(dy, axis=1, out=gradients["out.bias"])
        dh: Array | None = np.matmul(dy.T, self.parameters["out.weight"], out=self._dh)
        if d_hidden is not None:
            np.add(self._dh, d_hidden.reshape(self._dh.shape), out=self._dh)
        d_states = []
        for k in reversed(range(len(self.layers))):
            assert dh is not None
            dh = dh.reshape(*self.shape, -1)
            if self._masks is not None:
                np.multiply(dh, self._masks[k], out=dh)
            dh, d_state = self.layers[k].backward(dh)
            d_states.append(d_state)
        self.d_state = np.stack(d_states[::-1], axis=1)
        if self.config.initial_state == "learned":
            for s, name in enumerate(STATE_NAMES[: self.cell.states]):
                gradients[name][:] = 0 if began is None else self.d_state[s][:, began].sum(axis=1)
                if self.config.end is not None:
                    gradients[name] += np.stack([layer.d_initial[s] for layer in self.layers])

    def _need_forward(self) -> None:
        if not self.can_go_back:
            raise UsageError("backward has no forward before it; call forward(inputs) first")
