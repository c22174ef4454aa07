"""Keras layers anyone can import."""

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
