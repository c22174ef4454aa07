"""The colours of figures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """The colours of the paper, of lines and letters, of the grid, and of the series in turn."""

    paper: str
    ink: str
    grid: str
    series: tuple[str, ...]


# Colours that the colour-blind can tell apart (after Okabe & Ito 2008, "Color Universal Design").
ON_WHITE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#7a5195", "#555555")
ON_BLACK = ("#56b4e9", "#f0883e", "#2fc99a", "#e39fc6", "#e6c34a", "#a5d6f7", "#b89ce0", "#b0b0b0")
LIGHT = Theme("#ffffff", "#222222", "#dddddd", ON_WHITE)
DARK = Theme("#16181c", "#e4e4e4", "#3a3d42", ON_BLACK)
# Placeholders in drawings by matplotlib for the colours of either theme; the style sheet replaces them.
NAMED = Theme("#010101", "#010102", "#010103", tuple(f"#01020{number}" for number in range(8)))
