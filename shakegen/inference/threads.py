"""How many threads share a computation, by what is measured at the start and again as it goes.

On an idle computer two threads take half the time of one. Beside another program that computes they take several times
as long: each matrix product waits for the slower thread. Nothing but the clock tells which it is.

The clock must not decide how results are rounded. A product with one row has the same bits with any number of threads
of BLAS; with many rows not, with all kernels. So these are cut into blocks, whatever the number of threads is, and
each block is computed in one thread.
"""

import functools
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

MOST = 8  # threads; one step of a network is too small for more
HALF, FULL, WORK = 8, 32, 3 << 20  # rows of each of two blocks, and of more, and multiplications of one, at least
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
        self._here = threading.local()

    @property
    def threads(self) -> int:
        """The number of threads that the process asks for; 1 where it cannot be told, and within a shared part."""
        if getattr(self._here, "shares", False):
            return 1
        return max(self._before if self._users else self._read(), default=1)

    def call(self, threads: int, work: Callable, *arguments):
        """Call a function with at most so many threads and give its result.

        Afterwards the process has its own number again.
        """
        if threads >= self.threads:
            return work(*arguments)
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

    def share(self, threads: int, work: Callable, parts: Sequence) -> list:
        """Call a function for each part, in at most so many threads of Python, and each product in one of BLAS.

        Returns:
            The results, in the order of the parts.
        """
        shares = min(threads, self.threads, len(parts))
        if shares > 1:
            return self.call(1, self._spread, shares, work, parts)
        return self.call(1, self._do, work, parts)

    def _do(self, work: Callable, parts: Iterable) -> list:
        before, self._here.shares = getattr(self._here, "shares", False), True
        try:
            return [work(part) for part in parts]
        finally:
            self._here.shares = before

    def _spread(self, shares: int, work: Callable, parts: Sequence) -> list:
        others = [get_pool().submit(self._do, work, parts[share::shares]) for share in range(1, shares)]
        found: list = [None] * len(parts)
        try:
            found[::shares] = self._do(work, parts[::shares])
        finally:
            wait(others)
        for share, other in enumerate(others, 1):
            found[share::shares] = other.result()
        return found


@functools.cache
def get_blas() -> Blas:
    """The one object that changes the number of threads of this process."""
    return Blas()


@functools.cache
def get_pool() -> ThreadPoolExecutor:
    """The threads of Python that compute parts of one matter; a process that is forked off has its own."""
    return ThreadPoolExecutor(MOST - 1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=get_pool.cache_clear)


def cut_rows(rows: int, work: int) -> list[slice]:
    """Blocks of rows that threads can share, a power of two: each is worth a thread, and a quick product.

    Args:
        rows: how many there are.
        work: multiplications for each.
    """
    blocks = max(1, min(MOST, rows * work // WORK, max(rows // FULL, min(2, rows // HALF))))
    blocks = 1 << blocks.bit_length() - 1
    return [slice(block * rows // blocks, (block + 1) * rows // blocks) for block in range(blocks)]


class Pace:
    """Runs a computation again and again, with the number of threads that is fastest at present.

    The numbers are powers of two: with those, OpenBLAS rounds as one thread does if the sizes of the products are
    multiples of powers of two, too.

    Args:
        call: computes, from a number of threads and other arguments: `Blas.call`, say.
        most: threads at most.
        clock: gives seconds.

    Attributes:
        threads: the number that is used now.
    """

    def __init__(self, call: Callable, most: int, clock: Callable[[], float] = time.perf_counter):
        self._call, self._clock = call, clock
        self._numbers = [1 << k for k in range(min(most, MOST).bit_length())]
        self._home = 1  # the fastest number so far
        self._seconds: dict[int, float] = {}  # of a call, by the number of threads, when last measured
        self._upwards = True
        self._rest, self._span = 0.0, TRIAL  # seconds until the next trial, and of a measurement
        self._use(self._home)

    def run(self, *arguments) -> None:
        """Compute."""
        began = self._clock()
        self._call(self.threads, *arguments)
        self._spent += self._clock() - began
        self._left -= 1
        if self._left <= 0:
            self._look()

    def _use(self, threads: int) -> None:
        self.threads = threads
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
