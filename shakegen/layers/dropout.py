"""Dropout whose rate can be changed while a network trains."""

import keras
from keras import ops

from shakegen.layers.initial_state import Untracked


@keras.saving.register_keras_serializable("shakegen")
class ScaledDropout(keras.layers.Dropout):
    """`keras.layers.Dropout` whose rate is multiplied by a scale: 1, until `scale_dropout` says otherwise."""

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(rate, noise_shape, seed, **kwargs)
        self.scale = Untracked(keras.Variable(1.0, trainable=False, dtype="float32", name="scale", autocast=False))

    def call(self, inputs, training=False):
        if not (training and self.rate > 0):
            return inputs
        rate, sizes = self.rate * self.scale.variable.value, self.noise_shape or (None,) * len(inputs.shape)
        shape = [size or own for size, own in zip(sizes, ops.shape(inputs), strict=True)]

        def drop():
            stays = keras.random.uniform(shape, seed=self.seed_generator, dtype="float32") >= rate
            return ops.where(stays, inputs * ops.cast(1 / (1 - rate), inputs.dtype), 0)

        if keras.backend.backend() != "tensorflow":
            return drop()  # elsewhere a branch cannot advance the seed
        return ops.cond(rate > 0, drop, lambda: inputs)  # random numbers are most of the work

    def get_config(self):
        """Of a layer with the rate that it has now: the scale is not saved."""
        return {**super().get_config(), "rate": self.rate * float(ops.convert_to_numpy(self.scale.variable))}


def scale_dropout(network: keras.Model, scale: float) -> None:
    """Multiply the rates of a network's `ScaledDropout` layers by a number, 0 to 1."""
    for layer in network.layers:
        if isinstance(layer, ScaledDropout):
            layer.scale.variable.assign(scale)
