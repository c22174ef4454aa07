"""The cells of the lab, by their names."""

import pytest

from shakegen.lab.cells import CELLS, make_config
from shakegen.network.config import Config

ONE = {"units": 4, "layers": 1, "dropout": 0.0, "residual": False}


def test_a_cell_has_the_options_that_its_name_says():
    assert make_config("nlstm:depth=3", 4) == Config("nlstm", depth=3, **ONE)
    assert make_config("gru:reset-after=false", 4) == Config("gru", reset_after=False, **ONE)
    assert make_config("irnn", 4) == Config("rnn", activation="relu", **ONE)
    assert make_config("irnn:zoneout=0.1", 4) == Config("rnn", activation="relu", zoneout=0.1, **ONE)
    assert all(make_config(name, 4).units == 4 for name in CELLS)


@pytest.mark.parametrize("name", ["gru:nonsense=1", "gru:", "gru:units=3"])
def test_other_settings_are_refused(name):
    with pytest.raises(ValueError) as error:
        make_config(name, 4)
    setting = name.removeprefix("gru:")
    assert str(error.value) == (
        f"a cell cannot have {setting!r} of its own: expected NAME=VALUE, the name one of zoneout, "
        "activation, layer_norm, reset_after, depth, rounds, rank, forget, positive"
    )
