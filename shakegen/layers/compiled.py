"""The base of recurrent Keras layers that run their sequences through the compiled loop."""

import functools
import warnings

import keras
from keras import ops

from shakegen.layers.equation_step import EquationStep, weights_by_name
from shakegen.layers.private_doors import AutocastScope, is_mapped, may_be_differentiated, missing

KERAS_CELLS = (keras.layers.SimpleRNNCell, keras.layers.GRUCell, keras.layers.LSTMCell)
ACTIVATIONS = {getattr(keras.activations, name): name for name in ("tanh", "sigmoid", "relu", "linear")}


def fits_cudnn(layer) -> bool:
    """Whether cuDNN computes a layer. On JAX and PyTorch, Keras's `Bidirectional` would start a learned state at 0."""
    learns = getattr(layer, "learn_initial_state", False) and keras.backend.backend() != "tensorflow"
    return type(layer.cell) in KERAS_CELLS and not learns


use_cudnn = property(
    lambda layer: fits_cudnn(layer) and layer._use_cudnn,
    lambda layer, value: setattr(layer, "_use_cudnn", value),
    doc="Whether cuDNN may run the layer, if it can, even where Keras's `Bidirectional` sets it.",
)


class CompiledLoop:
    """Replaces the loop of the Keras recurrent layer that it is mixed into, where the compiled one serves.

    That is in calls with training=True, on the TensorFlow backend, without cuDNN and unrolling, for the activations
    tanh, sigmoid, relu and linear; in Keras's own cells and that of NLSTM also without recurrent dropout, and without
    any where `implementation` is 1. In a `tf.function`, a tape must be recording.
    Anywhere else Keras's own loop runs: other calls are as fast there, and models that are exported or converted
    (SavedModel, TFLite) are made of TensorFlow's usual operations, even where training=True is written into them. A
    subclass names its equations in `_recurrence()`: a `cells.Cell`, whose weights have the names of the layer's.

    Args:
        compiled_loop: False for Keras's loop in all calls; also an attribute, which later calls heed.

    XLA compiles the loop for each size of a batch, in about a second. Where a `tf.function` does not know the length
    beforehand, as in `fit` from the second length on, and in eager calls, sequences are read in blocks of 32 steps: one
    compiled loop serves all lengths. Numbers of sequences that are not known are rounded up to 8, 16, 24, 32, 40, 48,
    56, 64, 80 and so on. The results are the same up to rounding, for sums over steps are added in another order.

    In mixed precision, this loop computes steps in 32 bits; large products, values kept for the way back, and states
    between calls have 16. In Keras's loop, steps by equations have 32 bits, those of Keras's own cells and of NLSTM 16.
    """

    def __init__(self, *args, compiled_loop=True, **kwargs):
        super().__init__(*args, **kwargs)
        self.compiled_loop = compiled_loop
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self._kind_of_cell = type(self.cell)  # that has the equations of `_recurrence`; a subclass may change the cell

    def build(self, sequences_shape, initial_state_shape=None):
        super().build(sequences_shape, initial_state_shape)
        self._width = sequences_shape[-1]

    def get_config(self):
        return {**super().get_config(), "compiled_loop": self.compiled_loop}

    def call(self, sequences, initial_state=None, mask=None, training=False):
        sequences = ops.convert_to_tensor(sequences)
        if sequences.shape[-1] not in (None, self._width):
            raise ValueError(
                f'Input of shape {tuple(sequences.shape)} is incompatible with the layer "{self.name}": expected '
                f"{self._width} numbers in a step"
            )
        if not keras.backend.is_float_dtype(sequences.dtype):
            sequences = ops.cast(sequences, self.compute_dtype)
        batch = sequences.shape[0] if self.states is None else self.states[0].shape[0]
        unknown = sequences.shape[-1] is None or (sequences.shape[0] is None and batch is not None)
        if unknown and keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            sequences = tf.ensure_shape(sequences, (batch, None, self._width))
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)

    def _maybe_config_dropout_masks(self, cell, *given):
        if not isinstance(cell, EquationStep):  # `inner_loop` draws its masks
            super()._maybe_config_dropout_masks(cell, *given)

    def inner_loop(self, sequences, initial_state, mask, training=False):
        by_equations = isinstance(self.cell, EquationStep)
        mask = next(iter(keras.tree.flatten(mask)), None)  # Keras takes a list of one
        serves = self._compiled_loop_serves(initial_state, mask, training)
        masks = self.cell.draw_masks(sequences) if training and by_equations else None
        if training and (serves or by_equations) and 0 < self.dropout < 1:
            sequences = sequences * ops.expand_dims(self.cell.get_dropout_mask(sequences[:, 0]), axis=1)
        if not serves:
            sequences = sequences if masks is None else ops.concatenate([sequences, masks], axis=-1)
            return super().inner_loop(sequences, initial_state, mask, training=training)
        from shakegen.layers.recurrence import run

        cell, drop_h = self._recurrence(), by_equations and 0 < self.recurrent_dropout < 1
        with AutocastScope(None):
            weights = weights_by_name(self.cell, cell, keras.backend.result_type(self.compute_dtype, "float32"))
        given = (sequences, initial_state, self.go_backwards, masks, drop_h, mask, self.zero_output_for_mask)
        return run(cell, weights, *given)

    def _compiled_loop_serves(self, initial_state, mask, training):
        return (
            training
            and self.compiled_loop
            and keras.backend.backend() == "tensorflow"
            and (mask is None or len(mask.shape) == 2)
            and type(self.cell) is self._kind_of_cell
            and len(initial_state) == len(self.state_size)
            and not self.unroll
            and not self._drops_in_the_loop()
            and not self._cudnn_serves()
            and all(activation in ACTIVATIONS for activation in self._activations().values())
            and private_doors_open()
            and may_be_differentiated()
            and not is_mapped()
        )

    def _drops_in_the_loop(self):
        keras_cell = not isinstance(self.cell, EquationStep)
        return keras_cell and (self.recurrent_dropout or (self.dropout and hasattr(self.cell, "dropout_mask_count")))

    def _activations(self):
        names = ("activation", "recurrent_activation", "cell_activation")
        return {name: getattr(self.cell, name) for name in names if hasattr(self.cell, name)}

    def _cudnn_serves(self):
        use_cudnn = getattr(self, "use_cudnn", False)
        if use_cudnn != "auto":
            return use_cudnn
        import tensorflow as tf

        return (
            [ACTIVATIONS.get(activation) for activation in self._activations().values()] == ["tanh", "sigmoid"]
            and self.use_bias
            and getattr(self, "reset_after", True)
            and bool(tf.config.list_logical_devices("GPU"))
        )

    def _names(self):
        """The activations of the cell that are not fixed, by argument."""
        return {name: ACTIVATIONS[activation] for name, activation in self._activations().items()}


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
