"""The command that shows a model."""

from pathlib import Path

import click

from shakegen.cli.group import main
from shakegen.cli.options import json_option, model_argument
from shakegen.cli.tables import print_json
from shakegen.network.config import USUAL_DROPOUT

SHOWN = 10  # words of a vocabulary, and digits of a sha256


@main.command()
@model_argument
@json_option
def info(model, as_json):
    """Show the network of MODEL, and its training.

    MODEL: a model file, or a name from `shakegen models list`.

    \b
    shakegen info models/my-gru.h5
    shakegen info sonnets-lstm --json
    """
    from shakegen.model import load, model_file, shelf

    loaded = load(model)
    symbols, last = loaded.vocabulary.symbols, loaded.history[-1] if loaded.history else {}
    several = loaded.config.level != "char"
    shown = {
        "model": shelf.name_file(Path(model)),
        **loaded.config.to_dict(),
        "parameters": loaded.parameters,
        "weights": loaded.weights_by_part,
        "precision": model_file.choose_dtype(loaded.weights.values()).name,
        "bytes": Path(model).stat().st_size,
        "vocabulary": symbols if several else "".join(symbols),
        "vocabulary_size": len(loaded.vocabulary),
        "unknown_symbol": loaded.vocabulary.unknown is not None,
        "corpus": loaded.corpus,
        "epochs": last.get("epoch", 0),
        "minutes": round(last.get("seconds", 0) / 60, 2),
        "best_epoch": loaded.best_epoch.get("epoch"),
        **loaded.validation_figures(),
    }
    if as_json:
        print_json(shown)
        return
    origin = shown.pop("corpus")
    if shown["dropout"] is None:
        shown["dropout"] = USUAL_DROPOUT
    shown["parameters"] = f"{shown['parameters']:,}"
    shown["bytes"] = f"{shown['bytes']:,}"
    shown["weights"] = ", ".join(f"{part} {count:,}" for part, count in shown["weights"].items())
    if several:
        shown["vocabulary"] = [*symbols[:SHOWN], *["…"] * (len(symbols) > SHOWN)]
    shown["vocabulary"] = repr(shown["vocabulary"])
    name, digest = repr(origin.get("name"))[:100], str(origin.get("sha256"))[:SHOWN]
    shown["corpus"] = f"{name}, {origin.get('length', 0):,} characters, sha256 {digest}…" if origin else "unknown"
    for name in ("epochs", "best_epoch"):
        if shown[name] is not None:
            shown[name] = f"{shown[name]:.4g}"
    for name in ("validation_bits_per_character", "validation_cross_entropy"):
        if shown.get(name) is not None:
            shown[name] = f"{shown[name]:.3f}"
    for name, value in shown.items():
        click.echo(f"{name.replace('_', ' '):32}{value}")
