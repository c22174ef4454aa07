"""Decides how a run begins that options describe: its text, remembered options, the model file that it writes."""

import contextlib
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

from shakegen import files
from shakegen.cells.registry import option_names
from shakegen.model import load, shelf
from shakegen.model.base import Model
from shakegen.network.config import Config
from shakegen.text import splits
from shakegen.text.catalog import open_source
from shakegen.text.named import NAMED
from shakegen.training.beginning import Beginning, begin, check_run, digest, refuse_both
from shakegen.training.older_model import name_copy, refuse_other_files
from shakegen.training.recipe import Recipe
from shakegen.training.tasks import get_task
from shakegen.training.workers.strategy import Strategy

READING = ("encoding", "lowercase", "normalize")
REMEMBERED = {  # options of a run beside those of its network and its recipe
    "encoding": str,
    "lowercase": bool,
    "normalize": str | None,
    "vocabulary_size": int | None,
    "split": str,
    "sample_seed": str,
    "sample_length": int,
    "temperature": float | int,
    "beam_width": int | None,
    "log_dir": str | None,
}
RECIPE = {"recipe", *(field.name for field in fields(Recipe))}


@contextlib.contextmanager
def begin_with_text(
    places: Sequence[str],
    options: Mapping,
    given: set[str],
    *,
    resume: bool = False,
    finetune: Path | None = None,
    out: Path | None = None,
    checkpoint_every: float = 1.0,
    strategy: Strategy | None = None,
) -> Iterator[tuple[Beginning, dict]]:
    """Decide how a run on a text begins that options describe; until the context ends, no other run gets its file.

    A file that `out` names, and that this run does not resume, is kept when training begins: its copy has `~` behind
    its name.

    Args:
        places: the text, as for `text.catalog.open_source`.
        options: of `REMEMBERED`, `Config` and `Recipe`, by name.
        given: the names of the options that the user gave; a resumed run keeps its own values of the others.
        resume: continue the run in `out`, or the newest one on that text in `./models`.
        finetune: the file of a model to start from.
        out: the model file to write; by default a new one in `./models`.
        checkpoint_every: as for `train`.
        strategy: of the processes that train; the chief decides for all.

    Yields:
        The beginning, and the options of `REMEMBERED`, with `random_state`, as they are for this run.

    Raises:
        HeldError: another run writes the same file.
        OSError: the text, the model or the place for the file is not there.
        ValueError: as for `train`.
    """
    refuse_both(resume or None, finetune)
    strategy = strategy or Strategy()
    chosen = {name: value for name, value in options.items() if name in given}
    with contextlib.ExitStack() as held:
        out, base = share_model(strategy, held, places, chosen, out, resume, finetune)
        values = {name: options[name] for name in (*REMEMBERED, "random_state")}
        if resume:
            values |= {name: value for name, value in recall_options(base).items() if name not in given}
        config = make_config(chosen, base)  # before a long text is read
        task = get_task(config.task)
        source = open_source(places, **{name: values[name] for name in READING})
        shape = {"vocabulary_size": values["vocabulary_size"], "split": splits.parse(values["split"])}
        length, recipe = chosen.get("seq_length"), chosen.get("recipe")
        # A run that began with the weights of another model may have more symbols than its text has.
        keeps = resume and base.training.state.get("symbols") == digest(base.output_vocabulary)
        shape |= task.corpus_options(length, values["random_state"], base, recipe, level=config.level, resumes=keeps)
        if {"vocabulary", "words"} & shape.keys() and "vocabulary_size" in given:
            own = len(base.output_vocabulary.to_json())
            if options["vocabulary_size"] not in (own, recall_options(base).get("vocabulary_size") if resume else None):
                raise ValueError(
                    f"`vocabulary_size` is {options['vocabulary_size']}, but the model to start from keeps its "
                    f"{own} {'words' if 'words' in shape else 'symbols'}: leave it out"
                )
        corpus = task.make_corpus(source, **shape)
        if finetune and base.vocabulary.grows and corpus.vocabulary.reads_all and corpus.level == base.config.level:
            # Words that the model knows may be too rare here to be known from this text.
            corpus = task.make_corpus(source, **{**shape, "vocabulary": task.merge_vocabularies(base, corpus)})
        config = make_config(chosen, base, corpus)
        if out:
            for path in [out] if resume or not out.is_file() else [out, name_copy(out)]:
                files.refuse_same(path, [*places, *([finetune] if finetune else [])])
        notes = {"corpus": list(places), **{name: values[name] for name in REMEMBERED}}
        learning = {name: value for name, value in chosen.items() if name in RECIPE}
        start = {"resume": base, "name": str(out or "the chief's file")} if resume else {"finetune": base}
        beginning = begin(corpus, config, **start, checkpoint_every=checkpoint_every, notes=notes, **learning)
        if strategy.chief:
            beginning.out = out or hold_free_file(held, task.name_file(corpus, config))
            if out and not resume:
                held.enter_context(files.holding(out))
            files.ensure_writable(beginning.out)
            if not resume:
                refuse_other_files(beginning.out)
            beginning.keeps_copy, beginning.holds_run = not resume, resume
        yield beginning, values


