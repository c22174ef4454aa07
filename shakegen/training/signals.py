"""Signals that end a training run in good order."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

from shakegen.model import LanguageModel


class Interrupted(KeyboardInterrupt):
    """A signal ended a training run.

    Attributes:
        model: the best model by then, from which the run can go on; None on a worker that is not the chief.
        signal: the number of the signal, SIGINT (Ctrl-C) or SIGTERM.
    """

    def __init__(self, model: LanguageModel | None, number: int):
        super().__init__("training was interrupted")
        self.model, self.signal = model, number


@contextlib.contextmanager
def call_on_signals(stop: Callable[[int], None]) -> Iterator[None]:
    """Call `stop` with the number of the first Ctrl-C or SIGTERM; the second one acts as usual."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number, frame):
        stop(number)
        for one, handler in before.items():
            signal.signal(one, handler)

    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.getsignal(number) or handler for number, handler in usual.items()}
    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
