"""Helpers of the tests of a stranger's model files: the line by which a file is refused, in bounded memory."""

import tracemalloc

import pytest

from shakegen.model import load, model_file

KERNEL = "weights/layer1/kernel"
PLAIN = "is not an array of numbers that is stored plainly in this file"
OWN = "a model's arrays must be in its own file, each once"


def replace(name, make):
    """A change of an open HDF5 file: one of its entries makes way for another."""

    def change(file):
        del file[name]
        make(file)

    return change


def refuse(path) -> str:
    """The reason for which a file is refused; reading it takes no more memory than a few files of its size."""
    tracemalloc.start()
    with pytest.raises(model_file.ModelFileError) as error:
        load(path, with_training=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * path.stat().st_size + (2 << 20)
    return str(error.value).replace(str(path), "{}").removeprefix("{} is not a usable model: ")
