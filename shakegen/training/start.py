"""How a run begins: anew, from the weights of a model, or where another one stopped."""

import hashlib
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from shakegen import __version__
from shakegen.model import LanguageModel, WordModel, load
from shakegen.model.model_file import ModelFileError
from shakegen.network.config import Config
from shakegen.study.autocomplete.corpus import WordCorpus
from shakegen.text.corpus import Corpus
from shakegen.training.recipe import Recipe, different
from shakegen.training.trainer import Saving, Trainer, digest
from shakegen.training.words import WordTrainer
from shakegen.training.workers.strategy import Alone, Strategy

ORIGIN = {
    "sha256": "a text with sha256",
    "length": "a text of length",
    "split": "the split",
    "observation_length": "observations of length",
    "random_state": "a split by the random state",
}
TRAINERS = {"next": Trainer, "autocomplete": WordTrainer}
DROPOUTS = ("dropout", "variational_dropout")


def train(
    corpus: Corpus | WordCorpus,
    config: Config | None = None,
    *,
    resume: str | Path | LanguageModel | WordModel | None = None,
    finetune: str | Path | LanguageModel | WordModel | None = None,
    out: str | Path | None = None,
    checkpoint_every: float = 1.0,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    log_dir: str | Path | None = None,
    verbose: bool = True,
    notes: dict | None = None,
    started: float | None = None,
    team: Strategy | None = None,
    **options,
) -> LanguageModel | WordModel | None:
    """Train a network to predict each next character, or word, of a text; for a `WordCorpus`, the word at each one.

    A run that was stopped, killed or finished goes on with `resume`, bit for bit as if it had not been: from its last
    checkpoint, or its last epoch. Then options that are not given are those of the run, and only `epochs`, `minutes`,
    `learning_rate` and `patience` may be others. The learning rate depends on what share of all epochs or minutes is
    over; so N epochs and then M more are N + M at one go where the run was to have N + M from the start, or where the
    `schedule` is "constant". With another schedule, a run that was finished and is given more epochs goes on at the
    rate that the longer run has at that point. Minutes depend on the clock, and are never the same twice.

    Args:
        corpus: the text, with its splits.
        config: the network; by default that of the model to resume or to start from, or `Config()` of the corpus's
            level, or for a `WordCorpus` `Config.autocomplete()`.
        resume: a model file, or model, to go on from; a file is also where it goes on to, if `out` is not given.
        finetune: a model file, or model, whose weights a new run starts from; characters, or words, that it does
            not know are added to its vocabulary. Only dropout may differ from its configuration.
        out: where to write a model file with the best epoch so far and what it takes to go on.
        checkpoint_every: minutes between checkpoints, beside that after every epoch. 0: the file is written after
            every epoch, and the run cannot go on from it; it is several times smaller.
        callbacks: more `keras.callbacks.Callback`s, such as `SampleText`; one can end the run by setting
            `model.stop_training`. For them an epoch of more than about a million symbols is several.
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
    started = time.monotonic() if started is None else started
    if resume is not None and finetune is not None:
        raise ValueError("resume and finetune are both given: expected one of them")
    if not checkpoint_every >= 0:
        raise ValueError(f"the minutes between checkpoints are {checkpoint_every}: expected a number of 0 or more")
    if resume is not None:
        out = resume if out is None and not isinstance(resume, LanguageModel | WordModel) else out
        base = opened(resume, with_training=True)
        recipe, config = resumed(base, corpus, config, options), base.config
    else:
        base = None if finetune is None else opened(finetune)
        recipe, config = fresh(corpus, options), chosen(corpus, config, base)
    saving = Saving(None if out is None else Path(out), checkpoint_every, notes)
    strategy = team or Alone()
    strategy.agree(facts(corpus, config, recipe, base))
    with strategy.explaining():
        trainer = TRAINERS[corpus.task](corpus, config, recipe, base, saving, started, strategy)
        if resume is not None:
            trainer.restore(base)
        return trainer.train(callbacks, log_dir, verbose) if strategy.chief else trainer.follow()


def facts(corpus: Corpus | WordCorpus, config: Config, recipe: Recipe, base) -> dict:
    """What must be the same for all workers, by names that people know."""
    versions = {"shakegen": __version__, **{name: version(name.lower()) for name in ("TensorFlow", "Keras", "NumPy")}}
    devices = {"GPUs": len(tf.config.get_visible_devices("GPU"))}
    origin = corpus.origin()
    text = {name: origin.get(key) for key, name in ORIGIN.items()} | {"symbols with sha256": digest(corpus)}
    options = {name.replace("_", " "): value for name, value in (config.to_dict() | recipe.to_dict()).items()}
    return versions | devices | text | options | {"a model to begin with": fingerprint(base)}


def fingerprint(model: LanguageModel | WordModel | None) -> str | None:
    """A digest of a model's weights, and of where its training run stands."""
    if model is None:
        return None
    arrays, sha256 = model.weights | (model.training.arrays if model.training else {}), hashlib.sha256()
    for name in sorted(arrays):
        sha256.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return sha256.hexdigest()


