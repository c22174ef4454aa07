"""Recurrent Keras layers that anyone can import: the four cells of shakegen."""

from keras.layers import GRU, LSTM, SimpleRNN

__all__ = ["GRU", "LSTM", "SimpleRNN"]
