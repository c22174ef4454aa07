"""Decides how a run on a corpus begins, before TensorFlow is loaded: network, recipe, first model, file."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

from shakegen.checks import is_number, refuse_unknown
from shakegen.model import load
from shakegen.model.base import Model
from shakegen.model.model_file import ModelFileError
from shakegen.network.config import TASKS, Config
from shakegen.training.recipe import RECIPES, Recipe, explain_difference
from shakegen.training.tasks import Task, get_task

ORIGIN = {
    "sha256": "a text with sha256",
    "length": "a text of length",
    "split": "the split",
    "observation_length": "observations of length",
    "random_state": "a split by the random state",
}
DROPOUTS = ("dropout", "variational_dropout")


@dataclass
class Beginning:
    """Everything that decides a training run.

    Attributes:
        corpus: the text.
        config: the network.
        recipe: how it learns.
        base: the model whose weights it starts from, or None.
        resumes: whether it continues the training run of that model.
        out: the model file that it writes, or None.
        checkpoint_every: minutes between checkpoints; 0: the model alone is written, after every epoch.
        notes: anything that JSON can hold, to keep in the checkpoints.
        keeps_copy: whether training begins with a copy of the file that `out` will replace.
        holds_run: whether `out` holds the run that it resumes.
    """

    corpus: object
    config: Config
    recipe: Recipe
    base: Model | None = None
    resumes: bool = False
    out: Path | None = None
    checkpoint_every: float = 1.0
    notes: dict | None = None
    keeps_copy: bool = False
    holds_run: bool = False

    @property
    def task(self) -> Task:
        """The task that the network learns."""
        return get_task(self.config.task)

    @cached_property
    def vocabulary(self):
        """The network's: of the corpus, and of the model that it starts from."""
        return self.task.merge_vocabularies(self.base, self.corpus)

    def fit_text(self) -> None:
        """Check that the network can learn from the text, before anything slow is loaded, and fit a new recipe to it.

        Raises:
            ValueError: the text is of another level than the network, or too short for a window or a part.
        """
        level = self.corpus.level
        if self.config.level != level:
            raise ValueError(
                f"the corpus has the level {level}, the network {self.config.level}: expected the same, as of "
                f"Config(level={level!r})"
            )
        if not self.resumes:
            self.recipe = self.task.fit_recipe(self.recipe, self)  # whose vocabulary may be that of two
        batches = self.task.make_batches(self.corpus, self.vocabulary, self.recipe)
        self.corpus.check_parts()
        if not self.resumes:
            shapes = self.task.weight_shapes(self.config, self.corpus, self.vocabulary)
            weights = sum(map(math.prod, shapes.values())) / (batches.steps * batches.characters)
            self.recipe = self.recipe.fit_text(batches.steps, weights)


def begin(
    corpus,
    config: Config | None = None,
    *,
    resume: str | Path | Model | None = None,
    finetune: str | Path | Model | None = None,
    out: str | Path | None = None,
    checkpoint_every: float = 1.0,
    notes: dict | None = None,
    name: str = "the model",
    recipe: str | None = None,
    **options,
) -> Beginning:
    """Decide how a run on a corpus begins; arguments and errors as for `train`.

    `notes` are those of a `Beginning`; `name` stands for a model to resume in messages.
    """
    refuse_both(resume, finetune)
    if recipe is not None and (resume is not None or recipe not in RECIPES):
        expected = (
            "none, for a run that goes on keeps its own" if resume is not None else f"one of {', '.join(RECIPES)}"
        )
        raise ValueError(f"the recipe given is {recipe!r}: expected {expected}")
    if not is_number(checkpoint_every, 0):
        raise ValueError(f"the minutes between checkpoints are {checkpoint_every!r}: expected a number of 0 or more")
    if getattr(corpus, "task", None) not in TASKS:
        raise TypeError(f"the corpus is {corpus!r:.60}: expected one that load_corpus gives")
    if not isinstance(config, Config | None):
        raise TypeError(f"the config is {config!r:.60}: expected a Config, such as Config(units=512)")
    refuse_unknown("training", options, [field.name for field in fields(Recipe)])
    for option, place, kinds in (
        ("resume", resume, (str, Path, Model)),
        ("finetune", finetune, (str, Path, Model)),
        ("out", out, (str, Path)),
    ):
        if place is not None and not isinstance(place, kinds):
            model = "a model, or " * (Model in kinds)
            raise TypeError(f"{option} is {place!r:.60}: expected {model}the path of its file")
    resumes, base = resume is not None, finetune if resume is None else resume
    if base is not None and not isinstance(base, Model):
        name, base = str(base), load(base, with_training=resumes)
    elif resumes and base.training is None:
        raise ModelFileError(
            "the model to resume has no training run with it: give the path of its file, or the model that "
            "`load(path, with_training=True)` reads, if the file holds a run"
        )
    if resumes:
        learning, config = resume_recipe(base, corpus, config, options, name), base.config
        out = resume if out is None and base is not resume else out
    else:
        task = get_task(corpus.task)
        learning = task.make_recipe(corpus, recipe, **options)
        task.check_recipe(learning)
        config = choose_config(corpus, config, base, recipe)
        learning = learning.fit_network(config)
    out = None if out is None else Path(out)
    beginning = Beginning(corpus, config, learning, base, resumes, out, checkpoint_every, notes)
    beginning.holds_run = resumes and base is not resume and out == Path(resume)
    beginning.fit_text()
    return beginning


