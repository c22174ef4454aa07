"""Several models that predict together, from the command line."""

import click

from shakegen.cli.names import ModelName

NGRAM = "ngram"


class Mixed(ModelName):
    """A model, or `ngram`, or `ngram:TEXT`."""

    def convert(self, value, param, ctx):
        return value if value.partition(":")[0] == NGRAM else super().convert(value, param, ctx)


mix_option = click.option(
    "--mix", multiple=True, type=Mixed(), metavar="MODEL|ngram", help="Mix in the probabilities of this model, or of "
    "an n-gram model of the training text (ngram:TEXT where that is not found). May be given several times.",
)  # fmt: skip


def load_mixed(path: str, mix, source=None, reading: dict | None = None):
    """The model at a path; with others, the `Ensemble` of them.

    Args:
        path: of the model.
        mix: the values of `--mix`.
        source: a text that the command reads, which may be the training text.
        reading: how the text of `ngram:TEXT` is read, as by `catalog.open_source`.
    """
    from shakegen.cli.plot import name_files
    from shakegen.model import Ensemble, load

    others = dict.fromkeys(one for one in mix if one.partition(":")[0] != NGRAM)
    counted = [one for one in mix if one not in others]
    if len(counted) > 1:
        raise ValueError(f"--mix has {counted[0]} and {counted[1]}: expected one n-gram model")
    if not mix:
        return load(path, "next")
    paths = list(dict.fromkeys([path, *others]))
    models = dict(zip(name_files(paths), (load(one, "next") for one in paths), strict=True))
    text = find_text(path, next(iter(models.values())), counted[0], source, reading or {}) if counted else None
    return Ensemble(models, text)


def find_text(path: str, model, wanted: str, source, reading: dict):
    """The source of the text that a model learned from: as given, or the one that is read, or a named one."""
    from shakegen.text import catalog, encoding, named

    if given := wanted.partition(":")[2]:
        return catalog.open_source(given, **reading)
    name, sha256 = model.corpus.get("name"), model.corpus.get("sha256")
    if source is not None and encoding.measure(source).sha256 == sha256:
        return source
    if name in named.NAMED and named.is_here(name):
        text = catalog.open_source(name)
        if encoding.measure(text).sha256 == sha256:
            return text
    raise ValueError(f"the text that {path} learned from, {name!r}, was not found: name it as in --mix ngram:my.txt")


def say_mixture(model) -> None:
    """Say on standard error how much each part of an `Ensemble` counts; of a single model, nothing."""
    if shares := getattr(model, "shares", None):
        click.echo(f"Mixture: {', '.join(f'{share:.0%} {name}' for name, share in shares.items())}", err=True)