def share_model(strategy: Strategy, held: contextlib.ExitStack, places, chosen, out: Path | None, resume, finetune):
    """The model file to write, if it is known by now, and the chief's model to begin with, if there is one.

    The file of a run to resume is held before it is read: another process may be about to write it.
    """
    strategy.agree({"`resume`": resume, "`finetune`": bool(finetune)})
    if not (resume or finetune):
        return out, None
    if not strategy.chief:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.h5"
            path.write_bytes(strategy.share(None))
            return out, load(path, with_training=resume)
    out = out or find_run(places, chosen) if resume else out
    path = out if resume else finetune
    if resume and path.exists():  # else `load` says what is wrong
        held.enter_context(files.holding(path))
    base = load(path, with_training=resume)
    if resume:
        check_run(base, str(path))
    if len(strategy) > 1:
        strategy.share(path.read_bytes())
    return out, base


def find_run(places: Sequence[str], chosen: Mapping) -> Path:
    """The newest model file in ./models with a training run on a text, of the chosen cell and task."""
    others: list[str] = []
    for path in shelf.own_models():
        with contextlib.suppress(ValueError, OSError):
            model = load(path, with_training=True)
            notes = model.training and model.training.state.get("notes")
            corpus = notes.get("corpus") if isinstance(notes, dict) else None
            if isinstance(corpus, list) and all(isinstance(place, str) for place in corpus):
                fits = all(chosen.get(name) in (None, getattr(model.config, name)) for name in ("cell", "task"))
                if fits and resolve_places(corpus) == resolve_places(places):
                    return path
                others.append(f"{path} has one of a {model.config.cell} on {shlex.join(corpus)}")
    there = f" ({'; '.join(others[:3])}{'; …' if others[3:] else ''})" if others else ""
    raise FileNotFoundError(
        f"no training run on {shlex.join(places)} in ./models to resume{there}: name its file with `out`, or start one "
        "without `resume`"
    )


def resolve_places(places: Sequence[str]) -> list[str]:
    """Texts by names that do not depend on how their files are reached."""
    return [os.path.realpath(place) if os.path.exists(place) and place not in NAMED else place for place in places]


def recall_options(base: Model) -> dict:
    """The options of text and samples that a run remembers, and its random state; raises ValueError if damaged."""
    state, kinds = base.training.state, {**REMEMBERED, "random_state": int}
    notes = state.get("notes") or {}
    if isinstance(notes, dict):
        values = {**notes, "random_state": state["recipe"].get("random_state", 0)}
        values = {name: value for name, value in values.items() if name in kinds}
        if all(isinstance(value, kinds[name]) for name, value in values.items()):
            return values
    raise ValueError(
        "the training run to resume has options that cannot be used: the file may be damaged; start a new run "
        "without `resume`"
    )


def make_config(chosen: Mapping, base: Model | None, corpus=None) -> Config:
    """The configuration that options ask for: of a new network for a corpus, or changes to that of a model."""
    options = {name: chosen[name] for name in (*Config.setting_names(), *option_names()) if name in chosen}
    if base is not None:
        if options.get("task", base.task) != base.task:
            raise ValueError(
                f"the model to start from has task {base.task}, not {options['task']}: leave that out, for its "
                "weights fit no other network"
            )
        return replace(base.config, **options)
    return get_task(options.pop("task", "next")).make_config(corpus, chosen.get("recipe"), **options)


def hold_free_file(held: contextlib.ExitStack, stem: str) -> Path:
    """A model file in ./models that is neither there nor another run's; this process holds it until the stack ends."""
    for name in files.number_names(stem):
        path = Path("models") / f"{name}.h5"
        if not os.path.lexists(path):
            with contextlib.suppress(files.HeldError):
                held.enter_context(files.holding(path))
                if not os.path.lexists(path):  # a run that ended just now may have written it
                    return path
