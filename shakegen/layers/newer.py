"""Keras layers of the units since 2017, each made from the equations of its file in `shakegen/cells`."""

import sys

import keras

from shakegen import cells
from shakegen.layers.cell_layer import CellLayer


def make_public(kind: type[cells.Cell]) -> type[CellLayer]:
    """The layer of a cell under the name that its file says, documented by the cell, its paper and its options."""
    name = kind.layer.partition(":")[2]
    options = (f"\n        {one}: {field.metadata['help']}" for one, field in kind.options().items())
    document = f"""{kind.__doc__}
    {sys.modules[kind.__module__].__doc__}

    Args:{"".join(options)}
        **kwargs: the other arguments of `CellLayer`. Calls and errors are its own, too.
    """
    made = type(name, (CellLayer,), {"kind": kind, "__doc__": document, "__module__": __name__})
    return keras.saving.register_keras_serializable(package="shakegen")(made)


UGRNN, MogrifierLSTM, RGLRU = make_public(cells.UGRNN), make_public(cells.Mogrifier), make_public(cells.RGLRU)
SLSTM, MinGRU, MinLSTM = make_public(cells.SLSTM), make_public(cells.MinGRU), make_public(cells.MinLSTM)
