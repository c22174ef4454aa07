"""The base of recurrent Keras layers that run their sequences through the compiled loop."""

import functools
import warnings

import keras
from keras import ops

ACTIVATIONS = {getattr(keras.activations, name): name for name in ("tanh", "sigmoid", "relu", "linear")}


class CompiledLoop:
    """Replaces the loop of the Keras recurrent layer that it is mixed into, where the compiled one serves.

    That is on the TensorFlow backend, without cuDNN, masks, recurrent dropout and unrolling, for the activations tanh,
    sigmoid, relu and linear, in training or where the length is known. Anywhere else Keras's own loop runs. A subclass
    names its equations in `_recurrence()`: a `cells.Cell`, whose weights have the names of the layer's.

    Each new shape of a batch is compiled anew: pad, or group sequences by length. A call with training=False keeps
    nothing for gradients; asking for them runs the loop once more. Gradients of gradients, forward-mode
    gradients, `tape.jacobian`, `tf.vectorized_map` and TFLite need Keras's loop: set `layer.compiled_loop = False`,
    of a `Bidirectional` on both of its layers, and again after a model was loaded or cloned.
    """

    compiled_loop = True

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if not self._compiled_loop_serves(sequences, initial_state, mask, training):
            return super().inner_loop(sequences, initial_state, mask, training=training)
        from shakegen.layers.recurrence import run

        if training and 0 < self.dropout < 1:
            sequences = sequences * ops.expand_dims(self.cell.get_dropout_mask(sequences[:, 0]), axis=1)
        outputs, states = run(
            self._recurrence(), self._weights(), sequences, initial_state, self.go_backwards, keep=bool(training)
        )
        return states[0], outputs, states

    def _compiled_loop_serves(self, sequences, initial_state, mask, training):
        return (
            self.compiled_loop
            and keras.backend.backend() == "tensorflow"
            and mask is None
            and (training or sequences.shape[1] is not None)  # XLA compiles every length anew
            and len(initial_state) == len(self.state_size)
            and all(sequences.shape[0] in (None, s.shape[0]) or s.shape[0] is None for s in initial_state)
            and not self.unroll
            and not (training and self._drops_in_the_loop())
            and not self._cudnn_serves()
            and all(activation in ACTIVATIONS for activation in self._activations())
            and private_doors_open()
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
    from shakegen.layers.private_doors import missing

    if missing is not None:
        warnings.warn(
            f"this TensorFlow lacks private names that the compiled loop of shakegen's layers needs ({missing}); "
            "Keras's own loop runs instead, and training is slower",
            stacklevel=2,
        )
    return missing is None