def opened(model: str | Path | LanguageModel | WordModel, with_training: bool = False) -> LanguageModel | WordModel:
    """A model that is at hand, or that of a file."""
    return load(model, with_training=with_training) if isinstance(model, str | Path) else model


def fresh(corpus: Corpus | WordCorpus, options: dict) -> Recipe:
    """The recipe of a new run.

    Raises:
        ValueError: an option is out of range, or has no meaning for the task of the corpus.
    """
    if corpus.task == "next":
        return Recipe(**options)
    length = corpus.observations.length
    if options.get("stateful") or options.get("seq_length", length) != length:
        raise ValueError(
            f"the corpus has observations of {length} characters, each read from the start state: leave out stateful, "
            "and give another length when it is made"
        )
    return Recipe.autocomplete(**{**options, "seq_length": length})


def chosen(corpus: Corpus | WordCorpus, config: Config | None, base: LanguageModel | WordModel | None) -> Config:
    """The configuration of a new run, which may start from a model.

    Raises:
        ValueError: it is not that model's, or is for another task than the corpus.
    """
    if config is None and base:
        config = base.config
    elif config is None:
        config = Config.autocomplete() if corpus.task == "autocomplete" else Config(level=corpus.level)
    for name, value in base.config.to_dict().items() if base else ():
        if name not in DROPOUTS and getattr(config, name) != value:
            raise ValueError(
                f"the model to start from has {name.replace('_', ' ')} {value}, not {getattr(config, name)}: leave "
                "that out, for its weights fit no other network"
            )
    if config.task != corpus.task:
        raise ValueError(f"the corpus is for the task {corpus.task}, the network for {config.task}: expected the same")
    return config


def resumed(base: LanguageModel, corpus: Corpus, config: Config | None, options: dict) -> Recipe:
    """The recipe of a run that goes on.

    Raises:
        ValueError: the corpus, the configuration or an option is not that of the run; the message names the first one.
    """
    state = base.training.state if base.training else {}
    if not isinstance(state.get("recipe"), dict):
        raise ModelFileError(
            "the model holds no training run to resume: start from its weights with --finetune, or start a new run"
        )
    now = corpus.origin()
    for key, name in ORIGIN.items():
        if base.corpus.get(key) != now.get(key):
            raise ValueError(different(name, base.corpus.get(key), now.get(key)))
    if state.get("symbols") != digest(corpus):
        raise ValueError(different("another vocabulary, of", f"{len(base.vocabulary)} symbols", len(corpus.vocabulary)))
    for name, value in base.config.to_dict().items():
        if config is not None and getattr(config, name) != value:
            raise ValueError(different(name.replace("_", " "), value, getattr(config, name)))
    return Recipe.from_dict(state["recipe"]).resumed(options)
