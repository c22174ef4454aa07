"""Keras's SimpleRNN, LSTM and GRU, faster."""

import keras
from keras import ops

from shakegen.layers.compiled import CompiledLoop
from shakegen.layers.initial_state import LearnedInitialState


@keras.saving.register_keras_serializable(package="shakegen")
class SimpleRNN(LearnedInitialState, CompiledLoop, keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN`, with its arguments, weights and outputs, trained by one compiled loop over time.

    h = activation(x W + h U + b) (Elman 1990, "Finding structure in time"). With activation="relu" and
    recurrent_initializer="identity" it is the IRNN (Le, Jaitly & Hinton 2015, https://arxiv.org/abs/1504.00941).

    Args:
        units: size H of the output and of the state.
        learn_initial_state: whether the state that a sequence starts from is a weight, instead of zeros.
        Every other argument is that of `keras.layers.SimpleRNN`, and so is what calling the layer takes, returns and
        raises.

    Example:

        model = keras.Sequential([keras.Input((None, 65)), SimpleRNN(128), keras.layers.Dense(65, "softmax")])
    """

    def __init__(self, units, *args, learn_initial_state=False, **kwargs):
        super().__init__(units, *args, learn_initial_state=learn_initial_state, **kwargs)

    def _recurrence(self):
        from shakegen.layers.equations import Simple

        cell, (activation,) = self.cell, self._names()
        b = [self._weight(cell.bias)] if self.use_bias else [None]
        return Simple(self.units, activation), [self._weight(cell.kernel)], b, [self._weight(cell.recurrent_kernel)]


@keras.saving.register_keras_serializable(package="shakegen")
class LSTM(LearnedInitialState, CompiledLoop, keras.layers.LSTM):
    """`keras.layers.LSTM`, with its arguments, weights and outputs, trained by one compiled loop over time.

    i, f, o = σ(x W + h U + b), g = tanh(x W + h U + b), c = f ⊙ c + i ⊙ g, h = o ⊙ tanh(c) (Hochreiter & Schmidhuber
    1997, with the forget gate of Gers, Schmidhuber & Cummins 2000). On a GPU where cuDNN serves, cuDNN runs it.

    Args:
        units: size H of the output and of both states, h and c.
        learn_initial_state: whether the states that a sequence starts from are weights, instead of zeros.
        Every other argument is that of `keras.layers.LSTM`, and so is what calling the layer takes, returns and raises.

    Example:

        model = keras.Sequential([keras.Input((None, 65)), LSTM(128), keras.layers.Dense(65, "softmax")])
    """

    def __init__(self, units, *args, learn_initial_state=False, **kwargs):
        super().__init__(units, *args, learn_initial_state=learn_initial_state, **kwargs)

    def _recurrence(self):
        from shakegen.layers.equations import Nested

        cell, (activation, recurrent_activation) = self.cell, self._names()
        equation = Nested(self.units, 1, activation, activation, recurrent_activation)
        b = [self._weight(cell.bias)] if self.use_bias else [None]
        return equation, [self._weight(cell.kernel)], b, [self._weight(cell.recurrent_kernel)]


@keras.saving.register_keras_serializable(package="shakegen")
class GRU(LearnedInitialState, CompiledLoop, keras.layers.GRU):
    """`keras.layers.GRU`, with its arguments, weights and outputs, trained by one compiled loop over time.

    z, r = σ(x W + h U + b), g = tanh(x W + r ⊙ (h U + b)), h = z ⊙ h + (1 - z) ⊙ g; with reset_after=False,
    g = tanh(x W + (r ⊙ h) U + b) (Cho et al. 2014, https://arxiv.org/abs/1406.1078). On a GPU where cuDNN serves, cuDNN
    runs it.

    Args:
        units: size H of the output and of the state.
        learn_initial_state: whether the state that a sequence starts from is a weight, instead of zeros.
        Every other argument is that of `keras.layers.GRU`, and so is what calling the layer takes, returns and raises.

    Example:

        model = keras.Sequential([keras.Input((None, 65)), GRU(128), keras.layers.Dense(65, "softmax")])
    """

    def __init__(self, units, *args, learn_initial_state=False, **kwargs):
        super().__init__(units, *args, learn_initial_state=learn_initial_state, **kwargs)

    def _recurrence(self):
        from shakegen.layers.equations import Gated, GatedBefore

        H, cell = self.units, self.cell
        W, U = self._weight(cell.kernel), self._weight(cell.recurrent_kernel)
        W = ops.split(W, [2 * H], axis=1)
        if not self.reset_after:
            b = ops.split(self._weight(cell.bias), [2 * H]) if self.use_bias else [None, None]
            return GatedBefore(H, *self._names()), W, b, ops.split(U, [2 * H], axis=1)
        b = self._weight(cell.bias) if self.use_bias else ops.zeros((2, 3 * H), cell.compute_dtype)
        b_x, b_h = ops.unstack(b)
        b_zr, b_q = ops.split(b_h, [2 * H])
        return Gated(H, *self._names()), W, [b_x[: 2 * H] + b_zr, b_x[2 * H :]], [U, b_q]
