"""The options of a training run, checked, and the learning rate at each point of it. Only Python."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated

from shakegen.checks import is_number, is_whole, refuse_unknown
from shakegen.network.config import DROPOUT, Config, Usual

EPOCHS, WARMUP, FLOOR = 30, 0.02, 0.01
RISE, LONGEST_RISE = 20, 0.1  # batches that the warm-up of stacked layers takes at least, up to a share of the run
FEW_EPOCHS, GROWTH = 4, 0.07  # of the usual dropout: without any, and what twice the epochs add to it
SCHEDULES = {
    "cosine": lambda progress: FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * progress)) / 2,
    "linear": lambda progress: FLOOR + (1 - FLOOR) * (1 - progress),
    "constant": lambda progress: 1.0,
}
PRECISIONS = ("float32", "bfloat16")
RECIPES = ("usual", "study")  # sets of defaults
STARTS = ("keras", "frequencies", "spelling", "tensorflow1")
LARGEST_RANDOM_STATE = (1 << 32) - 1
MAY_CHANGE = ("epochs", "minutes", "learning_rate", "patience")
MAY_BE_NONE = ("clip_norm", "patience")  # None is a value of these, which a run that goes on may be given
ADAM = "adam"
ABOVE_ZERO = ("epochs", "minutes", "learning_rate", "epsilon", "clip_norm", "clip_value", "patience")
MANY = 4096  # outputs
FOR_MANY: dict = {"loss_share": 0.25, "start": "frequencies"}  # what is usual then
MEMORY = 3  # epochs after which a weight that is not learned again is 1/e
MOST_DECAY, DECAY = 0.5, 0.1  # no more decay than this; and than this, times the weights for each symbol of the text
USUAL_DECAY = f"0 to {MOST_DECAY}, by weights and text"
WIDE = 128  # features of a layer's inputs: products that are quicker in bfloat16, where the processor has tiles for it
PROCESSOR = Path("/proc/cpuinfo")


class UsualName(str):
    """A name that follows from other settings because none was given."""


class ChosenName(str):
    """A name that the processor chose because none was given."""


@dataclass(frozen=True)
class Recipe:
    """The options of a training run.

    Attributes:
        epochs: passes over the training text, 30 where neither they nor minutes are given; or
        minutes: how long to train, with compilation, validation and samples.
        batch_size: windows in a batch.
        seq_length: symbols in a window, through which gradients flow back.
        passage: how many windows of the text in a row pass the state on. Such passages come in random order, and each
            begins with the start state. With 1, every window does.
        learning_rate: its peak.
        schedule: cosine or linear, to 1 % of the peak when the epochs or minutes end; or constant.
        warmup: the share of the run in which the rate rises to its peak. By default 0.02, but with two layers or more
            20 batches at least, up to a tenth of the run; of a constant rate 0.
        optimizer: any of Keras's, by name.
        epsilon: the number that Adam and its relatives add to a divisor; None is the optimizer's own default, 1e-7.
        weight_decay: the share of the weights, vectors excepted, taken off at every step, times the learning rate. None
            is usual: with Adam `fit_text` chooses it, other optimizers have a default of their own.
        average_weights: the momentum of an exponential moving average of the weights, such as 0.999; the average is
            then validated and kept. After n steps the momentum is (1 + n) / (10 + n) at most. 0: no average.
        clip_norm: the largest global norm of the gradients; None leaves it free.
        clip_value: the largest absolute value of a gradient's element; where it is given, the norm is free.
        loss_share: the share of the positions whose loss is computed, drawn anew for each batch. The expectation of
            the gradient is that of all positions; with many outputs a step costs less.
        start: the first weights. keras: as Keras's layers start. frequencies: the read-out knows how often each word
            is there. spelling: that of an autocomplete network knows their letters too. tensorflow1: those of an
            autocomplete network are as the study's program started them.
        mixed_precision: bfloat16 for large products, and values kept for the way back, of 16 bits; weights, and states
            within a window, are float32 in any case. By default `fit_network` chooses it where it is quicker.
        patience: end the run after so many epochs without a better validation loss.
        random_state: of the first weights, of the order of passages and of dropout.

    Raises:
        ValueError: an option is out of range.
    """

    epochs: int | None = None
    minutes: float | None = None
    batch_size: int = 32
    seq_length: int = 64
    passage: int = Usual(8)
    learning_rate: float = 1e-2
    schedule: Annotated[str, tuple(SCHEDULES)] = "cosine"
    warmup: float | None = None
    optimizer: str = ADAM
    epsilon: float | None = None
    weight_decay: float | None = None
    average_weights: float = 0.0
    clip_norm: float | None = 1.0
    clip_value: float | None = None
    loss_share: float = Usual(1)
    start: Annotated[str, STARTS] = UsualName("keras")
    mixed_precision: Annotated[str, PRECISIONS] = UsualName("float32")
    patience: float | None = None
    random_state: int = 0

    def __post_init__(self):
        for name, value in vars(self).items():
            if hasattr(value, "item"):
                object.__setattr__(self, name, value.item())  # a number of numpy, which JSON does not know
        if self.epochs is None or isinstance(self.epochs, Usual):
            object.__setattr__(self, "epochs", Usual(EPOCHS) if self.minutes is None else None)
        elif self.minutes is not None:
            raise ValueError("`epochs` and `minutes` are both given: expected one of them")
        self._check_numbers()
        for name, known in (("schedule", SCHEDULES), ("start", STARTS), ("mixed_precision", PRECISIONS)):
            if getattr(self, name) not in tuple(known):
                raise ValueError(
                    f"there is no {name.replace('_', ' ')} {getattr(self, name)!r}: expected one of {', '.join(known)}"
                )
        if type(self.optimizer) is not str:
            raise ValueError(f"the optimizer given is {self.optimizer!r}: expected a name")
        object.__setattr__(self, "optimizer", spell_adam(self.optimizer))

    def _check_numbers(self):
        def check(name, fits, expected, may_be_none=False):
            value = getattr(self, name)
            if not (fits(value) or (may_be_none and value is None)):
                raise ValueError(f"the {name.replace('_', ' ')} given is {value!r}: expected {expected}")

        for name in ABOVE_ZERO:
            check(name, lambda n: is_number(n) and n > 0, "a number above 0", name != "learning_rate")
        check("weight_decay", lambda n: is_number(n, 0), "a number of 0 or more", True)
        for name in ("warmup", "average_weights"):
            expected = "a share from 0 up to, but not including, 1"
            check(name, lambda n: is_number(n, 0) and n < 1, expected, name == "warmup")
        check("loss_share", lambda n: is_number(n, 0, 1) and n > 0, "a share above 0, and 1 for all positions")
        for name in ("batch_size", "seq_length", "passage"):
            check(name, lambda n: is_whole(n, 1), "a whole number above 0")
        if not is_whole(self.random_state, 0, LARGEST_RANDOM_STATE):
            raise ValueError(
                f"the random state is {self.random_state!r}: expected a whole number from 0 to {LARGEST_RANDOM_STATE}"
            )

    @classmethod
    def autocomplete(cls, **options) -> "Recipe":
        """The usual recipe of the autocomplete task.

        Batches of 32 observations of 100 characters, the loss at an eighth of their positions, and a read-out that
        starts with the letters of its words.
        """
        usual = {"seq_length": 100, "passage": 1, "loss_share": 0.125, "start": "spelling"}
        return cls(**{**usual, **drop_missing(options)})

    @classmethod
    def study(cls, **options) -> "Recipe":
        """The recipe of the study of memory, for the autocomplete task: two epochs of Adam as it is, batches of 64.

        The first weights and Adam's epsilon are those of TensorFlow 1, which the study's program used. There, a GRU
        starts with 1 as the bias of both gates, and recurrent kernels start as Glorot & Bengio (2010) draw them.
        """
        study: dict = {"batch_size": 64, "seq_length": 200, "passage": 1, "clip_norm": None}
        study |= {"learning_rate": 1e-3, "schedule": "constant"}
        study |= {"start": "tensorflow1", "mixed_precision": "float32", "weight_decay": 0.0}
        options = drop_missing(options)
        if spell_adam(options.get("optimizer", ADAM)) == ADAM:
            study["epsilon"] = 1e-8
        if not {"epochs", "minutes"} & options.keys():
            study["epochs"] = 2
        return cls(**{**study, **options})

    def to_dict(self) -> dict:
        """All options, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping) -> "Recipe":
        """The recipe of `to_dict`.

        Raises:
            ValueError: an option is unknown, or out of range.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"there is no option {unknown[0]!r} of training: it may come from a newer shakegen")
        return cls(**values)

    def resume(self, options: Mapping) -> "Recipe":
        """This recipe for a run that goes on with other epochs, minutes, learning rate or patience.

        An option that is None stays as it was, unless None is one of its values.

        Raises:
            ValueError: an option that may not change differs, or is out of range.
        """
        refuse_unknown("training", options, [field.name for field in fields(self)])
        options = {name: value for name, value in options.items() if value is not None or name in MAY_BE_NONE}
        if str(options.get("optimizer", "")).lower() == self.optimizer.lower():  # Keras knows both
            options["optimizer"] = self.optimizer
        for name, value in options.items():
            if name not in MAY_CHANGE and getattr(self, name) != value:
                raise ValueError(explain_difference(name.replace("_", " "), getattr(self, name), value))
        ends = {name: options[name] for name in ("epochs", "minutes") if name in options}
        if ends:
            options = {**options, "epochs": None, "minutes": None, **ends}
        return replace(self, **options)

    def rate(self, progress: float, step: float = math.inf, layers: int = 1) -> float:
        """The learning rate of a network when a share of the run, 0 to 1, and so many batches are over.

        With two layers or more, the usual warm-up takes 20 batches at least, but no more than a tenth of the run: with
        fewer, some learn far worse in short runs. One layer mostly learns better with the 2 % (benchmarks/tried.md).
        """
        is_usual = self.warmup is None and self.schedule != "constant"
        warmup = WARMUP if is_usual else self.warmup or 0.0
        over = progress + 1e-3  # so that no rate is 0
        rise = min(1.0, over / (warmup + 1e-3))
        if is_usual and layers > 1:
            rise = min(rise, max((step + 1) / RISE, over / LONGEST_RISE))
        return self.learning_rate * rise * SCHEDULES[self.schedule](max(0.0, progress - warmup) / (1 - warmup))

    def fit_outputs(self, count: int) -> "Recipe":
        """This recipe for so many outputs: for 4,096 or more, `FOR_MANY` replaces what was not given."""
        usual = {name: value for name, value in FOR_MANY.items() if isinstance(getattr(self, name), Usual | UsualName)}
        return replace(self, **usual) if count >= MANY else self

    def fit_text(self, steps: int, weights: float) -> "Recipe":
        """This recipe for a text: with Adam, the weight decay if none was given.

        At the peak of the learning rate, weights forget in 1 / (learning rate × decay) steps. These are the same number
        of epochs for every text, as Wang & Aitchison found best (2024, https://arxiv.org/abs/2405.13698). The decay is
        less where there are few weights: small networks learn worse with it (benchmarks/tried.md).

        Args:
            steps: batches an epoch.
            weights: of the network, for each symbol of the training text.
        """
        if self.weight_decay is not None or self.optimizer != ADAM:
            return self
        most = min(MOST_DECAY, DECAY * weights)
        return replace(self, weight_decay=min(most, 1 / (self.learning_rate * steps * MEMORY)))

    def fit_network(self, config: Config) -> "Recipe":
        """This recipe for a network: bfloat16, if no precision was given, on a processor that multiplies tiles of it.

        A layer above the first, or over an embedding, of 128 units or more gains by it. Others keep float32.
        """
        if not isinstance(self.mixed_precision, UsualName):
            return self
        wide = config.units >= WIDE and (config.layers > 1 or config.embedding >= WIDE)
        return replace(self, mixed_precision=ChosenName("bfloat16" if wide and multiplies_bfloat16() else "float32"))

    def follow(self, chief: "Recipe") -> "Recipe":
        """This recipe for a worker of a team: the choice of its processor gives way to the chief's."""
        if not isinstance(self.mixed_precision, ChosenName):
            return self
        return replace(self, mixed_precision=ChosenName(chief.mixed_precision))

    def dropout_scale(self, epochs: float | None, weights: float) -> float:
        """The factor of the default dropout, `DROPOUT`, in a run.

        The rate is 0.07 · log₂(epochs / 4) · √weights, from 0 to 0.5: the more often a text is read, and the more
        weights can know it by heart, the more is dropped. Many runs say so (benchmarks/tried.md), no theory.

        Args:
            epochs: of the whole run. None if their number is not known yet; then, and with a constant schedule, in
                which nothing may depend on the end of the run, 30 count.
            weights: of the network, for each symbol of the training text.

        Returns:
            From 0 to 1, with two digits: where the epochs are estimated from minutes, it seldom changes.
        """
        epochs = EPOCHS if epochs is None or self.schedule == "constant" else epochs
        rate = GROWTH * math.log2(max(epochs, FEW_EPOCHS) / FEW_EPOCHS) * math.sqrt(weights)
        return round(min(1.0, rate / DROPOUT), 2)


def multiplies_bfloat16() -> bool:
    """Whether the processor multiplies tiles of bfloat16 (AMX), as Linux says; without tiles, float32 is quicker."""
    try:
        return "amx_bf16" in PROCESSOR.read_text(encoding="utf-8").split()
    except OSError:
        return False


def spell_adam(optimizer):
    """The name of an optimizer; Keras knows adam in any spelling."""
    return ADAM if isinstance(optimizer, str) and optimizer.lower() == ADAM else optimizer


def drop_missing(options: Mapping) -> dict:
    """The options that are given: None leaves an option out, unless None is a value of its own."""
    own = ("clip_norm", "epsilon", "warmup", "weight_decay")
    return {name: value for name, value in options.items() if value is not None or name in own}


def explain_difference(name: str, before, now) -> str:
    """Why a run cannot go on: an option or the text differs from its own."""
    return (
        f"the run to resume has {name} {before}, not {now}: leave that out, or start a new run without `resume` "
        "(epochs, minutes, learning rate and patience may change)"
    )
