"""Keras's SimpleRNN, LSTM and GRU, faster."""

import keras

from shakegen import cells
from shakegen.layers.carried import CarriesStates
from shakegen.layers.compiled import CompiledLoop, use_cudnn
from shakegen.layers.extended_cell import ExtendedCell
from shakegen.layers.initial_state import LearnedInitialState


@keras.saving.register_keras_serializable(package="shakegen")
class SimpleRNN(CarriesStates, LearnedInitialState, ExtendedCell, CompiledLoop, keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN`, with its arguments, weights and outputs, trained by one compiled loop over time.

    h = activation(x W + h U + b) (Elman 1990, "Finding structure in time"). With activation="relu" and
    recurrent_initializer="identity" it is the IRNN (Le, Jaitly & Hinton 2015, https://arxiv.org/abs/1504.00941).

    Args:
        units: size H of the output and of the state.
        learn_initial_state: whether the state that a sequence starts from is a weight, instead of zeros.
        compiled_loop: as for `CompiledLoop`.
        zoneout: as for `ExtendedCell`.
        **kwargs: the other arguments of `keras.layers.SimpleRNN`. Calls, returned values and errors are its own, too.

    Example:

        model = keras.Sequential([keras.Input((None, 65)), SimpleRNN(128), keras.layers.Dense(65, "softmax")])
    """

    def __init__(self, units, *args, learn_initial_state=False, zoneout=0.0, **kwargs):
        super().__init__(units, *args, learn_initial_state=learn_initial_state, **kwargs)
        self._extend_cell(zoneout=zoneout)

    def _recurrence(self):
        return cells.RNN(self.units, **self._names(), **self._extensions)


@keras.saving.register_keras_serializable(package="shakegen")
class LSTM(CarriesStates, LearnedInitialState, ExtendedCell, CompiledLoop, keras.layers.LSTM):
    """`keras.layers.LSTM`, with its arguments, weights and outputs, trained by one compiled loop over time.

    i, f, o = σ(x W + h U + b), g = tanh(x W + h U + b), c = f ⊙ c + i ⊙ g, h = o ⊙ tanh(c) (Hochreiter & Schmidhuber
    1997, with the forget gate of Gers, Schmidhuber & Cummins 2000). On a GPU where cuDNN serves, cuDNN runs it.

    Args:
        units: size H of the output and of both states, h and c.
        learn_initial_state: whether the states that a sequence starts from are weights, instead of zeros.
        compiled_loop: as for `CompiledLoop`.
        layer_norm, zoneout: as for `ExtendedCell`.
        **kwargs: the other arguments of `keras.layers.LSTM`. Calls, returned values and errors are its own, too.

    Example:

        model = keras.Sequential([keras.Input((None, 65)), LSTM(128), keras.layers.Dense(65, "softmax")])
    """

    use_cudnn = use_cudnn

    def __init__(self, units, *args, learn_initial_state=False, layer_norm=False, zoneout=0.0, **kwargs):
        super().__init__(units, *args, learn_initial_state=learn_initial_state, **kwargs)
        self._extend_cell(layer_norm=layer_norm, zoneout=zoneout)

    def _recurrence(self):
        return cells.LSTM(self.units, **self._names(), **self._extensions)


@keras.saving.register_keras_serializable(package="shakegen")
class GRU(CarriesStates, LearnedInitialState, ExtendedCell, CompiledLoop, keras.layers.GRU):
    """`keras.layers.GRU`, with its arguments, weights and outputs, trained by one compiled loop over time.

    z, r = σ(x W + h U + b), g = tanh(x W + r ⊙ (h U + b)), h = z ⊙ h + (1 - z) ⊙ g; with reset_after=False,
    g = tanh(x W + (r ⊙ h) U + b) (Cho et al. 2014, https://arxiv.org/abs/1406.1078). On a GPU where cuDNN serves, cuDNN
    runs it.

    Args:
        units: size H of the output and of the state.
        learn_initial_state: whether the state that a sequence starts from is a weight, instead of zeros.
        compiled_loop: as for `CompiledLoop`.
        layer_norm, zoneout: as for `ExtendedCell`.
        **kwargs: the other arguments of `keras.layers.GRU`. Calls, returned values and errors are its own, too.

    Example:

        model = keras.Sequential([keras.Input((None, 65)), GRU(128), keras.layers.Dense(65, "softmax")])
    """

    use_cudnn = use_cudnn

    def __init__(self, units, *args, learn_initial_state=False, layer_norm=False, zoneout=0.0, **kwargs):
        super().__init__(units, *args, learn_initial_state=learn_initial_state, **kwargs)
        self._extend_cell(layer_norm=layer_norm, zoneout=zoneout)

    def _recurrence(self):
        return cells.GRU(self.units, self.reset_after, **self._names(), **self._extensions)
