"""The split of a text into training, validation and test text, by shares or by sizes, each in one piece."""

import math
from collections.abc import Iterable, Sequence

from shakegen.checks import is_number

PARTS = ("training", "validation", "test")
SUFFIXES = {"k": 10**3, "m": 10**6, "g": 10**9}
REST = ("*", "rest")
LARGEST, PERCENT = 1 << 62, 100
DEFAULT = (0.9, 0.05, 0.05)
EXPECTED = (
    "expected three shares for training, validation and test that sum to 1, such as 0.9,0.05,0.05, or three numbers of "
    "characters, such as 90M,5M,5M or *,5000,5000, where * is the rest"
)

Split = Sequence[float | int | str]


def parse(split: str) -> tuple[float | int | str, ...]:
    """Read a split as it is written in a shell: `0.9,0.05,0.05`, `90M,5M,5M`, `*,5000,5000`.

    Raises:
        ValueError: the split is not usable; the message says what was expected.
    """
    try:
        return normalize_split([parse_number(part.strip()) for part in split.split(",")])
    except (ValueError, OverflowError):
        raise unusable_split(split) from None


def parse_number(part: str) -> float | int | str:
    if part in REST:
        return REST[0]
    factor = SUFFIXES.get(part[-1:].lower())
    if factor is None:
        return int(part) if part.isdecimal() else float(part)
    size = float(part[:-1]) * factor  # a float of 4.1 is a little less, and so is the product
    if not math.isclose(size, round(size), rel_tol=1e-15):
        raise ValueError
    return round(size)


def normalize_split(split: Split) -> tuple[float | int | str, ...]:
    """Check a split and bring it into one form: three shares that sum to 1, or three sizes, one of which may be `*`.

    Raises:
        ValueError: the split is not usable; the message says what was expected.
    """
    if isinstance(split, str) or not isinstance(split, Iterable):
        raise unusable_split(split)
    split = tuple(part.item() if hasattr(part, "item") else part for part in split)  # JSON knows no numbers of numpy
    numbers = [part for part in split if not isinstance(part, str) and is_number(part)]
    others = [part for part in split if not is_number(part)]
    if len(split) != 3 or len(others) > 1 or any(part not in REST for part in others):
        raise unusable_split(split)
    if not all(0 <= n < LARGEST for n in numbers) or split[0] == 0:
        raise unusable_split(split)
    total = sum(numbers)
    if 0 < total < 1 if others else abs(total - 1) < 1e-6:  # shares
        return tuple(1 - total if part in REST else part for part in split)
    if any(n != int(n) for n in numbers):
        raise unusable_split(split)
    return tuple(REST[0] if part in REST else int(part) for part in split)


def unusable_split(split) -> ValueError:
    shown = ",".join(map(str, split)) if isinstance(split, tuple) else split
    return ValueError(f"the split {shown} is not usable: {EXPECTED}")


def compute_sizes(split: Split, length: int, title: str = "the text") -> tuple[int, ...]:
    """The number of characters in each part of a text.

    The parts follow each other from the first character on. Characters that sizes leave over at the end belong to no
    part.

    Args:
        split: as for `normalize_split`.
        length: of the text, in characters.
        title: of the text, for errors.

    Raises:
        ValueError: the split is not usable, or the text is too short for it; the message names the part.
    """
    split = normalize_split(split)
    numbers = [part for part in split if not isinstance(part, str)]
    if is_shares(split):
        first, second = round(length * numbers[0]), round(length * (numbers[0] + numbers[1]))
        sizes: tuple[int, ...] = first, second - first, length - second
    else:
        rest = max(0, length - sum(map(int, numbers)))
        sizes = tuple(rest if isinstance(part, str) else int(part) for part in split)
    begin, shown = 0, ",".join(map(str, split))
    for name, size in zip(PARTS, sizes, strict=True):
        needed = max(size, 1) if name == PARTS[0] else size
        if begin + needed > length or needed > size:
            raise ValueError(
                f"{title} has {length:,} characters, too few for the split {shown}: its {name} text would be "
                f"characters {begin + 1:,} to {begin + needed:,}; try a longer text or `split={DEFAULT}`"
            )
        begin += size
    return sizes


def check_use(split: Split, sizes: Sequence[int], length: int, title: str = "the text") -> None:
    """Check that sizes are no percentages, and leave no more than half of a text unused.

    Args:
        split: in sizes or in shares.
        sizes: from `compute_sizes`.
        length, title: as for `compute_sizes`.

    Raises:
        ValueError: they are, or do; the message says what to write.
    """
    used = sum(sizes)
    if used < length and (2 * used < length or used == PERCENT):
        shares = ", ".join(f"{size / used:.4g}" for size in sizes)
        raise ValueError(
            f"the split {','.join(map(str, split))} leaves {length - used:,} of the {length:,} characters of {title} "
            f'unused: expected shares, `split=({shares})`, or * for the rest, `split=("*", {sizes[1]}, {sizes[2]})`; '
            "to use only a part of a text, cut it first"
        )


def is_shares(split: Split) -> bool:
    """Whether a normalised split is given in shares, not in sizes."""
    numbers = [part for part in split if not isinstance(part, str)]
    return len(numbers) == len(PARTS) and math.isclose(sum(numbers), 1, abs_tol=1e-6)
