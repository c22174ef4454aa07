"""The number of threads of a step: chosen by speed, without any effect on what is computed or on the process."""

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from shakegen.cells.registry import CELLS
from shakegen.inference import Engine
from shakegen.inference.threads import Blas, Pace, get_blas
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

    def call(self, threads, work, *arguments):
        assert threads < self.threads
        self.used.append(threads)
        self.now += self.seconds[threads]

    def work(self):
        self.used.append(self.threads)
        self.now += self.seconds[self.threads]

    def run(self, pace, seconds):
        """Steps per second while a pace runs for some seconds."""
        steps, end, began = 0, self.now + seconds, self.now
        while self.now < end:
            pace.run(self.work)
            steps += 1
        return steps / (self.now - began)


IDLE, BUSY = {1: 100e-6, 2: 50e-6}, {1: 100e-6, 2: 1e-3}
EIGHT = {1: 100e-6, 2: 60e-6, 4: 40e-6, 8: 90e-6}
EIGHT_BUSY = {1: 100e-6, 2: 200e-6, 4: 400e-6, 8: 900e-6}


@pytest.mark.parametrize("seconds", [IDLE, BUSY, EIGHT, {1: 5e-3, 2: 20e-3}, {1: 20e-6, 2: 20e-6}, {1: 0.5, 2: 0.3}])
def test_nine_tenths_of_the_fastest_number_are_reached(seconds):
    computer = Computer(seconds)
    pace = Pace(computer, lambda: computer.now)
    computer.run(pace, 50 * min(seconds.values()))
    assert computer.run(pace, 10) > 0.9 / min(seconds.values())


@pytest.mark.parametrize(("before", "after"), [(IDLE, BUSY), (BUSY, IDLE), (EIGHT, EIGHT_BUSY), (EIGHT_BUSY, EIGHT)])
def test_a_change_is_noticed_within_a_second(before, after):
    computer = Computer(before)
    pace = Pace(computer, lambda: computer.now)
    computer.run(pace, 5)
    computer.seconds = after
    computer.run(pace, 1)
    assert computer.run(pace, 5) > 0.9 / min(after.values())


def test_all_numbers_up_to_the_fastest_are_tried():
    computer = Computer(EIGHT)
    pace = Pace(computer, lambda: computer.now)
    computer.run(pace, 1)
    assert set(computer.used) == set(EIGHT)
    assert pace.threads == 4


@pytest.mark.parametrize(("units", "streams"), [(400, 1), (400, 3), (300, 64)])
@pytest.mark.parametrize(
    "options", [*({"cell": cell} for cell in CELLS), {"cell": "gru", "reset_after": False}], ids=str
)
def test_no_number_of_threads_changes_a_bit(options, streams, units):
    """Of steps; of a text that is read, unless the library itself rounds large products by the number of threads."""
    results, network = [], draw_network(units, **options, layers=2)
    for threads in (1, 4, 8):
        with threadpool_limits(threads, user_api="blas"):
            engine = Engine(*network)
            state, ids = engine.start(streams), np.arange(streams)
            for _ in range(3):
                logits, state = engine.step(ids, state)
            results.append(logits.copy())
            results.append(engine.read(np.tile(ids, (3, 1)), state)[0])
    steps, read = results[::2], results[1::2]
    assert all(np.array_equal(steps[0], result) for result in steps[1:])
    if get_blas().rounds_alike or streams == 1:
        assert all(np.array_equal(read[0], result) for result in read[1:])
    for result in read[1:]:
        np.testing.assert_allclose(result, read[0], rtol=1e-3, atol=1e-5)


def test_the_process_keeps_its_own_number():
    with threadpool_limits(4, user_api="blas"):
        blas, seen = Blas(), []
        blas.call(1, lambda: seen.extend(library["num_threads"] for library in read_libraries()))
        assert set(seen) == {1}
        assert blas.threads == 4
        assert {library["num_threads"] for library in read_libraries()} == {4}
        with pytest.raises(ZeroDivisionError):
            blas.call(1, lambda: 1 / 0)
        assert {library["num_threads"] for library in read_libraries()} == {4}


def read_libraries():
    return ThreadpoolController().select(user_api="blas").info()


def test_calls_within_calls_restore_the_number_from_before_all():
    with threadpool_limits(4, user_api="blas"):
        blas, seen = Blas(), []
        blas.call(2, blas.call, 1, lambda: seen.append(blas.threads))
        assert seen == [4]
        assert {library["num_threads"] for library in read_libraries()} == {4}


def test_large_steps_are_paced_and_small_ones_are_not():
    with threadpool_limits(2, user_api="blas"):
        small, large = (Engine(*draw_network(units, layers=1)) for units in (64, 512))
        assert small._find_pace(1) is None
        assert isinstance(large._find_pace(1), Pace)
        assert large._find_pace(1) is large._find_pace(1)
    with threadpool_limits(1, user_api="blas"):
        assert Engine(*draw_network(512, layers=1))._find_pace(1) is None
