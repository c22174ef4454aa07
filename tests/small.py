"""A small network, and the options of a fast training run."""

from shakegen.network.config import Config

SMALL = {"batch_size": 8, "seq_length": 20, "verbose": False}
PLAIN = Config("rnn", units=6, layers=1, dropout=0)
