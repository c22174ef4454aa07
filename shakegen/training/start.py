"""Training from the first batch to the model."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from shakegen import __version__
from shakegen.files import ensure_writable
from shakegen.model.model import AutocompleteModel, LanguageModel
from shakegen.network.config import Config
from shakegen.study.autocomplete.corpus import AutocompleteCorpus
from shakegen.text.corpus import Corpus
from shakegen.training.beginning import ORIGIN, Beginning, begin, digest
from shakegen.training.checkpoint import digest_model
from shakegen.training.recipe import Recipe
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
    team: Strategy | None = None,
    recipe: str | None = None,
    **options,
) -> LanguageModel | Any:
    """Train a network to predict each next symbol of a text, or for an `AutocompleteCorpus` the word at each character.

    With `resume`, a run that was stopped, killed or finished goes on from its last checkpoint, bit for bit as if it had
    not ended; only callbacks that remember something begin anew. It keeps its options; only `epochs`, `minutes`,
    `learning_rate` and `patience` may change. The learning rate falls over the whole run. Resumed with more epochs, it
    jumps back up to where a run of the new length would be; with the constant `schedule`, N epochs and M more are the
    same as N + M. A run by `minutes` depends on the clock, so it cannot be repeated exactly.

    Args:
        corpus: the text, with its splits.
        config: the network; by default that of the model to resume or to start from, or `Config()` of the corpus's
            level, or for an `AutocompleteCorpus` `Config.autocomplete()`, with the recipe "study" `Config.study()`.
        resume: a model, or its file, whose run goes on; a file is also the default of `out`.
        finetune: a model, or its file, whose weights a new run starts from. Unknown characters, or words, are added to
            its vocabulary. One of subwords stays: make the corpus with `vocabulary=model.vocabulary`. A word that the
            model knows and the corpus does not is unknown in this run. Only dropout may differ from the configuration.
        out: the model file to write: the best epoch so far, and the state of the run for `resume`.
        checkpoint_every: minutes between checkpoints; each epoch ends with one too. 0: the file is written after every
            epoch without the state of the run, several times smaller; the run cannot go on from it.
        callbacks: Keras callbacks, such as `SampleText`; they do what they do under `fit`, or are refused. Their logs
            have `val_loss` and `epochs` so far. An epoch of more than about a million symbols counts as several for
            them. Setting `model.stop_training` ends the run. A learning rate set between epochs scales all later rates
            of the schedule; where the warm-up is not over, it is compared with a rate that still rises. A checkpoint
            comes before they are told of an epoch's end, so that none costs an epoch; another one follows if they
            changed the network.
        log_dir: a folder for `epochs.csv`, a line an epoch, and for event files that TensorBoard shows: losses, norms
            of gradients, the samples of a `SampleText` among the callbacks. A resumed run continues its logs.
        verbose: show progress on standard error.
        team: the workers that train together, from `training.workers.join`. Each calls this with the same text,
            configuration, options and model to begin with. The first one, the chief, decides, scores, shows, writes,
            and alone calls the callbacks. By default this process trains alone, on all its GPUs.
        recipe: "usual" or "study", the defaults of the options, and of the network, for an `AutocompleteCorpus`; by
            default the study's for a text of 20 million characters or more.
        options: fields of `Recipe`: epochs, minutes, batch_size, learning_rate and so on.

    Returns:
        The model of the epoch with the best validation loss, or training loss where less than 40 characters of
        validation text could tell: a `LanguageModel`, or an `AutocompleteModel`. The run can go on from it. None on
        workers other than the chief.

    Raises:
        TypeError: an option does not exist, or an argument is of another kind.
        ValueError: the text is too short for a window or a part, an option is out of range, a callback cannot serve,
            or the run to resume differs.
        Diverged: the loss is not a number; the exception holds the best model so far.
        Interrupted: Ctrl-C, SIGTERM or SIGHUP; the exception holds the model.
        TeamError: the workers' arguments differ, or one was lost; the message says which and why.
        OSError: the log folder or the model file cannot be written, at the beginning or at the end. A checkpoint that
            fails during training only gives a warning.
    """
    files = {"resume": resume, "finetune": finetune, "out": out}
    beginning = begin(corpus, config, **files, checkpoint_every=checkpoint_every, recipe=recipe, **options)
    return train_from(beginning, callbacks, log_dir, verbose, strategy=team)


def train_from(
    beginning: Beginning,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    log_dir: str | Path | None = None,
    verbose: bool = True,
    started: float | None = None,
    strategy: Strategy | None = None,
) -> LanguageModel | AutocompleteModel | None:
    """Train a network from where a run begins; as `train`, with `strategy` as its `team`.

    `started` is the `time.monotonic()` from which the minutes count; by default now.
    """
    strategy = strategy or Strategy()
    if beginning.out is not None and strategy.chief:
        ensure_writable(beginning.out)
    if len(strategy) > 1:
        own = json.dumps(beginning.recipe.to_dict()).encode() if strategy.chief else None
        beginning.recipe = beginning.recipe.follow(Recipe.from_dict(json.loads(strategy.share(own))))
    strategy.agree(describe_run(beginning) if len(strategy) > 1 else {})
    with strategy.explain_errors():
        trainer = Trainer(beginning, time.monotonic() if started is None else started, strategy)
        return trainer.train(callbacks, log_dir, verbose) if strategy.chief else trainer.follow()


def describe_run(beginning: Beginning) -> dict:
    """Everything that must be the same for all workers, by names that people know."""
    origin, options = beginning.corpus.origin(), beginning.config.to_dict() | beginning.recipe.to_dict()
    return {
        "shakegen": __version__,
        "TensorFlow": tf.__version__,
        "Keras": keras.__version__,
        "NumPy": np.__version__,
        "GPUs": len(tf.config.get_visible_devices("GPU")),
        **{name: origin.get(key) for key, name in ORIGIN.items()},
        "symbols with sha256": digest(beginning.corpus.output_vocabulary),
        **{name.replace("_", " "): value for name, value in options.items()},
        "a model to begin with": digest_model(beginning.base),
    }
