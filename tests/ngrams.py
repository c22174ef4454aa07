"""Symbols in a row that stand twice."""


def repeats(ids, n: int) -> bool:
    """Whether any n in a row stand twice."""
    grams = [ids[k : k + n] for k in range(len(ids) - n + 1)]
    return len(set(grams)) < len(grams)
