"""Keras layers anyone can import.

Import this package before `keras.models.load_model` of a file that has one of them; Keras then knows their classes.
"""

import shakegen.layers.convolution
import shakegen.layers.dropout  # noqa: F401 - their layers are in files of networks
from shakegen.layers.newer import RGLRU, SLSTM, UGRNN, MinGRU, MinLSTM, MogrifierLSTM
from shakegen.layers.nlstm import NLSTM, NLSTMCell
from shakegen.layers.recurrent import GRU, LSTM, SimpleRNN

__all__ = [
    "GRU",
    "LSTM",
    "NLSTM",
    "RGLRU",
    "SLSTM",
    "UGRNN",
    "MinGRU",
    "MinLSTM",
    "MogrifierLSTM",
    "NLSTMCell",
    "SimpleRNN",
]
