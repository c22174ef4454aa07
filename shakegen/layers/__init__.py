"""Keras layers anyone can import."""

from shakegen.layers.nlstm import NLSTM, NLSTMCell
from shakegen.layers.recurrent import GRU, LSTM, SimpleRNN

__all__ = ["GRU", "LSTM", "NLSTM", "NLSTMCell", "SimpleRNN"]
