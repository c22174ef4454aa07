"""How many threads share a computation, by what is measured at the start and again as it goes.

On an idle computer two threads take half the time of one. Beside another program that computes they take several times
as long: each matrix product waits for the slower thread. Nothing but the clock tells which it is.

The clock must not decide how results are rounded. A product with one row has the same bits with any number of threads
of BLAS; with many rows not, with all kernels. So these are cut into blocks, whatever the number of threads is, and
each block is computed in one thread.
"""

import contextvars
import functools
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np

from shakegen.cells.numpy_step import COLUMNS, LONG, ROWS

MOST = 8  # threads; one step of a network is too small for more
HALF, FULL, WORK = 8, 32, 3 << 20  # rows of each of two blocks, and of more, and multiplications of one, at least
FEW = 1 << 20  # multiplications of a block of columns, at least
SHARED = 1 << 18  # multiplications; OpenBLAS computes smaller products in one thread
TRIAL, BLOCK = 0.001, 0.01  # seconds between two looks, and of a measurement
REST = 20  # lengths of a trial in vain until the next one
MANY = 1000  # calls between two looks at most
GAIN = 0.95  # another number of threads is chosen if it takes at most this share of the time


class Blas:
    """The threads of numpy's library of matrix products. Their number belongs to the whole process.

    (Where the library uses OpenMP, or is MKL, each thread of Python has a number of its own.)
    """

    def __init__(self):
        from threadpoolctl import ThreadpoolController  # takes a while, and small networks need it not

        self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        self._before, self._changed = [1], False  # the numbers of the process, and whether others are set now
        self.begin()

    def begin(self) -> None:
        """Forget the calls of other threads, as a process that was forked off while they ran must."""
        self._lock, self._here = threading.Lock(), threading.local()
        self._limits: dict[object, int] = {}  # of the calls that run now
        if self._changed:
            self._apply()

    @property
    def threads(self) -> int:
        """The number of threads that the process asks for; 1 where it cannot be told, and within a shared part."""
        with self._lock:
            return self._count()

    def _count(self) -> int:
        if getattr(self._here, "shares", False):
            return 1
        return max(self._before if self._changed else self._read(), default=1)

    def call(self, threads: int, work: Callable, *arguments):
        """Call a function with at most so many threads, or fewer if a call that runs now wants fewer; give its result.

        After the last of such calls the process has its own number again.
        """
        limit = object()
        try:
            with self._lock:
                if threads < self._count():
                    self._limits[limit] = threads
                    self._apply()
            return work(*arguments)
        finally:
            if self._limits.pop(limit, None):
                with self._lock:
                    self._apply()

    def _apply(self) -> None:
        """Set the lowest limit, or else the numbers of the process. If it is interrupted, the next call mends that."""
        if not self._changed:
            self._before, self._changed = self._read(), True
        least = min(self._limits.values(), default=None)
        self._set(self._before if least is None else [min(least, before) for before in self._before])
        self._changed = bool(self._limits)

    def _set(self, numbers: list[int]) -> None:
        for library, number in zip(self._libraries, numbers, strict=True):
            # From threadpoolctl 3.8 on, numbers that other threads set have no effect while the first one lives.
            let_go = getattr(library, "clear_controlling_thread", lambda force: None)
            let_go(force=True)
            library.set_num_threads(number)
            let_go(force=True)

    def _read(self) -> list[int]:
        return [library.num_threads for library in self._libraries]

    def share(self, threads: int, work: Callable, parts: Sequence) -> list:
        """Call a function for each part, in at most so many threads of Python, and each product in one of BLAS.

        If a part fails, or the user interrupts, parts that have not begun are left out.

        Returns:
            The results, in the order of the parts.
        """
        shares = max(1, min(threads, self.threads, len(parts)))
        return self.call(1, self._share, shares, work, parts)

    def _share(self, shares: int, work: Callable, parts: Sequence) -> list:
        found: list = [None] * len(parts)
        ended, others = threading.Event(), []

        def work_through(first: int) -> None:
            before, self._here.shares = getattr(self._here, "shares", False), True
            try:
                for number in range(first, len(parts), shares):
                    if ended.is_set():
                        return
                    found[number] = work(parts[number])
            except BaseException:
                ended.set()
                raise
            finally:
                self._here.shares = before

        alone = [0]
        try:
            for first in range(1, shares):
                try:
                    others.append(get_pool().submit(contextvars.copy_context().run, work_through, first))
                except RuntimeError:  # the main thread has ended: there are no new threads
                    alone.append(first)
            for first in alone:
                work_through(first)
            for other in others:
                other.result()
        except BaseException:
            ended.set()
            wait(others)
            raise
        return found


MAKING = threading.RLock()


def get_blas() -> Blas:
    """The one object that changes the number of threads of this process."""
    with MAKING:
        return make_blas()


@functools.cache
def make_blas() -> Blas:
    return Blas()


@functools.cache
def get_pool() -> ThreadPoolExecutor:
    """The threads of Python that compute parts of one matter."""
    return ThreadPoolExecutor(MOST - 1)


def begin_after_fork() -> None:
    """Give a process that was forked off threads and locks of its own."""
    MAKING.release()
    get_pool.cache_clear()
    if make_blas.cache_info().currsize:
        make_blas().begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=MAKING.acquire, after_in_parent=MAKING.release, after_in_child=begin_after_fork)


def cut_rows(rows: int, work: int) -> list[slice]:
    """Blocks of rows that threads can share, a power of two: each is worth a thread, and a quick product.

    Args:
        rows: how many there are.
        work: multiplications for each.
    """
    return cut(rows, min(rows * work // WORK, max(rows // FULL, min(2, rows // HALF))))


def cut(size: int, blocks: int) -> list[slice]:
    """A power of two of blocks, as many as were asked for, or fewer."""
    blocks = 1 << max(1, min(MOST, blocks)).bit_length() - 1
    return [slice(block * size // blocks, (block + 1) * size // blocks) for block in range(blocks)]


def multiply(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The product of two matrices, with the same bits for any number of threads: these share blocks of it."""
    (rows, depth), columns = left.shape, right.shape[1]
    if rows * right.size < SHARED:
        return left @ right
    product = np.empty((rows, columns), np.result_type(left, right))
    if rows == 1 and (depth <= LONG or depth % ROWS == 0):  # BLAS itself shares it best, with the same bits
        even, blas = columns - columns % COLUMNS, get_blas()
        most = 1 << min(MOST, blas.threads).bit_length() - 1  # a power of two, as in `Pace`
        blas.call(most, np.matmul, left, right[:, :even], product[:, :even])
        blas.call(1, np.matmul, left, right[:, even:], product[:, even:])
        return product
    if rows < 2 * HALF:
        blocks = [(slice(None), some) for some in cut(columns, rows * right.size // FEW)]
    else:
        blocks = [(some, slice(None)) for some in cut_rows(rows, right.size)]
    get_blas().share(MOST, lambda block: np.matmul(left[block[0]], right[:, block[1]], product[block]), blocks)
    return product


class Pace:
    """Runs a computation again and again, with the number of threads that is fastest at present.

    The numbers are powers of two: with those, OpenBLAS multiplies a vector by a matrix with the same rounding as one
    thread does, if the sizes of the matrix are multiples of powers of two, too.

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
