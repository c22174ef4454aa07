"""Training: from a corpus and a configuration to a trained language model."""

import contextlib
import math
import signal
import threading
from collections.abc import Callable, Iterable, Iterator

import keras

from shakegen import callbacks as ours
from shakegen import windows
from shakegen.config import Config
from shakegen.inference import Engine
from shakegen.model import LanguageModel
from shakegen.network import build, named_weights
from shakegen.text import Corpus

EPOCHS = 30


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a training run; `model` is the best that it had by then."""

    def __init__(self, model: LanguageModel):
        super().__init__("training was interrupted")
        self.model = model


def train(
    corpus: Corpus,
    config: Config | None = None,
    *,
    epochs: int | None = None,
    minutes: float | None = None,
    batch_size: int = 32,
    seq_length: int = 64,
    learning_rate: float = 6e-3,
    optimizer: str = "adam",
    clip_norm: float | None = 1.0,
    clip_value: float | None = None,
    random_state: int = 0,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    on_best: Callable[[LanguageModel], None] | None = None,
    verbose: bool = True,
) -> LanguageModel:
    """Train a network to predict each next character, or word, of a text.

    Args:
        corpus: the text, with its splits.
        config: the network; by default `Config()` of the corpus's level.
        epochs: passes over the training text, 30 by default; or
        minutes: how long to train; the learning rate anneals to whichever is given.
        batch_size: windows in a batch.
        seq_length: characters, or words, in a window, through which gradients flow back.
        learning_rate: its peak.
        optimizer: any of Keras's, by name.
        clip_norm: the largest global norm of the gradients; None leaves it free.
        clip_value: the largest absolute value of a gradient's element (Keras clips by value or by norm, not both).
        random_state: of weights, windows and dropout.
        callbacks: more `keras.callbacks.Callback`s, such as `SampleText`.
        on_best: called with the model whenever an epoch is the best yet, to save it, say.
        verbose: show progress on standard error.

    Returns:
        The model of the epoch that predicted the validation text best.

    Raises:
        ValueError: the text is too short for one window or a part, an argument is out of range, or training diverged.
        Interrupted: Ctrl-C; the model is in the exception.
    """
    config = config or Config(level=corpus.level)
    if config.level != corpus.level:
        raise ValueError(
            f"the corpus has the level {corpus.level}, the configuration {config.level}: expected the same, as in "
            f"Config(level={corpus.level!r})"
        )
    if epochs is not None and minutes is not None:
        raise ValueError("epochs and minutes are both given: expected one of them")
    epochs = EPOCHS if epochs is None and minutes is None else epochs
    given = {"epochs": epochs, "minutes": minutes, "learning rate": learning_rate}
    given |= {"clip norm": clip_norm, "clip value": clip_value}
    for name, value in given.items():
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"the {name} given is {value}: expected a number above 0")
    if not 0 <= random_state < 1 << 32:
        raise ValueError(f"the random state is {random_state}: expected a whole number from 0 to {(1 << 32) - 1}")
    batches = windows.TrainingWindows(corpus.train, seq_length, batch_size, random_state)
    corpus.check_parts()
    budget = ours.Budget(learning_rate, batches.steps, epochs, minutes)
    network = build(config, len(corpus.vocabulary), random_state)
    network.compile(
        make_optimizer(optimizer, learning_rate, clip_norm, clip_value),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # the recurrence is compiled in its layer; dropout is several times slower under XLA
    )
    origin = corpus.origin()
    best = None

    def keep(weights, history):
        nonlocal best
        best = LanguageModel(config, corpus.vocabulary, weights, origin, list(history))
        if on_best:
            on_best(best)

    keeper = ours.KeepBest(config, budget, corpus.validation, keep)
    shown = [ours.Progress(budget, batches.batch_size * seq_length, config.level)] if verbose else []
    with stopping_on_interrupt(budget), contextlib.ExitStack() as closing:
        for bar in shown:
            closing.callback(bar.close)
        network.fit(
            batches.dataset(),
            epochs=epochs or 1 << 30,
            steps_per_epoch=batches.steps,
            shuffle=False,
            verbose=0,
            callbacks=[budget, keeper, *shown, *callbacks],
        )
    if best is None:
        raise ValueError(
            "training diverged, the loss is not a number: try a lower --learning-rate or a lower --clip-norm"
        )
    best.history = keeper.history
    if on_best:
        on_best(best)
    if budget.interrupted:
        raise Interrupted(best)
    return best


def engine_of(config: Config) -> Callable[[keras.Model], Engine]:
    """What `SampleText` needs to draw from our own networks at the engine's speed: its `source`."""

    return lambda network: Engine(config, named_weights(config, network))


def make_optimizer(name: str, learning_rate: float, clip_norm: float | None, clip_value: float | None):
    """One of Keras's optimizers by its name, with clipped gradients."""
    clipping = {"clipvalue": clip_value} if clip_value else {"global_clipnorm": clip_norm}
    try:
        return keras.optimizers.get({"class_name": name, "config": {"learning_rate": learning_rate, **clipping}})
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"there is no optimizer {name!r}: expected one of Keras's, such as adam, adamw, rmsprop or sgd"
        ) from None


@contextlib.contextmanager
def stopping_on_interrupt(budget: ours.Budget) -> Iterator[None]:
    """Let the first Ctrl-C end the run after the batch at hand; the second one acts at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        budget.interrupted = True
        signal.signal(signal.SIGINT, before or signal.default_int_handler)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)
