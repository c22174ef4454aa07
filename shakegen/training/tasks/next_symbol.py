"""The task of predicting the next symbol, a character or a word."""

import numpy as np

from shakegen.model import evaluation
from shakegen.model.model import LanguageModel
from shakegen.network.config import Config
from shakegen.text import ngram, windows, xz
from shakegen.text.corpus import Corpus
from shakegen.text.splits import PARTS
from shakegen.text.statistics import count_ids
from shakegen.training import finetuning
from shakegen.training.recipe import Recipe
from shakegen.training.tasks.task import Measure, Task, average_blocks, draw_targets
from shakegen.training.validation import FEWEST, TextValidation

STREAM, MOST_STREAMS = 20_000, 256  # characters of a stream at least, streams at most


class NextSymbolTask(Task):
    """Predict each next character, or word."""

    kind = LanguageModel
    measures = (
        Measure("validation", "bits_per_character", "valid.", "bits/char, validation", "bits per character"),
        Measure("test", "bits_per_character", "test", "bits/char, test", "bits per character"),
        Measure("test", "accuracy", "accuracy", "accuracy, test"),
    )
    example = 'sample --model {} --seed "..."'
    sample_temperature = 0.8

    def make_config(self, corpus=None, recipe=None, **options):
        return Config(**options)

    def make_recipe(self, corpus=None, recipe=None, **options):
        if recipe is not None:
            raise ValueError(f"the recipe {recipe!r} is for the task autocomplete: leave it out")
        return self.fit_recipe(Recipe(**options), corpus)

    def fit_recipe(self, recipe, of):
        return recipe if of is None else recipe.fit_outputs(len(of.vocabulary))

    def corpus_options(self, seq_length, random_state, base, recipe=None, level="char", resumes=False):
        keeps = base is not None and ((resumes and base.vocabulary.reads_all) or not base.vocabulary.grows)
        return {"level": level} | ({"vocabulary": base.vocabulary} if keeps else {})

    def make_corpus(self, source, **options):
        return Corpus.from_source(source, **options)

    def merge_vocabularies(self, base, corpus):
        return corpus.vocabulary if base is None else finetuning.merge_vocabularies(base.vocabulary, corpus.vocabulary)

    def make_batches(self, corpus, vocabulary, recipe):
        ids, sizes = recode(corpus.train, corpus, vocabulary), (recipe.seq_length, recipe.batch_size)
        batches = windows.Passages(ids, *sizes, recipe.random_state, vocabulary.symbol, recipe.passage)
        return draw_targets(batches, recipe)

    def make_network(self, config, corpus, vocabulary, recipe, **options):
        from shakegen.network.build import build

        network = build(config, len(vocabulary), recipe.random_state, **options)
        if recipe.start == "frequencies":
            from shakegen.training.first_weights import start_from_counts

            counts, ids = np.zeros(len(vocabulary)), finetuning.find_ids(corpus.vocabulary, vocabulary)
            counts[ids] = count_ids(corpus.train, len(ids))
            start_from_counts(network, counts)
        return network

    def check_recipe(self, recipe):
        if recipe.start not in ("keras", "frequencies"):
            raise ValueError(f"the start {recipe.start!r} is for the task autocomplete: leave it out")

    def transfer_weights(self, weights, base, vocabulary):
        return finetuning.transfer(weights, base.weights, finetuning.find_ids(base.vocabulary, vocabulary))

    def make_validation(self, config, corpus, vocabulary, most):
        ids = recode(corpus.validation, corpus, vocabulary)
        enough = len(ids) > 1 and not self.lacks_validation(corpus)
        return TextValidation(config, ids, most) if enough else None

    def lacks_validation(self, corpus):
        return 0 < corpus.parts[1].characters < FEWEST

    def make_sampler(self, config, corpus, vocabulary, options, shown):
        from shakegen.callbacks import SampleText
        from shakegen.training.trainer import make_source

        return SampleText(
            vocabulary,
            options["sample_seed"],
            options["sample_length"],
            options["temperature"],
            options["random_state"],
            make_source(config),
            "stderr" if shown else None,
            options["beam_width"],
        )

    def describe_score(self, model):
        if "val_loss" not in model.best_epoch:
            return ""
        unknown = model.vocabulary.unknown is not None
        spelling = f", with the spelling of unknown {model.vocabulary.symbol}s," if unknown else ""
        return f"{model.validation_bits:.3f} bits/char{spelling} on validation text"

    def score(self, model, corpus, part):
        """Predict each symbol from all before it; a long text is read in streams, each from the start state."""
        ids = getattr(corpus, part)
        if len(ids) < 2:
            return None
        streams = max(1, min(MOST_STREAMS, len(ids) // STREAM))
        nats, hits = evaluation.read_streams(model.engine, ids, streams, model.vocabulary.unknown)
        scores = self._score_bits(corpus, part, nats / evaluation.LN2)
        blocks = {**scores["blocks"], "accuracy": average_blocks(hits)}
        return {**scores, "accuracy": float(hits.mean()), "blocks": blocks}

    def _score_bits(self, corpus, part, bits):
        """The figures that follow from the bits of each symbol of a part, or of its beginning.

        The blocks of a beginning would be paired with others of the whole part, so there are none.
        """
        whole = corpus.parts[PARTS.index(part)]
        symbols, spelling = whole.symbols / whole.characters, whole.spelling / evaluation.LN2 / whole.characters
        known = bits if len(bits) == whole.symbols - 1 else bits[:0]
        if spelling and len(known):  # each unknown symbol costs its part where it stands
            hidden = np.asarray(getattr(corpus, part)[1:]) == corpus.vocabulary.unknown
            known = known + spelling / symbols * (hidden / hidden.mean() if hidden.any() else 1.0)
        blocks = [mean * symbols for mean in average_blocks(known)]
        total = float(bits.mean(dtype=float)) * symbols + spelling
        return {"bits_per_character": total, "blocks": {"bits_per_character": blocks}}

    def measure_baseline(self, corpus):
        return ngram.find_best(corpus)

    def score_baselines(self, corpus):
        """The best n-gram model, and `xz -9`."""
        order, bits = ngram.predict_parts(corpus)
        packed = {part: {"bits_per_character": bits} for part, bits in xz.measure(corpus).items()}
        counted = {part: self._score_bits(corpus, part, each[1:]) for part, each in bits.items()}
        found = {f"{order}-gram": counted, "xz -9": packed}
        return {name: {part: parts.get(part) for part in PARTS[1:]} for name, parts in found.items() if parts}

    def characters_per_symbol(self, corpus):
        return corpus.parts[0].characters / corpus.parts[0].symbols

    def write_sample(self, model, corpus, seed, length, random_state):
        """The usual seed is a line end."""
        seed = "\n" if seed is None else seed
        return (seed + model.sample(seed, length, self.sample_temperature, random_state, on_unknown="skip")).strip("\n")

    def use_model(self, model, count):
        return len(model.sample("", count, 1.0, 0))


def recode(ids, corpus: Corpus, vocabulary):
    """Ids of a corpus in the ids of a vocabulary that extends its own."""
    if corpus.vocabulary == vocabulary:
        return ids
    return windows.Recoded(ids, finetuning.find_ids(corpus.vocabulary, vocabulary))
