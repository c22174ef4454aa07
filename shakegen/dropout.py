"""Dropout that comes into force while a network trains."""

import keras
from keras import ops


class Share:
    """A number, 0 to 1, that a network reads and that is none of its weights."""

    def __init__(self):
        self.variable = keras.Variable(1.0, trainable=False, dtype="float32", name="share")


@keras.saving.register_keras_serializable("shakegen")
class RisingDropout(keras.layers.Dropout):
    """`keras.layers.Dropout`, of whose rate only a share is in force; all of it, until `put_in_force` says otherwise.

    A network that has seen its text only a few times has nothing to forget yet; what it learns then, dropout would only
    slow down. To let the rate rise is the curriculum dropout of Morerio et al. 2017.
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(rate, noise_shape, seed, **kwargs)
        self.share = Share()

    def call(self, inputs, training=False):
        if not (training and self.rate > 0):
            return inputs
        rate, sizes = self.rate * self.share.variable.value, self.noise_shape or (None,) * len(inputs.shape)
        shape = [size or own for size, own in zip(sizes, ops.shape(inputs), strict=True)]
        stays = keras.random.uniform(shape, seed=self.seed_generator, dtype="float32") >= rate
        return ops.where(stays, inputs * ops.cast(1 / (1 - rate), inputs.dtype), 0)


def put_in_force(network: keras.Model, share: float) -> None:
    """Let a network drop this share, 0 to 1, of the rates of its `RisingDropout` layers."""
    for layer in network.layers:
        if isinstance(layer, RisingDropout):
            layer.share.variable.assign(share)
