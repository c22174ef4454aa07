"""How a network is trained: by this process alone, or by a team of several (`team.py`). Only Python."""

import contextlib
from abc import ABC, abstractmethod


class Strategy(ABC):
    """The processes that train a network; a trainer is given one, and asks nothing else about them.

    The first process, the chief, decides, scores, shows and writes. The others follow its orders.

    Attributes:
        index: of this process, from 0.
        stopped: the number of the signal that asked the present run to end; None as long as none has.
    """

    index = 0
    stopped: int | None = None

    @property
    def chief(self) -> bool:
        """Whether this process is the chief."""
        return self.index == 0

    @abstractmethod
    def __len__(self) -> int:
        """The number of processes."""

    @abstractmethod
    def agree(self, facts: dict) -> None:
        """Begin a run, or another step before it, if all processes have the same facts, by names that people know.

        Raises:
            TeamError: the facts differ; the message names the first difference.
        """

    @abstractmethod
    def share(self, content: bytes | None) -> bytes:
        """The chief's content, at every process; the others give None."""

    @abstractmethod
    def order(self, what: str, **fields) -> None:
        """Tell the others what to do next; without effect unless this is the chief. "end" ends the run."""

    @abstractmethod
    def stop(self, number: int) -> None:
        """Ask for the end of the run because of a signal; a signal's handler may call this."""

    @abstractmethod
    def distribute(self):
        """The `tf.distribute.Strategy` for the devices of all processes."""

    @abstractmethod
    def waiting(self) -> contextlib.AbstractContextManager:
        """A context in which TensorFlow may wait for the other processes."""

    @abstractmethod
    def explaining(self) -> contextlib.AbstractContextManager:
        """A context that turns TensorFlow's errors about other processes into a `TeamError` that says what happened."""


class Alone(Strategy):
    """One process, with all its GPUs."""

    def __len__(self):
        return 1

    def agree(self, facts):
        self.stopped = None

    def share(self, content):
        return content

    def order(self, what, **fields):
        pass

    def stop(self, number):
        self.stopped = number

    def distribute(self):
        import tensorflow as tf

        several = len(tf.config.get_visible_devices("GPU")) > 1
        return tf.distribute.MirroredStrategy() if several else tf.distribute.get_strategy()

    def waiting(self):
        return contextlib.nullcontext()

    def explaining(self):
        return contextlib.nullcontext()
