"""A convolution over time that reads no later step, and may carry its last inputs along."""

import keras
from keras import ops

from shakegen.layers.initial_state import Untracked


@keras.saving.register_keras_serializable("shakegen")
class CausalConvolution(keras.layers.Layer):
    """Each number's weighted sum with its own values in the steps before, (N, T, H) to (N, T, H).

    `keras.layers.DepthwiseConv1D` computes the same, of a sequence with zeros before it.

    Args:
        width: how many steps are summed, K, that at hand included.
        initializer: of the weight, (K, H); its last row is for the step at hand.
        stateful: whether a batch follows the one before, instead of zeros.
    """

    def __init__(self, width, initializer="lecun_uniform", stateful=False, **kwargs):
        super().__init__(**kwargs)
        self.width, self.stateful, self._before = width, stateful, None
        self.initializer = keras.initializers.get(initializer)

    @property
    def states(self):
        """The inputs of the last steps, (N, K - 1, H), as a list of one variable; empty without a state."""
        return [] if self._before is None else [self._before.variable]

    def build(self, input_shape):
        batch, _, size = input_shape
        self.kernel = self.add_weight((self.width, size), self.initializer, name="kernel")
        if self.stateful and self.width > 1:
            zeros = ops.zeros((batch, self.width - 1, size))
            self._before = Untracked(keras.Variable(zeros, trainable=False, dtype=self.variable_dtype, name="before"))

    def reset_state(self):
        """Let every stream begin anew."""
        for state in self.states:
            state.assign(ops.zeros_like(state.value))

    def call(self, inputs):
        rest = self.width - 1
        if self._before is None:
            padded = ops.pad(inputs, ((0, 0), (rest, 0), (0, 0)))
        else:
            (before,) = self.states
            padded = ops.concatenate([ops.cast(before.value, inputs.dtype), inputs], axis=1)
            before.assign(ops.cast(padded[:, -rest:], before.dtype))
        return sum(padded[:, k : k - rest or None] * self.kernel[k] for k in range(self.width))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        initializer = keras.initializers.serialize(self.initializer)
        own = {"width": self.width, "initializer": initializer, "stateful": self.stateful}
        return {**super().get_config(), **own}
