"""The exact network of any cell: that of the engine, and the same whatever stands beside it."""

import numpy as np
import pytest
from odd_cells import ODD

from shakegen.cells.registry import BUILT_IN, CELLS
from shakegen.compression.exact_network import ExactNetwork
from shakegen.inference import Engine
from shakegen.network.config import Config

ALL = [(name, {}) for name in [*BUILT_IN, *(cell.name for cell in ODD)]]
OPTIONS = [
    ("gru", {"reset_after": False}),
    ("gru", {"layer_norm": True, "zoneout": 0.1}),
    ("lstm", {"layer_norm": True}),
    ("rnn", {"activation": "relu"}),
    ("nlstm", {"depth": 3}),
    ("mogrifier", {"rank": 2}),
    ("minlstm", {"positive": True}),
    ("lstm", {"embedding": 3, "learn_initial_state": True}),
    ("gru", {"residual": False, "layers": 3}),
    ("mingru", {"convolution": 3, "mlp": 2}),
]
SYMBOLS = 7


@pytest.fixture(params=[*ALL, *OPTIONS], ids=str)
def config(request):
    cell, options = request.param
    CELLS.update({cell.name: cell for cell in ODD})
    return Config(cell, **{"units": 5, "layers": 2, **options})


def test_its_probabilities_are_those_of_the_engine(config, random_weights, rng):
    weights = random_weights(config, SYMBOLS)
    engine, network = Engine(config, weights), ExactNetwork(config, weights)
    states = network.start(1)
    ids = rng.integers(SYMBOLS, size=(12, 1))
    logits, state = engine.prime([])
    for one in ids:
        p = np.exp(logits - logits.max())
        shares = np.diff(network.predict(states)[0])
        assert np.allclose(shares / shares.sum(), p / p.sum(), atol=3e-6)
        logits, state = engine.step(one, state)
        states = network.read(one, states)


def test_streams_side_by_side_are_bit_for_bit_as_alone(config, random_weights, rng):
    network = ExactNetwork(config, random_weights(config, SYMBOLS))
    ids = rng.integers(SYMBOLS, size=(5, 3))
    together, alone = network.start(3), [network.start(1) for _ in range(3)]
    for row in ids:
        together = network.read(row, together)
        alone = [network.read(row[k : k + 1], states) for k, states in enumerate(alone)]
    for one, *others in zip(together, *alone, strict=True):
        assert np.array_equal(one, np.vstack(others))
    assert np.array_equal(network.predict(together), np.vstack([network.predict(states) for states in alone]))


def test_networks_that_leave_all_bounds_still_predict(random_weights):
    config = Config("rnn", units=5, layers=2, activation="relu")
    weights = {name: weight * 1e30 for name, weight in random_weights(config, SYMBOLS).items()}
    network = ExactNetwork(config, weights)
    states = network.start(2)
    with np.errstate(all="ignore"):
        for _ in range(20):
            states = network.read(np.array([1, 2]), states)
            sums = network.predict(states)
            assert np.diff(sums).min() >= 1
            assert sums.max() <= SYMBOLS << 31
