"""How many threads share a repeated computation, by what is measured at the start and again as it goes.

On an idle computer two threads take half the time of one. Beside another program that computes they take several times
as long: each matrix product waits for the slower thread. Nothing but the clock tells which it is.
"""

import functools
import threading
import time
from collections.abc import Callable

import numpy as np

MOST = 8  # threads; one step of a network is too small for more
TRIAL, BLOCK = 0.001, 0.01  # seconds between two looks, and of a measurement
REST = 20  # lengths of a trial in vain until the next one
MANY = 1000  # calls between two looks at most
GAIN = 0.95  # another number of threads is chosen if it takes at most this share of the time


class Blas:
    """The threads of numpy's library of matrix products. Their number belongs to the whole process."""

    def __init__(self):
        from threadpoolctl import ThreadpoolController  # takes a while, and small networks need it not

        self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        self._lock, self._users, self._before = threading.Lock(), 0, [1]

    @property
    def threads(self) -> int:
        """The number of threads that the process asks for; 1 where it cannot be told."""
        return max(self._before if self._users else self._read(), default=1)

    @functools.cached_property
    def rounds_alike(self) -> bool:
        """Whether a product of many rows has the same bits with one thread and with two; not with all kernels."""
        rng = np.random.default_rng(0)
        rows, weights = (rng.standard_normal(shape, np.float32) for shape in ((64, 300), (300, 1200)))
        return np.array_equal(*(self.call(threads, np.matmul, rows, weights) for threads in (1, 2)))

    def call(self, threads: int, work: Callable, *arguments):
        """Call a function with fewer threads and give its result. Afterwards the process has its own number again."""
        with self._lock:
            if not self._users:
                self._before = self._read()
            self._users += 1
            for library in self._libraries:
                library.set_num_threads(threads)
        try:
            return work(*arguments)
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    for library, before in zip(self._libraries, self._before, strict=True):
                        library.set_num_threads(before)

    def _read(self) -> list[int]:
        return [library.num_threads for library in self._libraries]


@functools.cache
def get_blas() -> Blas:
    """The one object that changes the number of threads of this process."""
    return Blas()


def make_pace(rows: int) -> "Pace":
    """The pace of products of so many rows; the clock must not decide how they are rounded."""
    blas = get_blas()
    return Pace(blas, most=MOST if rows == 1 or blas.rounds_alike else 1)


class Pace:
    """Runs a computation again and again, with the number of threads that is fastest at present.

    The numbers are powers of two: with those, OpenBLAS rounds as one thread does if the sizes of the products are
    multiples of powers of two, too.

    Args:
        blas: whose threads.
        clock: gives seconds.
        most: threads at most.

    Attributes:
        threads: the number that is used now.
    """

    def __init__(self, blas: Blas, clock: Callable[[], float] = time.perf_counter, most: int = MOST):
        self._blas, self._clock = blas, clock
        self._numbers = [1 << k for k in range(min(blas.threads, most).bit_length())]
        self._home = 1  # the fastest number so far
        self._seconds: dict[int, float] = {}  # of a call, by the number of threads, when last measured
        self._upwards = True
        self._rest, self._span = 0.0, TRIAL  # seconds until the next trial, and of a measurement
        self._use(self._home)

    def run(self, work: Callable, *arguments) -> None:
        """Call a function."""
        began = self._clock()
        if self._fewer:
            self._blas.call(self.threads, work, *arguments)
        else:
            work(*arguments)
        self._spent += self._clock() - began
        self._left -= 1
        if self._left <= 0:
            self._look()

    def _use(self, threads: int) -> None:
        self.threads, self._fewer = threads, threads < self._blas.threads
        self._calls = self._left = 1
        self._spent = 0.0

    def _look(self) -> None:
        """Go on measuring, or else go on with the fastest number, or try another."""
        if self._spent < self._span:
            self._left = max(1, int(TRIAL * self._calls / max(self._spent, TRIAL / MANY)))
            self._calls += self._left
            return
        self._seconds[self.threads] = self._spent / self._calls
        self._rest -= self._spent
        fastest = min(self._seconds, key=self._seconds.__getitem__)
        better = self._seconds[fastest] < GAIN * self._seconds[self._home]
        if self.threads != self._home and not better:  # a trial in vain
            self._rest, self._span = REST * self._spent, BLOCK
        if better:
            self._home = fastest
        self._use(self._home if self._rest > 0 else self._find_neighbour())

    def _find_neighbour(self) -> int:
        """Twice as many threads, or half as many, in turns; at first always twice as many."""
        place = self._numbers.index(self._home)
        below, above = self._numbers[max(0, place - 1)], self._numbers[min(place + 1, len(self._numbers) - 1)]
        wanted, other = (above, below) if self._upwards else (below, above)
        self._upwards = self._span == TRIAL or not self._upwards
        return wanted if wanted != self._home else other
