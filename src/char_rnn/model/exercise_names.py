"""The exercise's names for the parameters of the one-layer RNN."""

import numpy as np

from char_rnn.model.parameters import Parameters, recurrent_name

Array = np.ndarray


class ExerciseNames:
    """Live views of `parameters` as the exercise calls and shapes them."""

    parameters: Parameters

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
        config = self.parameters.config
        if config.cell != "rnn" or config.layers != 1:
            raise AttributeError(
                "W_xh, W_hh, W_hy, b_h and b_y belong to the one-layer rnn; this is a "
                f"{config.layers}-layer {config.cell}: see parameters"
            )
        name = part if part.startswith("out.") else recurrent_name(config, part, 0)
        return self.parameters[name]
