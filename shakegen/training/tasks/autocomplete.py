"""The autocomplete task: predict, at every character, the word that it is part of."""

from types import MappingProxyType

import numpy as np

from shakegen.model.model import AutocompleteModel
from shakegen.network.config import Config, Usual
from shakegen.study.autocomplete.batches import ShuffledObservations
from shakegen.study.autocomplete.corpus import LENGTH, STUDY_LENGTH, AutocompleteCorpus
from shakegen.study.autocomplete.measures import AutocompleteEvaluation
from shakegen.study.autocomplete.outputs import SPECIAL
from shakegen.training.recipe import Recipe, drop_missing
from shakegen.training.tasks.task import FEWEST_BLOCKS, MOST_BLOCKS, Measure, Task, draw_targets
from shakegen.training.validation import FEWEST, LEAST_OBSERVATIONS, AutocompleteValidation

POSITION = "nats per position"
BLOCK = 8  # observations of a block at least; fewer side by side are slow to read
PER_SUGGESTION = 12  # characters of a sample for each at which words are suggested


class AutocompleteTask(Task):
    """Predict the word at each of its characters."""

    kind = AutocompleteModel
    first_output = SPECIAL
    measures = (
        Measure("validation", "cross_entropy", "valid.", "cross entropy in nats/position, validation", POSITION),
        Measure("test", "cross_entropy", "test", "cross entropy in nats/position, test", POSITION),
        Measure("test", "masked_accuracy", "accuracy", "accuracy, test"),
        Measure("test", "long_context_accuracy", "0 typed", "accuracy before a character is typed, test"),
        Measure("test", "short_context_accuracy", "3 typed", "accuracy from 3 characters typed on, test"),
        Measure("test", "study_accuracy", "study", "accuracy as the study of memory counts it, test"),
    )
    needed = ", with words that the network knows"
    example = 'complete --model {} "..."'
    idle = MappingProxyType(
        {
            "reads every text as words of a to z": ("on_unknown", "per_character", "lowercase", "normalize"),
            "predicts whole words": ("mix", "windows", "draws", "dynamic", "rate", "decay", "segment"),
            "does not write": ("temperature", "beam_width"),
        }
    )

    def make_config(self, corpus=None, recipe=None, **options):
        return (Config.study if follows_study(corpus, recipe) else Config.autocomplete)(**options)

    def make_recipe(self, corpus=None, recipe=None, **options):
        options = drop_missing(options)
        if corpus is not None:
            length = corpus.observations.length
            if options.setdefault("seq_length", length) != length:
                raise ValueError(
                    f"the corpus has observations of {length} characters, not {options['seq_length']}: give another "
                    "length when it is made"
                )
        return (Recipe.study if follows_study(corpus, recipe) else Recipe.autocomplete)(**options)

    def check_recipe(self, recipe):
        if recipe.passage > 1 and not isinstance(recipe.passage, Usual):
            raise ValueError("passages are for the next character: leave `passage` out for the task autocomplete")

    def weight_shapes(self, config, corpus, vocabulary):
        return config.weight_shapes(len(vocabulary), len(corpus.words))

    def corpus_options(self, seq_length, random_state, base, recipe=None, level="char", resumes=False):
        usual = base.length if base else {"study": STUDY_LENGTH, "usual": LENGTH}.get(recipe)
        options = {"length": usual if seq_length is None else seq_length, "random_state": random_state}
        return options | ({"words": base.words} if base else {})

    def make_corpus(self, source, **options):
        return AutocompleteCorpus.from_source(source, **options)

    def name_file(self, corpus, config):
        return f"{corpus.name}-autocomplete-{config.cell}"

    def merge_vocabularies(self, base, corpus):
        if base is not None and base.words != corpus.words:
            raise ValueError("the model to start from predicts other words: expected a corpus with words=model.words")
        return corpus.vocabulary

    def make_batches(self, corpus, vocabulary, recipe):
        batches = ShuffledObservations(corpus.observations, corpus.train, recipe.batch_size, recipe.random_state)
        return draw_targets(batches, recipe)

    def make_network(self, config, corpus, vocabulary, recipe, **options):
        from shakegen.network.build import build
        from shakegen.training import first_weights

        network = build(config, len(vocabulary), recipe.random_state, outputs=len(corpus.words), **options)
        if recipe.start in ("frequencies", "spelling"):
            first_weights.start_from_frequencies(network, corpus.train_targets)
        if recipe.start == "spelling":
            kernel = network.get_layer("dense").kernel
            kernel.assign(first_weights.spell_outputs(corpus.words, kernel.shape[0], recipe.random_state))
        elif recipe.start == "tensorflow1":
            first_weights.start_as_tensorflow1(network, config, recipe.random_state)
        return network

    def transfer_weights(self, weights, base, vocabulary):
        return base.weights

    def make_validation(self, config, corpus, vocabulary, most):
        rows, few = corpus.validation, self.lacks_validation(corpus)
        return AutocompleteValidation(config, corpus.observations, rows, most) if len(rows) and not few else None

    def lacks_validation(self, corpus):
        rows, observations = corpus.validation, corpus.observations
        few = 0 < len(rows) * observations.length < FEWEST
        return few or (len(rows) > 0 and not observations.has_known_words(rows[:LEAST_OBSERVATIONS]))

    def make_model(self, config, corpus, vocabulary, weights, history, training):
        return self.kind(config, vocabulary, weights, corpus.origin(), history, training, words=corpus.words)

    def make_sampler(self, config, corpus, vocabulary, options, shown):
        from shakegen.callbacks import CompleteText
        from shakegen.training.trainer import make_source

        seed = options["sample_seed"].strip() or corpus.observations.texts([*corpus.validation, 0][:1])[0][:40]
        return CompleteText(
            make_source(config), corpus.words, seed, corpus.observations.length, "stderr" if shown else None
        )

    def describe_score(self, model):
        loss = model.best_epoch.get("val_loss")
        return "" if loss is None else f"{loss:.3f} nats/position on validation text"

    def score(self, model, corpus, part):
        rows = getattr(corpus, part)
        if not len(rows):
            return None
        count = max(1, min(len(rows) // BLOCK, MOST_BLOCKS))
        blocks = [model.evaluate(corpus, some) for some in np.array_split(rows, count)]
        means = {name: [getattr(one, name) for one in blocks] for name in ("cross_entropy", "masked_accuracy")}
        known = {name: values for name, values in means.items() if None not in values and len(values) >= FEWEST_BLOCKS}
        whole = AutocompleteEvaluation(*map(sum, zip(*(vars(one).values() for one in blocks), strict=True)))
        return {**whole.to_dict(), "blocks": known}

    def characters_per_symbol(self, corpus):
        return 1.0

    def write_sample(self, model, corpus, seed, length, random_state):
        """Suggestions at each character of a text, by default of the beginning of a test observation."""
        if seed is None:
            seed = corpus.observations.texts([*corpus.test, 0][:1])[0].strip()
        typing, lines = model.typing(), []
        for character in seed[: max(1, length // PER_SUGGESTION)]:
            typing.write(character)
            offered = ", ".join(f"{word} {share:.0%}" for word, share in typing.likeliest(3))
            lines.append(f"{typing.text}…  {offered}")
        return "\n".join(lines)

    def use_model(self, model, count):
        """Text is read, with suggestions at each character."""
        typing = model.typing("")
        for character in ("now and then " * (count // 13 + 1))[:count]:
            typing.write(character)
            typing.likeliest(3)
        return count


def follows_study(corpus, recipe: str | None) -> bool:
    """Whether a run has the network and the recipe of the study: where asked for, on a long text, or on no text yet."""
    return corpus is None or corpus.is_long if recipe is None else recipe == "study"
