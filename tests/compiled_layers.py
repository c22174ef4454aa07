"""The layers with a compiled loop, for tests in which that loop must run."""

import pytest

from shakegen import layers

H = 3
LAYERS = {
    "rnn": lambda **arguments: layers.SimpleRNN(H, **arguments),
    "lstm": lambda **arguments: layers.LSTM(H, **arguments),
    "gru": lambda **arguments: layers.GRU(H, **arguments),
    "nlstm": lambda **arguments: layers.NLSTM(H, depth=2, **arguments),
}
COMPILED = pytest.mark.usefixtures("in_the_compiled_loop")
LAYER = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
