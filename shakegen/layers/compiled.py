"""The base of recurrent Keras layers that run their sequences through the compiled loop."""

import functools
import warnings

import keras
from keras import ops

from shakegen.layers.private_doors import is_mapped, missing

ACTIVATIONS = {getattr(keras.activations, name): name for name in ("tanh", "sigmoid", "relu", "linear")}


class CompiledLoop:
    """Replaces the loop of the Keras recurrent layer that it is mixed into, where the compiled one serves.

    That is in calls with training=True, on the TensorFlow backend, without cuDNN, masks, recurrent dropout and
    unrolling, for the activations tanh, sigmoid, relu and linear. Anywhere else Keras's own loop runs: other calls are
    as fast there, and what is exported or converted (SavedModel, TFLite) is made of TensorFlow's usual operations.
    `layer.compiled_loop = False` switches to Keras's loop for good; it is no part of a saved model. A subclass names
    its equations in `_recurrence()`: a `cells.Cell`, whose weights have the names of the layer's.

    XLA compiles the loop for each size of a batch, in about a second. Sizes that a `tf.function` does not know
    beforehand, and those of eager calls, are rounded up, so that few are compiled: lengths to 8, 16, 24, 32, 48, 64, 96
    and so on, numbers of sequences to 8, 16, 24, 32, 40, 48, 56, 64, 80 and so on. The result is the same.
    """

    compiled_loop = True

    def call(self, sequences, initial_state=None, mask=None, training=False):
        sequences = ops.convert_to_tensor(sequences)
        if not keras.backend.is_float_dtype(sequences.dtype):
            sequences = ops.cast(sequences, self.compute_dtype)
        if self.states is not None and sequences.shape[0] is None and keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            sequences = tf.ensure_shape(sequences, (self.states[0].shape[0], None, None))
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if not self._compiled_loop_serves(sequences, initial_state, mask, training):
            return super().inner_loop(sequences, initial_state, mask, training=training)
        from shakegen.layers.recurrence import run

        if 0 < self.dropout < 1:
            sequences = sequences * ops.expand_dims(self.cell.get_dropout_mask(sequences[:, 0]), axis=1)
        outputs, states = run(self._recurrence(), self._weights(), sequences, initial_state, self.go_backwards)
        return states[0], outputs, states

    def _compiled_loop_serves(self, sequences, initial_state, mask, training):
        return (
            training
            and self.compiled_loop
            and keras.backend.backend() == "tensorflow"
            and mask is None
            and len(initial_state) == len(self.state_size)
            and not self.unroll
            and not self._drops_in_the_loop()
            and not self._cudnn_serves()
            and all(activation in ACTIVATIONS for activation in self._activations())
            and private_doors_open()
            and not is_mapped()
        )

    def _drops_in_the_loop(self):
        return self.recurrent_dropout or (self.dropout and hasattr(self.cell, "dropout_mask_count"))

    def _activations(self):
        names = ("activation", "recurrent_activation", "cell_activation")
        return [getattr(self.cell, name) for name in names if hasattr(self.cell, name)]

    def _cudnn_serves(self):
        use_cudnn = getattr(self, "use_cudnn", False)
        if use_cudnn != "auto":
            return use_cudnn
        import tensorflow as tf

        return (
            [ACTIVATIONS.get(activation) for activation in self._activations()] == ["tanh", "sigmoid"]
            and self.use_bias
            and getattr(self, "reset_after", True)
            and bool(tf.config.list_logical_devices("GPU"))
        )

    def _weights(self):
        """The cell's weights by name, in the dtype to compute in; biases that it does not have are zeros."""
        weights = {variable.name: ops.cast(variable, self.cell.compute_dtype) for variable in self.cell.weights}
        cell = self._recurrence()
        for name, weight in cell.weights(1).items():
            if name not in weights:
                weights[name] = ops.zeros(weight.shape, self.cell.compute_dtype)
        return weights

    def _names(self):
        return [ACTIVATIONS[activation] for activation in self._activations()]


@functools.cache
def private_doors_open():
    """Whether this TensorFlow has all operations of the loop; if not, one warning says so."""
    if missing is not None:
        warnings.warn(
            f"this TensorFlow lacks private names that the compiled loop of shakegen's layers needs ({missing}); "
            "Keras's own loop runs instead, and training is slower",
            stacklevel=2,
        )
    return missing is None
