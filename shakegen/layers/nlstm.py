"""The Nested LSTM as a Keras layer."""

from operator import attrgetter

import keras

from shakegen import cells
from shakegen.layers.carried import CarriesStates
from shakegen.layers.compiled import CompiledLoop, use_cudnn
from shakegen.layers.extended_cell import ExtendedCell
from shakegen.layers.initial_state import LearnedInitialState
from shakegen.layers.nlstm_cell import NLSTMCell, at_least_1

__all__ = ["NLSTM", "NLSTMCell"]


@keras.saving.register_keras_serializable(package="shakegen")
class NLSTM(CarriesStates, LearnedInitialState, ExtendedCell, CompiledLoop, keras.layers.LSTM):
    """Nested LSTM layer: the arguments and the behaviour of `keras.layers.LSTM`, the equations of `NLSTMCell`.

    An inner memory is read and written only through the gates of the memory around it, so it can keep for longer the
    things that do not matter now (Moniz & Krueger 2017, "Nested LSTMs", https://arxiv.org/abs/1801.10308). It runs on
    TensorFlow, JAX and PyTorch. With depth 1 and cell_activation="tanh" it is `keras.layers.LSTM`, weight for weight.

    Args:
        units: size H of the output and of every memory, at least 1.
        depth: number D of nested memories, at least 1.
        activation: of the inner candidates and of every memory on its way out.
        recurrent_activation: of the gates.
        cell_activation: of the outermost candidate. Linear by default, as in the paper.
        unit_forget_bias: whether the forget gates' biases start at 1, on every level.
        dropout, recurrent_dropout: fraction of x, and of h, dropped on the way into level 0; one mask per sequence.
        use_cudnn: "auto" or False, which mean the same: cuDNN has no Nested LSTM.
        learn_initial_state: whether the states that a sequence starts from are weights, instead of zeros.
        compiled_loop: as for `CompiledLoop`.
        implementation: 2 to drop the same inputs for all gates, 1 for each gate its own; recurrent_dropout implies 1.
        zoneout: as for `ExtendedCell`.
        *args, **kwargs: the other arguments of `keras.layers.LSTM`; initializers, regularizers and constraints hold for
            the weights of every level.

    Call arguments:
        sequences: tensor (batch, time, inputs).
        initial_state: list of D + 1 tensors (batch, units): h, c_0 (outermost), …, c_{D-1}.
        mask: boolean tensor (batch, time); a step where it is False changes no state.
        training: whether dropout acts.

    Returns:
        The output, (batch, units), or (batch, time, units) with return_sequences=True; with return_state=True, a tuple
        of it and the D + 1 states.

    Raises:
        ValueError: units or depth is not an integer of at least 1, use_cudnn is True, or initial_state has not D + 1
            tensors.

    Example:

        model = keras.Sequential([keras.Input((None, 65)), NLSTM(128, depth=2), keras.layers.Dense(65, "softmax")])
    """

    use_cudnn = use_cudnn

    def __init__(
        self,
        units,
        depth=2,
        activation="tanh",
        recurrent_activation="sigmoid",
        cell_activation="linear",
        *args,
        use_cudnn="auto",
        learn_initial_state=False,
        zoneout=0.0,
        **kwargs,
    ):
        if use_cudnn not in ("auto", False):
            raise ValueError(f"`use_cudnn` must be 'auto' or False: cuDNN has no Nested LSTM. Received: {use_cudnn!r}")
        super().__init__(
            at_least_1("units", units),
            activation,
            recurrent_activation,
            *args,
            use_cudnn=False,
            learn_initial_state=learn_initial_state,
            **kwargs,
        )
        own = {"depth": depth, "cell_activation": cell_activation, "name": "nlstm_cell"}
        self.cell = self._copy_cell(NLSTMCell, **own, implementation=self.cell.implementation)
        self.state_size = self.cell.state_size
        self._extend_cell(zoneout=zoneout)

    depth = property(attrgetter("cell.depth"))
    cell_activation = property(attrgetter("cell.cell_activation"))
    seed = property(attrgetter("cell.seed"))

    def _recurrence(self):
        return cells.NLSTM(self.units, self.depth, **self._names(), **self._extensions)

    def get_config(self):
        return {**self.cell.get_config(), **super().get_config()}
