"""What the command that trains does besides: where it begins, what a resumed run remembers, what it says at the end."""

import contextlib
import itertools
import shlex
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

import click

from shakegen.cells.registry import option_names
from shakegen.network.config import Config


def is_given(context: click.Context, name: str) -> bool:
    """Whether an option stands on the command line, rather than having its default."""
    return context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def beginning(strategy, corpus: tuple[str, ...], out: Path | None, resume: bool, finetune: Path | None, given: dict):
    """The model file to write to, where it is known by now, and the model to begin with, if there is one.

    They are the chief's: no other worker needs a model file.
    """
    if resume and finetune:
        raise ValueError("--resume and --finetune are both given: expected one of them")
    strategy.agree({"--resume": resume, "--finetune": bool(finetune)})
    if not (resume or finetune):
        return out, None
    if strategy.chief:
        out, base = found(corpus, out, resume, finetune, given)
        strategy.share((finetune or out).read_bytes())
        return out, base
    from shakegen.model import load

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        path.write_bytes(strategy.share(None))
        return out, load(path, with_training=resume)


def found(corpus: tuple[str, ...], out: Path | None, resume: bool, finetune: Path | None, given: dict):
    """What `beginning` gives a process alone."""
    from shakegen.model import load

    if finetune:
        return out, load(finetune)
    out = out or latest_run(corpus, given)
    base = load(out, with_training=True)
    if base.training is None:
        raise ValueError(
            f"{out} holds no training run to resume: start from its weights with --finetune, or anew without --resume"
        )
    return out, base


def latest_run(corpus: tuple[str, ...], given: dict) -> Path:
    """The newest model file in ./models whose training run was on a corpus, of the cell and the task that are given."""
    from shakegen.model import load, shelf

    for path in shelf.own_models():
        with contextlib.suppress(ValueError, OSError):
            model = load(path, with_training=True)
            notes = model.training.state.get("notes") if model.training else None
            wanted = all(given.get(name) in (None, getattr(model.config, name)) for name in ("cell", "task"))
            if isinstance(notes, dict) and notes.get("corpus") == list(corpus) and wanted:
                return path
    raise FileNotFoundError(
        f"no training run on {shlex.join(corpus)} in ./models to resume: name its file with --out, or start one "
        "without --resume"
    )


def remembered(context: click.Context, base, given: dict) -> dict:
    """The options of a run that goes on, where they are not given anew: of its text and of its samples."""
    state, parameters = base.training.state, {parameter.name: parameter for parameter in context.command.params}
    try:
        values = {**(state.get("notes") or {}), "random_state": state.get("recipe", {}).get("random_state", 0)}
        return {
            name: parameters[name].type_cast_value(context, value)
            for name, value in values.items()
            if name in parameters and name not in {"corpus", *given}
        }
    except (AttributeError, TypeError, ValueError, click.UsageError):
        raise ValueError(
            "the training run to resume has options that cannot be used: the file may be damaged; start a new run "
            "without --resume"
        ) from None


def configured(given: dict, base) -> Config:
    """The configuration that the options ask for: of a new network, or changes to that of a model."""
    chosen = {name: given[name] for name in (*Config.setting_names(), *option_names()) if name in given}
    if base is not None:
        return replace(base.config, **chosen)
    task = chosen.pop("task", "next")
    return Config.autocomplete(**chosen) if task == "autocomplete" else Config(**chosen)


def corpus_of(source, config: Config, base, shape: dict, options: dict, given: dict):
    """The text to learn from, as the task of the configuration has it."""
    from shakegen.study.autocomplete.corpus import LENGTH, WordCorpus
    from shakegen.text.corpus import Corpus

    if config.task == "next":
        return Corpus.from_source(source, level=config.level, **shape)
    shape |= {"length": given.get("seq_length", base.length if base else LENGTH), "words": base.words if base else None}
    return WordCorpus.from_source(source, random_state=options["random_state"], **shape)


def kind_of(config: Config) -> str:
    """What a model's file is called after: the cell, and the task if it is not the usual one."""
    return config.cell if config.task == "next" else f"{config.task}-{config.cell}"


def free_name(stem: str) -> Path:
    """A model file in ./models that is not there yet: a run without --out overwrites none."""
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(path for path in (Path("models") / f"{name}.h5" for name in names) if not path.exists())


def samples(corpus, config: Config, options: dict, shown: bool) -> list:
    """The callback that draws a sample after each epoch, if one is wanted: to be shown, or for the logs alone."""
    from shakegen.callbacks import CompleteText, SampleText
    from shakegen.training import engine_of

    if not options["sample_length"] or not (shown or options["log_dir"]):
        return []
    if config.task == "autocomplete":
        seed = options["sample_seed"].strip() or corpus.observations.texts(corpus.validation[:1] or [0])[0][:40]
        return [CompleteText(engine_of(config), corpus.words, seed, corpus.observations.length, shown)]
    drawn = {"length": options["sample_length"], "temperature": options["temperature"]}
    drawn |= {"stream": "stderr" if shown else None}
    drawn |= {"random_state": options["random_state"], "beam_width": options["beam_width"]}
    return [SampleText(corpus.vocabulary, options["sample_seed"], source=engine_of(config), **drawn)]


def summary(model, out: Path) -> str:
    """What came of a run: its best epoch, its time and speed, its file."""
    saved = f"Saved: {out}, a {model.config.cell} of {model.parameters:,} weights"
    if not model.history:
        return f"No epoch has ended yet.\n{saved}"
    loss, last = model.best_epoch.get("validation_loss"), model.history[-1]
    shown = (
        f"{loss:.3f} nats" if model.words and loss else f"{model.validation_bits or 0:.3f} bits/char{spelled(model)}"
    )
    scored = "" if loss is None else f", {shown} on validation text"
    speed = statistics.median(entry["characters_per_second"] for entry in model.history)
    epochs = f"{last['epoch']:.4g} epoch{'s' * (last['epoch'] != 1)}"
    took = f"{duration(last['seconds'])} for {epochs}, {speed:,.0f} {model.vocabulary.symbol}s/s while learning"
    return f"Best epoch: {model.best_epoch['epoch']:.4g}{scored}.\nTime: {took}.\n{saved}"


def spelled(model) -> str:
    """That its bits/char count what it takes to spell unknown symbols, if they do."""
    return f", with the spelling of unknown {model.vocabulary.symbol}s," if model.vocabulary.unknown is not None else ""


def duration(seconds: float) -> str:
    """Seconds as people say them: 48 s, 3 min 5 s, 2 h 0 min."""
    minutes, hours = round(seconds) // 60, round(seconds / 60) // 60
    if hours:
        return f"{hours} h {round(seconds / 60) % 60} min"
    return f"{minutes} min {round(seconds) % 60} s" if minutes else f"{round(seconds)} s"


def resumption(corpus: tuple[str, ...], out: Path) -> str:
    """The command that goes on with a run."""
    return f"shakegen train {shlex.join(corpus)} --out {shlex.quote(str(out))} --resume"


def next_commands(corpus: tuple[str, ...], model, out: Path) -> str:
    """What one may want to do with a trained model."""
    path = shlex.quote(str(out))
    use = f'complete --model {path} "..."' if model.words else f'sample --model {path} --seed "..."'
    return (
        f"Now try: shakegen {use}\n"
        f"         shakegen evaluate {path} {shlex.join(corpus)}\n"
        f"         shakegen train {shlex.join(corpus)} --finetune {path} --out ..."
    )
