"""The number of threads of a step: chosen by speed, without any effect on what is computed or on the process."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from shakegen.cells.registry import CELLS
from shakegen.inference import Engine
from shakegen.inference.threads import Pace, multiply
from shakegen.network.config import Config


def draw_network(units, cell="lstm", **options):
    """A configuration and its weights."""
    config, random = Config(cell, units=units, **options), np.random.default_rng(0)
    shapes = config.weight_shapes(65).items()
    return config, {name: random.normal(0, units**-0.5, shape).astype("f4") for name, shape in shapes}


class Computer:
    """A clock, and threads whose steps take the seconds that are given for their number."""

    def __init__(self, seconds):
        self.threads, self.now, self.steps = max(seconds), 0.0, 0
        self.seconds, self.used = seconds, []

    def call(self, threads):
        self.used.append(threads)
        self.now += self.seconds[threads]

    def make_pace(self):
        return Pace(self.call, self.threads, lambda: self.now)

    def run(self, pace, seconds):
        """Steps per second while a pace runs for some seconds."""
        steps, end, began = 0, self.now + seconds, self.now
        while self.now < end:
            pace.run()
            steps += 1
        return steps / (self.now - began)


IDLE, BUSY = {1: 100e-6, 2: 50e-6}, {1: 100e-6, 2: 1e-3}
EIGHT = {1: 100e-6, 2: 60e-6, 4: 40e-6, 8: 90e-6}
EIGHT_BUSY = {1: 100e-6, 2: 200e-6, 4: 400e-6, 8: 900e-6}


@pytest.mark.parametrize("seconds", [IDLE, BUSY, EIGHT, {1: 5e-3, 2: 20e-3}, {1: 20e-6, 2: 20e-6}, {1: 0.5, 2: 0.3}])
def test_nine_tenths_of_the_fastest_number_are_reached(seconds):
    computer = Computer(seconds)
    pace = computer.make_pace()
    computer.run(pace, 50 * min(seconds.values()))
    assert computer.run(pace, 10) > 0.9 / min(seconds.values())


@pytest.mark.parametrize(("before", "after"), [(IDLE, BUSY), (BUSY, IDLE), (EIGHT, EIGHT_BUSY), (EIGHT_BUSY, EIGHT)])
def test_a_change_is_noticed_within_a_second(before, after):
    computer = Computer(before)
    pace = computer.make_pace()
    computer.run(pace, 5)
    computer.seconds = after
    computer.run(pace, 1)
    assert computer.run(pace, 5) > 0.9 / min(after.values())


def test_all_numbers_up_to_the_fastest_are_tried():
    computer = Computer(EIGHT)
    pace = computer.make_pace()
    computer.run(pace, 1)
    assert set(computer.used) == set(EIGHT)
    assert pace.threads == 4


NETWORKS = {cell: {"cell": cell} for cell in CELLS}
NETWORKS["gru, reset before"] = {"cell": "gru", "reset_after": False}
NETWORKS["gru in a block"] = {"cell": "gru", "convolution": 4, "mlp": 2}
SIZES = [(400, 1), (300, 64)]  # units and streams, beside 400 and 3


@pytest.mark.parametrize(
    ("options", "units", "streams"),
    [
        *((options, 400, 3) for options in NETWORKS.values()),
        *((NETWORKS[name], *sizes) for name in ("gru", "mogrifier", "gru in a block") for sizes in SIZES),
    ],
    ids=str,
)
def test_no_number_of_threads_changes_a_bit(options, streams, units, monkeypatch):
    results, network, used = [], draw_network(units, **options, layers=2), set()
    ids = np.random.default_rng(0).integers(65, size=(260 if streams == 1 else 3, streams))
    for number in (1, 2, 4, 8):

        def run(pace, *arguments, number=number):
            used.add(number)
            pace._call(min(number, pace._numbers[-1]), *arguments)

        with threadpool_limits(number, user_api="blas"):
            engine, found = Engine(*network), []
            state = engine.start(streams)
            with monkeypatch.context() as patch:
                patch.setattr(Pace, "run", run)
                for some in ids[:3]:
                    logits, state = engine.step(some, state)
                found += [logits.copy(), engine.read(ids[:3], state)[0].copy()]
            found.append(engine.read(ids, state)[0])
            found += engine.prime(np.resize(ids[:, 0], 140))
            results.append(found)
    assert used == {2, 4, 8}  # one thread alone needs no pace
    for same in zip(*results, strict=True):
        assert all(np.array_equal(same[0], result) for result in same[1:])


@pytest.mark.parametrize("rows", [1, 2, 15, 16, 300])
@pytest.mark.parametrize(("depth", "columns"), [(257, 8191), (480, 8191), (500, 8191), (4096, 1100)])
def test_no_number_of_threads_changes_a_bit_of_a_product(rows, depth, columns):
    random = np.random.default_rng(0)
    left, right = random.normal(size=(rows, depth)).astype("f4"), random.normal(size=(depth, columns)).astype("f4")
    products = []
    for number in (1, 2, 3, 4, 6, 8):
        with threadpool_limits(number, user_api="blas"):
            products.append(multiply(left, right))
    assert all(np.array_equal(products[0], product) for product in products)
    assert np.allclose(products[0], left.astype("f8") @ right, atol=1e-3)


@pytest.mark.parametrize("streams", [2, 16, 100])
def test_streams_side_by_side_are_as_each_by_itself(streams):
    """Blocks of streams are computed in threads of their own, from 16 streams on."""
    engine, ids = Engine(*draw_network(256, layers=2)), np.random.default_rng(1).integers(65, size=(3, streams))
    assert len(engine._cut(streams)) == {2: 1, 16: 2, 100: 2}[streams]
    with threadpool_limits(2, user_api="blas"):
        state, read_state = engine.start(streams), engine.start(streams)
        logits = np.array([engine.step(some, state)[0].copy() for some in ids])
        read = engine.read(ids, read_state)[0]
    for stream in (0, streams // 2, streams - 1):
        alone, one = engine.start(), engine.start()
        steps = [engine.step(some[stream : stream + 1], alone)[0][0].copy() for some in ids]
        assert np.allclose(logits[:, stream], steps, atol=1e-5)
        assert np.allclose(read[:, stream], engine.read(ids[:, [stream]], one)[0][:, 0], atol=1e-5)
        assert np.allclose(state[stream], alone, atol=1e-5)
        assert np.allclose(read_state[stream, engine._products.results], one[0, engine._products.results], atol=1e-5)


def test_large_steps_are_paced_and_small_ones_are_not():
    with threadpool_limits(2, user_api="blas"):
        small, large = (Engine(*draw_network(units, layers=1)) for units in (64, 512))
        assert small._find_pace(1) is None
        assert isinstance(large._find_pace(1), Pace)
        assert large._find_pace(1) is large._find_pace(1)
    with threadpool_limits(1, user_api="blas"):
        assert Engine(*draw_network(512, layers=1))._find_pace(1) is None
