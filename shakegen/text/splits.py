"""Where a text is split in training, validation and test text: by shares or by sizes, always in one piece each."""

import math
from collections.abc import Sequence

PARTS = ("training", "validation", "test")
SUFFIXES = {"k": 10**3, "m": 10**6, "g": 10**9}
REST = ("*", "rest")
LARGEST = 1 << 62
USUAL = (0.9, 0.05, 0.05)
EXPECTED = (
    "expected three shares for training, validation and test that sum to 1, such as 0.9,0.05,0.05, or three numbers of "
    "characters, such as 90M,5M,5M or *,5000,5000, where * is the rest"
)

Split = Sequence[float | int | str]


def parse(split: str) -> tuple[float | int | str, ...]:
    """The parts of a split as it is written in a shell: `0.9,0.05,0.05`, `90M,5M,5M`, `*,5000,5000`.

    Raises:
        ValueError: it is not one; the message says what was expected.
    """
    try:
        return checked([number(part.strip()) for part in split.split(",")])
    except (ValueError, OverflowError):
        raise unusable(split) from None


def number(part: str) -> float | int | str:
    if part in REST:
        return REST[0]
    factor = SUFFIXES.get(part[-1:].lower())
    if factor is None:
        return int(part) if part.isdecimal() else float(part)
    size = float(part[:-1]) * factor
    if size != int(size):
        raise ValueError
    return int(size)


def checked(split: Split) -> tuple[float | int | str, ...]:
    """A split of three parts, as given by whoever calls: shares that sum to 1, or sizes; one of them may be `*`.

    Raises:
        ValueError: it is not one; the message says what was expected.
    """
    split = tuple(split)
    numbers = [part for part in split if part not in REST]
    if len(split) != 3 or len(numbers) < 2 or not all(isinstance(n, int | float) for n in numbers):
        raise unusable(split)
    if not all(0 <= n < LARGEST for n in numbers) or split[0] == 0:
        raise unusable(split)
    rest, total = len(numbers) < 3, sum(numbers)
    if 0 < total < 1 if rest else abs(total - 1) < 1e-6:  # shares
        return tuple(1 - total if part in REST else part for part in split)
    if any(n != int(n) for n in numbers):
        raise unusable(split)
    return tuple(REST[0] if part in REST else int(part) for part in split)


def unusable(split) -> ValueError:
    shown = split if isinstance(split, str) else ",".join(map(str, split))
    return ValueError(f"the split {shown} is not usable: {EXPECTED}")


def sizes(split: Split, length: int, title: str = "the text") -> tuple[int, int, int]:
    """How many characters each part of a text has; they follow each other from its first character on.

    What sizes leave at the end of a text belongs to no part.

    Args:
        split: as `checked` takes it.
        length: of the text, in characters.
        title: what to call the text in an error.

    Raises:
        ValueError: the split is none, or the text is too short for it; the message says for which part, and why.
    """
    split = checked(split)
    if is_shares(split):
        ends = [round(length * split[0]), round(length * (split[0] + split[1])), length]
        found = ends[0], ends[1] - ends[0], ends[2] - ends[1]
    else:
        rest = max(0, length - sum(part for part in split if part not in REST))
        found = tuple(rest if part in REST else part for part in split)
    begin, shown = 0, ",".join(map(str, split))
    for name, size in zip(PARTS, found, strict=True):
        needed = max(size, 1) if name == PARTS[0] else size
        if begin + needed > length or needed > size:
            raise ValueError(
                f"{title} has {length:,} characters, too few for the split {shown}: its {name} text would be "
                f"characters {begin + 1:,} to {begin + needed:,}; try a longer text or --split 0.9,0.05,0.05"
            )
        begin += size
    return found


def is_shares(split: Split) -> bool:
    return all(part not in REST for part in split) and math.isclose(sum(split), 1, abs_tol=1e-6)
