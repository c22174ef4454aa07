"""Every recurrent unit, one file each, and all that follows from its equations.

`as_layer(MyCell)` gives a Keras layer; it is the only name here that needs Keras.
"""

import importlib
from typing import TYPE_CHECKING

from shakegen.cells.cell import Cell, OnnxNode, Weight, option
from shakegen.cells.operations import (
    CellError,
    activate,
    concat,
    exp,
    log,
    maximum,
    normalise,
    relu,
    rows,
    sigmoid,
    softplus,
    split,
    sqrt,
    tanh,
)
from shakegen.cells.registry import BUILT_IN, find_cell, load_cell, resolve_cell

# In this order they are listed.
from shakegen.cells.rnn import RNN  # isort: skip
from shakegen.cells.lstm import LSTM  # isort: skip
from shakegen.cells.gru import GRU  # isort: skip
from shakegen.cells.nlstm import NLSTM  # isort: skip
from shakegen.cells.ugrnn import UGRNN  # isort: skip
from shakegen.cells.mogrifier import Mogrifier  # isort: skip
from shakegen.cells.rglru import RGLRU  # isort: skip
from shakegen.cells.slstm import SLSTM  # isort: skip
from shakegen.cells.mingru import MinGRU  # isort: skip
from shakegen.cells.minlstm import MinLSTM  # isort: skip

__all__ = [
    "BUILT_IN",
    "GRU",
    "LSTM",
    "NLSTM",
    "RGLRU",
    "RNN",
    "SLSTM",
    "UGRNN",
    "Cell",
    "CellError",
    "MinGRU",
    "MinLSTM",
    "Mogrifier",
    "OnnxNode",
    "Weight",
    "activate",
    "concat",
    "exp",
    "find_cell",
    "load_cell",
    "log",
    "maximum",
    "normalise",
    "option",
    "relu",
    "resolve_cell",
    "rows",
    "sigmoid",
    "softplus",
    "split",
    "sqrt",
    "tanh",
]

if TYPE_CHECKING:
    from shakegen.layers.cell_layer import as_layer as as_layer
else:

    def __getattr__(name: str):
        if name != "as_layer":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return importlib.import_module("shakegen.layers.cell_layer").as_layer
