"""Checks of arguments, and what to try instead of a wrong one. Only numpy."""

import difflib
import importlib.util
import math
import numbers
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

LARGEST = 1 << 40  # of anything that is counted


def is_whole(value, least: float = -math.inf, most: float = LARGEST) -> bool:
    """Whether a value is a whole number in a range, ends included; true and false are no numbers."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and least <= value <= most


def is_number(value, least: float = -math.inf, most: float = math.inf) -> bool:
    """Whether a value is a finite number in a range, ends included; true and false are no numbers."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    number = value if isinstance(value, numbers.Integral) else float(value)  # numpy warns of 32 bits beside 64
    return abs(number) <= sys.float_info.max and least <= number <= most


def refuse_unknown(what: str, given, known) -> None:
    """Refuse options that do not exist.

    Raises:
        TypeError: one of the names given is not known; the message lists the known ones.
    """
    for name in given:
        if name not in known:
            raise TypeError(f"there is no option {name!r} of {what}: expected some of {', '.join(known)}")


def suggest(name: str, known: Iterable[str], otherwise: str) -> str:
    """Ask whether names or paths that are spelled like an unknown one were meant; `otherwise` where none is.

    The stem of a path counts: `novel` is near `models/novel.h5`.
    """
    stems: dict[str, list[str]] = {}
    for one in known:
        stems.setdefault(Path(one).stem, []).append(one)
    near = [one for stem in difflib.get_close_matches(Path(name).stem, stems, cutoff=0.75) for one in stems[stem]]
    return f"did you mean {' or '.join(near)}?" if near else otherwise


def check_ids(ids: np.ndarray, size: int) -> None:
    """Check that all ids, integers of shape (N,), are from 0 to `size` - 1; numpy would read others as some of these.

    Raises:
        ValueError: one is not.
    """
    if len(ids) == 1:  # several times faster, and one stream has no time to lose
        lowest = highest = ids.item()
    elif len(ids):
        lowest, highest = np.minimum.reduce(ids), np.maximum.reduce(ids)
    else:
        return
    if lowest < 0 or highest >= size:
        wrong = lowest if lowest < 0 else highest
        raise ValueError(f"there is no id {wrong}: expected whole numbers from 0 to {size - 1}")


def check_seed(seed) -> None:
    """Check that a seed is one text.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(seed, str):
        raise TypeError(f"the seed is {seed!r}: expected a text to continue")


def check_seeds(seeds) -> None:
    """Check that there are several seeds.

    Raises:
        TypeError: they are no list of texts.
        ValueError: there is none.
    """
    if not isinstance(seeds, list | tuple) or not all(isinstance(one, str) for one in seeds):
        raise TypeError(f"the seed is {seeds!r}: expected a text to continue, or a list of texts")
    if not seeds:
        raise ValueError("the list of seeds is empty: expected one text to continue, or more")


def require(packages: Iterable[str], purpose: str) -> None:
    """Raise ValueError, with what to do, if a package is not installed."""
    packages = [*packages]
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise ValueError(
                f"{package} is not installed: expected it for {purpose}; try `pip install {' '.join(packages)}`"
            )
