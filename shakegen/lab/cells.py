"""The recurrent units that the lab compares, by their names there. Only Python."""

from shakegen.network.config import Config

CELLS = {
    "rnn": {"cell": "rnn"},
    "irnn": {"cell": "rnn", "activation": "relu"},  # ReLU, from an identity (Le, Jaitly & Hinton 2015)
    "lstm": {"cell": "lstm"},
    "gru": {"cell": "gru"},
    "nlstm": {"cell": "nlstm"},
}


def config(name: str, units: int) -> Config:
    """The configuration of one layer of a cell.

    Raises:
        ValueError: there is no such cell in the lab, or the units are out of range.
    """
    if name not in CELLS:
        raise ValueError(f"there is no cell {name!r} in the lab: expected some of {', '.join(CELLS)}")
    return Config(units=units, layers=1, dropout=0.0, residual=False, **CELLS[name])


def chosen(names: str) -> list[str]:
    """The cells of a list such as "rnn,lstm", each once.

    Raises:
        ValueError: one is unknown.
    """
    found = list(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in found:
        config(name, 1)
    return found
