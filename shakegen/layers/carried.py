"""States that a training loop carries from batch to batch, in layers of any batch size."""

import contextlib
from collections.abc import Iterator, Mapping

import keras
from keras import ops


class Carried:
    """What a layer carries during `carrying`.

    Args:
        states: the last ones of the batch before, a variable (N, ...) for each.
        begins: which sequences start anew, (N,), booleans.
    """

    def __init__(self, states: list[keras.Variable], begins):
        self._states, self._begins = states, begins

    def start(self, initial: list) -> list:
        """The states that a batch starts from; `initial` has those of sequences that start anew."""
        begins = [ops.reshape(self._begins, (-1, *[1] * (len(state.shape) - 1))) for state in initial]
        states = [ops.cast(state.value, start.dtype) for state, start in zip(self._states, initial, strict=True)]
        return [ops.where(*parts) for parts in zip(begins, initial, states, strict=True)]

    def keep(self, last: list) -> None:
        """Keep the states at the end of a batch."""
        for state, value in zip(self._states, last, strict=True):
            state.assign(ops.cast(value, state.dtype))


class CarriesStates:
    """Lets `carrying` pass a recurrent layer's states from call to call.

    Keras's `stateful` does so in every call, and fixes the batch size: of the layer, and of a file of its model.
    """

    carried: Carried | None = None

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if self.carried is None or initial_state is not None:
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        returns, self.return_state = self.return_state, True
        try:
            start = self.carried.start(self.get_initial_state(ops.shape(sequences)[0]))
            outputs, *last = super().call(sequences, initial_state=start, mask=mask, training=training)
        finally:
            self.return_state = returns
        self.carried.keep(last)
        return (outputs, *last) if returns else outputs


def make_states(network: keras.Model, batch_size: int) -> dict[str, list[keras.Variable]]:
    """Variables for `carrying`, by the name of the network's own layer, at first the states that sequences start from.

    Layers within other layers, as in `keras.layers.Bidirectional`, have none.
    """
    layers = [layer for layer in network.layers if hasattr(layer, "carried")]
    starts = {layer: layer.get_initial_state(batch_size) for layer in layers}
    return {
        layer.name: [keras.Variable(state, trainable=False, dtype=layer.variable_dtype) for state in states]
        for layer, states in starts.items()
        if states
    }


@contextlib.contextmanager
def carrying(network: keras.Model, states: Mapping[str, list[keras.Variable]], begins) -> Iterator[None]:
    """Let layers start where the batch before ended, except for sequences that begin; calls within do so.

    Replicas that trace a step in turn, each with its own `begins`, must not take turns within it: the network has no
    operation that waits for the other replicas.

    Args:
        network: the model.
        states: of `make_states`; none, and all sequences begin.
        begins: which sequences of the batch start anew, (N,), booleans.
    """
    layers = [network.get_layer(name) for name in states]
    for layer in layers:
        layer.carried = Carried(states[layer.name], begins)
    try:
        yield
    finally:
        for layer in layers:
            layer.carried = None