def refuse_both(resume, finetune) -> None:
    """Refuse two models to begin with."""
    if resume is not None and finetune is not None:
        raise ValueError("`resume` and `finetune` are both given: expected one of them")


def check_run(model: Model, name: str) -> None:
    """Refuse a model without a training run; `name` is that of the model in the message."""
    state = model.training.state if model.training else {}
    if not isinstance(state.get("recipe"), dict):
        raise ModelFileError(
            f"{name} holds no training run to resume: start from its weights with `finetune`, or start a new run"
        )


def choose_config(corpus, config: Config | None, base: Model | None, recipe: str | None) -> Config:
    """The configuration of a new run; raises ValueError if it does not fit the corpus, or the model to start from."""
    if config is None:
        config = base.config if base else get_task(corpus.task).make_config(corpus, recipe, level=corpus.level)
    for name, value in base.config.to_dict().items() if base else ():
        if name not in DROPOUTS and getattr(config, name) != value:
            raise ValueError(
                f"the model to start from has {name.replace('_', ' ')} {value}, not {getattr(config, name)}: leave "
                "that out, for its weights fit no other network"
            )
    if config.task != corpus.task:
        raise ValueError(f"the corpus is for the task {corpus.task}, the network for {config.task}: expected the same")
    return config


def resume_recipe(base: Model, corpus, config: Config | None, options: Mapping, name: str) -> Recipe:
    """The recipe of a run to resume; `name` is that of its model in messages.

    Raises:
        ValueError: the corpus, the configuration or an option differs from the run's; the message names the first one.
    """
    check_run(base, name)
    state, now = base.training.state, corpus.origin()
    if base.corpus.get("sha256") != now["sha256"]:
        raise ValueError(
            f"the text is not that of the run in {name}: {corpus.name} has {describe_text(now)}, the run's text had "
            f"{describe_text(base.corpus)}; resume it with its own text, or start a new run, from its weights with "
            "`finetune`"
        )
    for key, title in ORIGIN.items():
        if base.corpus.get(key) != now.get(key):
            raise ValueError(explain_difference(title, base.corpus.get(key), now.get(key)))
    if state.get("symbols") != digest(corpus.output_vocabulary):
        raise ValueError(
            "the corpus has another vocabulary than the run to resume: make it with the level and the vocabulary size "
            "of that run, or start a new one without `resume`"
        )
    for field, value in base.config.to_dict().items():
        if config is not None and getattr(config, field) != value:
            raise ValueError(explain_difference(field.replace("_", " "), value, getattr(config, field)))
    return Recipe.from_dict(state["recipe"]).resume(options)


def describe_text(origin: Mapping) -> str:
    """The size and the beginning of the sha256 of a text, from its corpus's `origin`."""
    return f"{origin.get('length', 0):,} characters, sha256 {origin.get('sha256', '')[:12]}…"


def digest(output_vocabulary) -> str:
    """A sha256 of a network's outputs."""
    return hashlib.sha256(json.dumps(output_vocabulary.to_json()).encode()).hexdigest()
