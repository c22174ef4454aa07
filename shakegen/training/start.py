"""Training from the first batch to the model."""

import hashlib
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from shakegen import __version__
from shakegen.model.base import Model
from shakegen.model.model import AutocompleteModel, LanguageModel
from shakegen.network.config import Config
from shakegen.study.autocomplete.corpus import AutocompleteCorpus
from shakegen.text.corpus import Corpus
from shakegen.training.beginning import ORIGIN, Beginning, begin, digest
from shakegen.training.trainer import Trainer
from shakegen.training.workers.strategy import Strategy


def train(
    corpus: Corpus | AutocompleteCorpus,
    config: Config | None = None,
    *,
    resume: str | Path | LanguageModel | AutocompleteModel | None = None,
    finetune: str | Path | LanguageModel | AutocompleteModel | None = None,
    out: str | Path | None = None,
    checkpoint_every: float = 1.0,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    log_dir: str | Path | None = None,
    verbose: bool = True,
    notes: dict | None = None,
    started: float | None = None,
    team: Strategy | None = None,
    **options,
) -> LanguageModel | AutocompleteModel | None:
    """Train a network to predict each next symbol of a text, or for an `AutocompleteCorpus` the word at each character.

    A run that was stopped, killed or finished goes on with `resume`, bit for bit as if it had not been: from its last
    checkpoint, or its last epoch. Then options that are not given are those of the run, and only `epochs`, `minutes`,
    `learning_rate` and `patience` may be others. The learning rate depends on what share of all epochs or minutes is
    over; so N epochs and then M more are N + M at one go where the run was to have N + M from the start, or where the
    `schedule` is "constant". With another schedule, a run that was finished and is given more epochs goes on at the
    rate that the longer run has at that point. Minutes depend on the clock, and are never the same twice.

    Args:
        corpus: the text, with its splits.
        config: the network; by default that of the model to resume or to start from, or `Config()` of the corpus's
            level, or for an `AutocompleteCorpus` `Config.autocomplete()`.
        resume: a model file, or model, to go on from; a file is also where it goes on to, if `out` is not given.
        finetune: a model file, or model, whose weights a new run starts from; characters, or words, that it does
            not know are added to its vocabulary. Only dropout may differ from its configuration.
        out: where to write a model file with the best epoch so far and what it takes to go on.
        checkpoint_every: minutes between checkpoints, beside that after every epoch. 0: the file is written after
            every epoch, and the run cannot go on from it; it is several times smaller.
        callbacks: more `keras.callbacks.Callback`s, such as `SampleText` or Keras's own. Their logs have `val_loss` and
            `epochs` so far. For them an epoch of more than about a million symbols is several. One can end the run by
            setting `model.stop_training`. A learning rate that one sets between epochs scales all later rates of the
            schedule.
        log_dir: a folder for `epochs.csv`, a line an epoch, and for event files that TensorBoard shows: losses, norms
            of gradients, the samples of a `SampleText` among the callbacks. A run that goes on continues its logs.
        verbose: show progress on standard error.
        notes: anything that JSON can hold, to be kept in the checkpoints (`model.training.state["notes"]`).
        started: the `time.monotonic()` from which `minutes` count; by default now.
        team: the workers that train together, from `training.workers.join`; each of them calls this with the same text,
            configuration, options and model to resume or start from. The first one, the chief, decides, scores, shows
            and writes; callbacks are called there alone. By default this process trains alone, on all its GPUs.
        options: those of a `recipe.Recipe`: epochs, minutes, batch_size, learning_rate and so on.

    Returns:
        The model of the epoch that predicted the validation text best. The run can go on from it, too. None on workers
        other than the chief.

    Raises:
        ValueError: the text is too short for a window or a part, an option is out of range, or the run to resume
            differs.
        Diverged: the loss is not a number; the best model so far is in the exception.
        Interrupted: Ctrl-C or SIGTERM; the model is in the exception.
        TeamError: the workers differ in what they were given, or one was lost; the message says which and why.
        OSError: the log folder cannot be written to, or the model file at the end; while training goes on, that is
            only a warning.
    """
    files = {"resume": resume, "finetune": finetune, "out": out}
    beginning = begin(corpus, config, **files, checkpoint_every=checkpoint_every, notes=notes, **options)
    return train_from(beginning, callbacks, log_dir, verbose, started, team)


def train_from(
    beginning: Beginning,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    log_dir: str | Path | None = None,
    verbose: bool = True,
    started: float | None = None,
    strategy: Strategy | None = None,
) -> LanguageModel | AutocompleteModel | None:
    """Train a network from where a run begins; arguments, results and errors as for `train`, `strategy` as `team`."""
    started = time.monotonic() if started is None else started
    strategy = strategy or Strategy()
    strategy.agree(describe_run(beginning))
    with strategy.explain_errors():
        trainer = Trainer(beginning, started, strategy)
        return trainer.train(callbacks, log_dir, verbose) if strategy.chief else trainer.follow()


def describe_run(beginning: Beginning) -> dict:
    """Everything that must be the same for all workers, by names that people know."""
    corpus = beginning.corpus
    versions = {"shakegen": __version__, **{name: version(name.lower()) for name in ("TensorFlow", "Keras", "NumPy")}}
    devices = {"GPUs": len(tf.config.get_visible_devices("GPU"))}
    origin = corpus.origin()
    text = {name: origin.get(key) for key, name in ORIGIN.items()}
    text |= {"symbols with sha256": digest(corpus.output_vocabulary)}
    options = beginning.config.to_dict() | beginning.recipe.to_dict()
    options = {name.replace("_", " "): value for name, value in options.items()}
    return versions | devices | text | options | {"a model to begin with": digest_model(beginning.base)}


def digest_model(model: Model | None) -> str | None:
    """A sha256 of a model's weights, and of where its training run stands."""
    if model is None:
        return None
    arrays, sha256 = {**model.weights, **(model.training.arrays if model.training else {})}, hashlib.sha256()
    for name in sorted(arrays):
        sha256.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return sha256.hexdigest()
