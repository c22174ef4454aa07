"""The processes that train a network: here only this one; `team.Team` has several. Only Python at import."""

import contextlib
from collections.abc import Callable


class Strategy:
    """One process that trains a network, on all its GPUs; a trainer asks it as it asks several processes.

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

    def __len__(self) -> int:
        """The number of processes."""
        return 1

    def agree(self, facts: dict) -> None:
        """Begin a run, or another step before it, if all processes have the same facts, by names that people know.

        Raises:
            TeamError: the facts differ; the message names the first difference.
        """
        self.stopped = None

    def share(self, content: bytes | None) -> bytes | None:
        """Give every process the chief's content; the others pass None."""
        return content

    def order(self, what: str, **fields) -> None:
        """Tell the others what to do next; without effect unless this is the chief. "end" ends the run."""

    def stop(self, number: int) -> None:
        """Ask for the end of the run because of a signal; a signal's handler may call this."""
        self.stopped = number

    def distribute(self):
        """The `tf.distribute.Strategy` for the devices of all processes."""
        import tensorflow as tf

        several = len(tf.config.get_visible_devices("GPU")) > 1
        return tf.distribute.MirroredStrategy() if several else tf.distribute.get_strategy()

    def wait_for(self, act: Callable):
        """The result of a function in which TensorFlow may wait for the other processes.

        Raises:
            TeamError: another process is lost.
        """
        return act()

    def explain_errors(self) -> contextlib.AbstractContextManager:
        """A context that turns TensorFlow's errors about other processes into a `TeamError` that gives the cause."""
        return contextlib.nullcontext()
