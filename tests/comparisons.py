"""A comparison, and records of its runs, for the tests of comparisons."""

from dataclasses import replace

from shakegen import __version__
from shakegen.compare.matching import count_weights
from shakegen.compare.plan import Entry, Plan
from shakegen.compare.record import plan_records
from shakegen.training.recipe import Recipe

ALL = "rnn", "lstm", "gru", "nlstm"


def plan(*cells, **changes):
    entries = tuple(map(Entry.parse, cells))
    return Plan(**{"entries": entries, "recipe": Recipe(epochs=1), "repeats": 1, **changes})


def by_characters(config):
    return count_weights(config, 27)


def records(*cells, **changes):
    """Records of runs that have not begun."""
    corpus = {"sha256": "0", "split": [0.9, 0.05, 0.05], "symbols": 27}
    text = {"places": ["a.txt"], "reading": {}, "shape": {"split": [0.9, 0.05, 0.05]}}
    planned = plan(*cells, **changes)
    return plan_records(planned, planned.configs(by_characters), text, corpus, {"seed": None, "length": 9})


def finish(record):
    """A record as if its run had finished."""
    score, history = {"bits_per_character": 2.0, "accuracy": 0.5}, [{"epoch": 1, "loss": 2.0, "val_loss": 2.1}]
    speeds = dict.fromkeys(("training_characters_per_second", "sampling_characters_per_second"), 9.0)
    sizes = {
        "version": __version__,
        "parameters": 3,
        "epochs": 1,
        "steps": 7,
        "best_epoch": 1,
        "seconds": 3.5,
        "peak_memory_bytes": None,
    }
    figures = {**sizes, **speeds, "validation": score, "test": None, "sample": "abc", "history": history}
    return replace(record, state="finished", figures=figures)
