"""The number of threads of a step: chosen by speed, without any effect on what is computed or on the process."""

import threading

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from shakegen.cells.registry import CELLS
from shakegen.inference import Engine
from shakegen.inference.threads import Blas, Pace
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


@pytest.mark.parametrize(("units", "streams"), [(400, 1), (400, 3), (300, 64)])
@pytest.mark.parametrize(
    "options", [*({"cell": cell} for cell in CELLS), {"cell": "gru", "reset_after": False}], ids=str
)
def test_no_number_of_threads_changes_a_bit(options, streams, units):
    results, network = [], draw_network(units, **options, layers=2)
    for threads in (1, 4, 8):
        with threadpool_limits(threads, user_api="blas"):
            engine = Engine(*network)
            state, ids = engine.start(streams), np.arange(streams)
            for _ in range(3):
                logits, state = engine.step(ids, state)
            results.append(logits.copy())
            results.append(engine.read(np.tile(ids, (3, 1)), state)[0])
    for same in results[::2], results[1::2]:
        assert all(np.array_equal(same[0], result) for result in same[1:])


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


def test_parts_are_computed_at_the_same_time_and_their_results_have_their_order():
    with threadpool_limits(2, user_api="blas"):
        blas, both, seen = Blas(), threading.Barrier(2, timeout=60), []

        def work(part):
            both.wait()
            seen.append({library["num_threads"] for library in read_libraries()})
            assert blas.share(8, lambda one: one + blas.threads, [part]) == [part + 1]  # parts of a part have one
            return 10 * part

        assert blas.share(8, work, range(6)) == [0, 10, 20, 30, 40, 50]
        assert seen == [{1}] * 6
        assert blas.threads == 2


@pytest.mark.parametrize("part", [0, 1, 5])
def test_an_error_in_a_part_arrives_after_all_parts_have_ended(part):
    ended = []

    def work(one):
        if one == part:
            raise ZeroDivisionError
        ended.append(one)

    with threadpool_limits(2, user_api="blas"):
        with pytest.raises(ZeroDivisionError):
            Blas().share(2, work, range(6))
        others = [one for one in range(6) if one % 2 != part % 2]
        assert [one for one in sorted(ended) if one in others] == others


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
