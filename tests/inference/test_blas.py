"""The threads of matrix products: how many the process has, and what they share."""

import functools
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from shakegen.inference import threads
from shakegen.inference.threads import Blas


def read_numbers():
    return {library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()}


def test_parts_are_computed_at_the_same_time_and_their_results_have_their_order():
    with threadpool_limits(2, user_api="blas"):
        blas, both, seen = Blas(), threading.Barrier(2, timeout=60), []

        def work(part):
            both.wait()
            seen.append(read_numbers())
            assert blas.share(8, lambda one: one + blas.threads, [part]) == [part + 1]  # parts of a part have one
            return 10 * part

        assert blas.share(8, work, range(6)) == [0, 10, 20, 30, 40, 50]
        assert seen == [{1}] * 6
        assert blas.threads == 2


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_in_a_part_ends_all_before_it_arrives(error, part):
    both, running, begun = threading.Barrier(2, timeout=60), set(), []

    def work(one):
        begun.append(one)
        running.add(one)
        if one < 2:
            both.wait()
        if one == part:
            running.remove(one)
            raise error
        time.sleep(0.1)
        running.remove(one)

    with threadpool_limits(2, user_api="blas"):
        with pytest.raises(error):
            Blas().share(2, work, range(40))
        assert not running
        assert len(begun) < 10
        assert read_numbers() == {2}


def test_errors_of_numbers_are_treated_in_other_threads_as_here():
    with threadpool_limits(2, user_api="blas"), np.errstate(over="raise"), pytest.raises(FloatingPointError):
        Blas().share(2, lambda part: np.float32(part) * np.float32(1e38), [1, 10])  # the second one elsewhere


def test_the_process_keeps_its_own_number():
    with threadpool_limits(4, user_api="blas"):
        blas, seen = Blas(), []
        blas.call(1, lambda: seen.extend(read_numbers()))
        assert set(seen) == {1}
        assert blas.threads == 4
        assert read_numbers() == {4}
        with pytest.raises(ZeroDivisionError):
            blas.call(1, lambda: 1 / 0)
        assert read_numbers() == {4}


def test_calls_within_calls_restore_the_number_from_before_all():
    with threadpool_limits(4, user_api="blas"):
        blas, seen = Blas(), []
        blas.call(2, blas.call, 1, lambda: seen.append(blas.threads))
        assert seen == [4]
        assert read_numbers() == {4}


def test_a_limit_within_another_does_not_raise_it():
    with threadpool_limits(4, user_api="blas"):
        blas, seen = Blas(), []

        def look():
            seen.append(read_numbers())

        def outer():
            blas.call(2, look)
            look()

        blas.call(1, outer)
        assert seen == [{1}, {1}]
        assert read_numbers() == {4}


def test_the_number_is_restored_when_calls_of_all_threads_have_ended():
    with threadpool_limits(4, user_api="blas"):
        blas, seen, begun, end = Blas(), [], threading.Event(), threading.Event()

        def look():
            seen.append(read_numbers())

        def work():
            look()
            begun.set()
            assert end.wait(60)
            look()

        other = threading.Thread(target=blas.call, args=(1, work))

        def begin():
            look()
            other.start()
            assert begun.wait(60)

        blas.call(2, begin)
        end.set()
        other.join()
        assert seen == [{2}, {1}, {1}]
        assert read_numbers() == {4}


def test_threads_that_come_first_get_one_object(monkeypatch):
    def make():
        time.sleep(0.1)
        return object()

    monkeypatch.setattr(threads, "make_blas", functools.cache(make))
    found = []
    others = [threading.Thread(target=lambda: found.append(threads.get_blas())) for _ in range(4)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert len(found) == 4
    assert len(set(found)) == 1


FORK = """
import os, threading
from shakegen.inference.threads import get_blas

def work():
    if os.fork():
        os.wait()
    else:
        blas = get_blas()
        print(max(blas._read()), blas.threads, blas.share(2, lambda part: part, [3, 4]), flush=True)
        os._exit(0)

get_blas().call(1, lambda: None)
get_blas()._lock.acquire()  # as if another thread changed the number
get_blas()._limits[None] = 1
get_blas()._before, get_blas()._changed = [2] * len(get_blas()._libraries), True
work()
"""


LATE = """
import threading, time
from threadpoolctl import threadpool_limits
from shakegen.inference.threads import Blas

def work():
    threading.main_thread().join()
    time.sleep(0.1)
    with threadpool_limits(2, user_api="blas"):
        print(Blas().share(2, lambda part: 10 * part, [1, 2, 3]), flush=True)

threading.Thread(target=work).start()
"""


def test_a_thread_that_outlives_the_main_one_computes_alone():
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "[10, 20, 30]\n", done.stderr


if hasattr(os, "fork"):

    def test_a_forked_process_waits_for_no_thread_of_its_parent():
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", FORK], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stdout == "2 2 [3, 4]\n", done.stderr


def test_an_interrupt_while_the_number_is_restored_costs_it_for_no_longer_than_the_next_call(monkeypatch):
    with threadpool_limits(4, user_api="blas"):
        blas = Blas()

        def interrupt(numbers):
            if numbers == blas._before:
                raise KeyboardInterrupt
            Blas._set(blas, numbers)

        monkeypatch.setattr(blas, "_set", interrupt)
        with pytest.raises(KeyboardInterrupt):
            blas.call(1, lambda: None)
        monkeypatch.undo()
        assert read_numbers() == {1}
        assert blas.threads == 4
        blas.call(2, lambda: None)
        assert read_numbers() == {4}
