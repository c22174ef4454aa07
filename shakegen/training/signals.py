"""Signals that end a training run in good order."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

from shakegen.model import LanguageModel

# Ctrl-C, the end that the system asks for, that of the terminal, and what one process sends another on Windows.
ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]


class Interrupted(KeyboardInterrupt):
    """A signal ended a training run, or a comparison.

    Attributes:
        model: the best model by then, from which the run can go on; None of a comparison, and on a worker that is not
            the chief.
        signal: the number of the signal, one of `ENDING`.
    """

    def __init__(self, model: LanguageModel | None, number: int):
        super().__init__("interrupted by a signal")
        self.model, self.signal = model, number


@contextlib.contextmanager
def call_on_signals(stop: Callable[[int], None]) -> Iterator[None]:
    """Call `stop` with the number of the first signal of `ENDING`; the second one acts as usual.

    One that the parent process has ignored, as `nohup` does, or a shell for jobs in the background, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number, frame):
        stop(number)
        for one, handler in before.items():
            signal.signal(one, handler)

    handlers = {number: signal.getsignal(number) or signal.SIG_DFL for number in ENDING}
    before = {number: handler for number, handler in handlers.items() if handler != signal.SIG_IGN}
    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
