"""A convolution over time that reads no later step, and may carry its last inputs along."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("shakegen")
class CausalConvolution(keras.layers.Layer):
    """Each number's weighted sum with its own values in the steps before, (N, T, H) to (N, T, H).

    `keras.layers.DepthwiseConv1D` computes the same, of a sequence with zeros before it.

    Args:
        width: how many steps are summed, K, that at hand included.
        initializer: of the weight, (K, H); its last row is for the step at hand.
    """

    carried = None

    def __init__(self, width, initializer="lecun_uniform", **kwargs):
        super().__init__(**kwargs)
        self.width, self.initializer = width, keras.initializers.get(initializer)

    def build(self, input_shape):
        self.kernel = self.add_weight((self.width, input_shape[-1]), self.initializer, name="kernel")

    def get_initial_state(self, batch_size):
        """The inputs before the first one: zeros, a list of one tensor (N, K - 1, H); empty if K = 1."""
        shape = batch_size, self.width - 1, self.kernel.shape[1]
        return [ops.zeros(shape, self.compute_dtype)] if self.width > 1 else []

    def call(self, inputs):
        before = self.get_initial_state(ops.shape(inputs)[0])
        if self.carried:
            before = self.carried.start(before)
        padded = ops.concatenate([*before, inputs], axis=1)
        if self.carried:
            self.carried.keep([padded[:, 1 - self.width :]])
        rest = self.width - 1
        return sum(padded[:, k : k - rest or None] * self.kernel[k] for k in range(self.width))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        initializer = keras.initializers.serialize(self.initializer)
        return {**super().get_config(), "width": self.width, "initializer": initializer}
