"""A configuration that follows from another one."""

import copy
import itertools
import pickle
from dataclasses import asdict, replace

import numpy as np
import pytest

from shakegen.cells import BUILT_IN, find_cell
from shakegen.network.config import Config

LEVELS = [{}, {"level": "word"}, {"level": "char"}]
SETTINGS = [*LEVELS, {"embedding": 0}, {"embedding": 256}, {"units": 7}, {"dropout": 0}]


@pytest.mark.parametrize(("first", "then"), [*itertools.product(SETTINGS, SETTINGS)], ids=str)
def test_a_replaced_setting_is_a_setting_from_the_start(first, then):
    replaced, direct = replace(Config(**first), **then), Config(**{**first, **then})
    assert replaced == direct
    assert replaced.weight_shapes(30) == direct.weight_shapes(30)
    again = {**then, "level": "word"}
    for kept in (copy.deepcopy(replaced), pickle.loads(pickle.dumps(replaced))):
        assert replace(kept, level="word") == Config(**{**first, **again})


def test_blocks_have_an_embedding_as_large_as_a_layer():
    blocks = Config(units=9, convolution=4)
    assert (blocks.embedding, replace(blocks, units=7).embedding, replace(blocks, level="word").embedding) == (9, 7, 9)
    assert replace(blocks, convolution=0) == Config(units=9)
    assert Config.study(units=9, mlp=2).weight_shapes(27)["embedding/embeddings"] == (27, 9)


def test_configurations_from_before_there_were_blocks_have_none():
    values = Config("lstm", units=9).to_dict()
    del values["convolution"], values["mlp"]
    assert Config.from_dict(values) == Config("lstm", units=9)


@pytest.mark.parametrize("cell", BUILT_IN)
@pytest.mark.parametrize("other", BUILT_IN)
@pytest.mark.parametrize("options", [{}, {"depth": 3}, {"reset_after": False}, {"activation": "relu"}], ids=str)
def test_another_cell_takes_the_options_that_were_given_and_that_it_has(cell, other, options):
    own = {name: value for name, value in options.items() if name in find_cell(cell).options()}
    shared = {name: value for name, value in own.items() if name in find_cell(other).options()}
    assert replace(Config(cell, **own), cell=other) == Config(other, **shared)


def test_options_of_another_cell_are_refused_however_they_are_given():
    for options in ({"depth": 3}, {"cell_options": {"depth": 3}}):
        with pytest.raises(ValueError) as error:
            Config("gru", **options)
        assert str(error.value) == "depth is 3, but the cell is gru: it is for nlstm only"


def test_options_of_a_cell_cannot_be_changed():
    config = Config("nlstm", depth=3)
    with pytest.raises(TypeError):
        config.cell_options["depth"] = 99
    assert asdict(config)["cell_options"] == {"zoneout": 0.0, "depth": 3}


def test_numbers_of_numpy_are_those_of_python():
    given = Config(units=np.int64(9), dropout=np.float32(0.5), layers=np.uint8(1))
    assert given == Config(units=9, dropout=0.5, layers=1)
    assert [type(value) for value in (given.units, given.dropout)] == [int, float]
