"""Signals that end a training run in good order."""

import contextlib
import signal
import threading
from collections.abc import Iterator

from shakegen.model import LanguageModel
from shakegen.training.run import Run


class Interrupted(KeyboardInterrupt):
    """A signal ended a training run.

    Attributes:
        model: the best that it had by then, with what it takes to go on.
        signal: the number of the signal: of Ctrl-C, or SIGTERM.
    """

    def __init__(self, model: LanguageModel, number: int):
        super().__init__("training was interrupted")
        self.model, self.signal = model, number


@contextlib.contextmanager
def stopping_on_signals(run: Run) -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM stop the run after the batch at hand; the second one acts at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        run.stopped = number
        for one, handler in before.items():
            signal.signal(one, handler)

    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.getsignal(number) or handler for number, handler in usual.items()}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
