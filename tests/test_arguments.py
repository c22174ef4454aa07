"""Bad numbers and options are refused at once, by the name that the caller gave them."""

import math

import pytest

import shakegen
from shakegen import AutocompleteCorpus, Config, Corpus, one_hot_windows, train
from shakegen.callbacks import SampleText
from shakegen.study.connectivity.connections import connections
from shakegen.text import reading
from shakegen.training.recipe import Recipe

COUNTS = [0, -1, 2.5, math.nan, "x", True, 1 << 70, None]  # that are no counts
SIZES = [-1, 2.5, math.nan, "x", True]  # that are no numbers of 0 or more
RATES = [-1, math.nan, math.inf, "x", True]
SHARES = [0, -1, 1.5, math.nan, "x", True]
TEXT = "to be or not to be, that is the question\n" * 20
CORPUS = Corpus.from_text(TEXT)


@pytest.fixture
def calls(random_model, random_weights):
    """Public functions, by name, as functions of their options."""
    model = random_model()
    source = reading.from_bytes(TEXT.encode())
    words = AutocompleteCorpus.from_source(source, length=20)
    config = Config.study("gru", units=4)
    completer = shakegen.AutocompleteModel(
        config, words.vocabulary, random_weights(config, 27, outputs=len(words.words)), words=words.words
    )
    return {
        "samples": lambda **options: model.samples("a", **{"length": 3, **options}),
        "stream": lambda **options: model.stream("a", **{"length": 3, **options}),
        "beams": lambda **options: model.beams("a", **{"length": 3, "width": 2, **options}),
        "stochastic_beams": lambda **options: model.stochastic_beams("a", **{"length": 3, "count": 2, **options}),
        "likeliest": lambda **options: model.draft("a").likeliest(**options),
        "complete": lambda **options: completer.complete("to b", **options),
        "connections": lambda **options: connections(model, "abc", **options),
        "SampleText": lambda **options: SampleText(CORPUS.vocabulary, **options),
        "one_hot_windows": lambda **options: one_hot_windows(CORPUS.ids, CORPUS.vocabulary, **options),
        "Corpus": lambda **options: Corpus.from_text(TEXT, **options),
        "AutocompleteCorpus": lambda **options: AutocompleteCorpus.from_source(source, **options),
        "Recipe": Recipe,
        "Config": Config,
        "train": lambda **options: train(**{"corpus": CORPUS, "verbose": False, **options}),
    }


# Of each function: an option, the word for it in the message, and values that it refuses.
BAD = [
    *((name, "length", "length", SIZES) for name in ("samples", "stream", "beams", "stochastic_beams", "SampleText")),
    *((name, "min_length", "min-length", SIZES) for name in ("samples", "stream", "beams", "SampleText")),
    *((name, "temperature", "temperature", RATES) for name in ("samples", "stream", "stochastic_beams", "SampleText")),
    *((name, "random_state", "random state", SIZES) for name in ("samples", "stochastic_beams", "SampleText",
                                                                "one_hot_windows", "AutocompleteCorpus", "Recipe")),
    *((name, "count", "count", COUNTS) for name in ("samples", "beams", "stochastic_beams")),
    *((name, "stop", "stop", ["", ["a", ""], 5, [5], None]) for name in ("samples", "stream", "beams", "SampleText")),
    *((name, "seed", "seed", [5, None, b"a"]) for name in ("SampleText",)),
    *((name, "top_k", "top-k", COUNTS[:-2]) for name in ("samples", "stream", "SampleText")),
    *((name, option, option.replace("_", "-"), SHARES) for name in ("samples", "SampleText")
      for option in ("top_p", "min_p", "typical")),
    ("likeliest", "top", "top", COUNTS),
    ("complete", "top", "number of words", COUNTS),
    ("connections", "top", "number of suggestions", COUNTS),
    ("stream", "every", "every", COUNTS),
    ("stream", "count", "count", [1, 2]),
    ("beams", "width", "width", COUNTS),
    ("beams", "length_penalty", "length penalty", [*RATES, 101]),
    ("beams", "no_repeat_ngram", "n-gram", SIZES),
    ("SampleText", "beam_width", "beam width", COUNTS[:-1]),
    ("SampleText", "stream", "stream", ["file", 1]),
    *(("one_hot_windows", option, option.replace("_", " "), COUNTS) for option in ("length", "stride", "batch_size")),
    ("one_hot_windows", "targets", "targets", ["first", 0]),
    ("Corpus", "vocabulary_size", "vocabulary size", COUNTS[:-1]),
    ("Corpus", "split", "split", [5, "0.9", (1, 2), (True, 0, 0), (math.nan, 0, 1), None]),
    ("Corpus", "level", "level", ["line", 5]),
    ("AutocompleteCorpus", "length", "length", COUNTS[:-1]),
    ("AutocompleteCorpus", "vocabulary_size", "vocabulary size", COUNTS[:-1]),
    *(("Recipe", option, option.replace("_", " "), COUNTS) for option in ("batch_size", "seq_length")),
    *(("Recipe", option, option.replace("_", " "), [0, *RATES]) for option in
      ("epochs", "minutes", "learning_rate", "clip_norm", "clip_value", "patience")),
    ("Recipe", "weight_decay", "weight decay", RATES),
    *(("Recipe", option, option.replace("_", " "), [1, *RATES]) for option in ("warmup", "average_weights")),
    *(("Config", option, option, COUNTS[:-1]) for option in ("units", "layers")),
    ("Config", "embedding", "embedding", SIZES),
    ("Config", "dropout", "dropout", [1, *RATES]),
    *(("Config", option, option, [0, "x", None]) for option in ("residual", "learn_initial_state")),
    ("train", "corpus", "corpus", [TEXT, 5, None]),
    ("train", "config", "config", ["gru", 5, {"units": 5}]),
    *(("train", option, option, [5, b"a"]) for option in ("resume", "finetune", "out")),
    ("train", "callbacks", "callbacks", [5, "x"]),
    ("train", "checkpoint_every", "minutes between checkpoints", RATES),
    *(("train", option, option.replace("_", " "), COUNTS[:-1]) for option in ("batch_size", "seq_length")),
    ("train", "epochs", "epochs", [0, *RATES]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "option", "word", "values"), BAD, ids=lambda one: one if type(one) is str else "")
def test_bad_values_are_refused_at_once_by_their_name(calls, name, option, word, values):
    for value in values:
        with pytest.raises((TypeError, ValueError)) as error:
            calls[name](**{option: value})
        message = str(error.value)
        assert word in message, (value, message)
        assert "\n" not in message
        assert "()" not in message or "EarlyStopping()" in message, message


@pytest.mark.parametrize("name", ["samples", "stream", "SampleText", "train"])
def test_options_that_do_not_exist_are_refused_by_their_name(calls, name):
    what = "training" if name == "train" else "sampling"
    with pytest.raises(TypeError) as error:
        calls[name](colour=1)
    assert str(error.value).startswith(f"there is no option 'colour' of {what}: expected some of ")
    own = {"train": "epochs", "SampleText": "stop"}.get(name, "temperature")
    assert own in str(error.value)


def test_a_run_that_goes_on_has_no_other_options(calls, random_model, tmp_path):
    random_model().save(tmp_path / "a.h5")
    with pytest.raises(TypeError) as error:
        calls["train"](resume=tmp_path / "a.h5", colour=1)
    assert str(error.value).startswith("there is no option 'colour' of training: expected some of epochs, minutes, ")
