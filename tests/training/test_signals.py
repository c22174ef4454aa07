"""Signals that end a run, and those that the parent process had ignored."""

import os
import signal

import pytest

from shakegen.training.signals import ENDING, call_on_signals


@pytest.fixture
def handlers():
    """Put the handlers of signals back at the end."""
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_signals_are_those_of_users_systems_and_terminals():
    assert [number.name for number in ENDING] == ["SIGINT", "SIGTERM", "SIGHUP"]


@pytest.mark.parametrize("number", ENDING)
def test_the_first_signal_is_passed_on_and_the_second_acts_as_usual(handlers, number):
    usual, came = [], []
    signal.signal(number, lambda number, frame: usual.append(number))
    with call_on_signals(came.append):
        os.kill(os.getpid(), number)
        assert (came, usual) == ([number], [])
        os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)
    assert (came, usual) == ([number], [number] * 2)


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_that_was_ignored_stays_ignored_and_the_others_do_not(handlers, number):
    came, other = [], next(one for one in ENDING if one != number)
    signal.signal(number, signal.SIG_IGN)
    with call_on_signals(came.append):
        os.kill(os.getpid(), number)
        assert came == []
        os.kill(os.getpid(), other)
        os.kill(os.getpid(), number)
    assert came == [other]
    assert signal.getsignal(number) == signal.SIG_IGN
