"""Checks of the arguments of experiments. Only Python."""

from collections.abc import Collection, Iterable

from shakegen.checks import is_number, is_whole


def require_counts(**values: int) -> None:
    """Refuse a value below 1; raises ValueError, which names it."""
    for name, value in values.items():
        if not is_whole(value, 1):
            expected = "1 or more" if is_whole(value) else "a whole number, 1 or more"
            raise ValueError(f"{name.replace('_', ' ')} is {value!r}: expected {expected}")


def require_positive(**values: float) -> None:
    """Refuse a value that is not a number above 0; raises ValueError, which names it."""
    for name, value in values.items():
        if not is_number(value) or value <= 0:
            raise ValueError(f"{name.replace('_', ' ')} is {value!r}: expected a number above 0")


def require_known(kind: str, names: Iterable[str], known: Collection[str]) -> None:
    """Refuse a name that is not known; raises ValueError, which lists the known ones."""
    for name in names:
        if name not in known:
            raise ValueError(f"there is no {kind} {name!r} in the lab: expected some of {', '.join(known)}")
