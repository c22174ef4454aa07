"""What can be had by name or by path: texts to learn from, and models."""

from collections.abc import Sequence
from pathlib import Path

from shakegen import named, reading
from shakegen.autocomplete.corpus import WordCorpus
from shakegen.text import Corpus

Places = str | Path | Sequence[str | Path]


def open_source(
    source: Places, encoding: str = "utf-8", lowercase: bool = False, normalize: str | None = None
) -> reading.Source:
    """The text of one or several places, one after the other, without reading it yet.

    Args:
        source: names in `named.NAMED`, which are fetched at first use, and what `reading.from_path` takes: files,
            folders, patterns, `-` for standard input. Write `./sonnets` for a file so named.
        encoding: of the files; named texts have their own.
        lowercase: read it in lower case.
        normalize: reshape it, `"text8"`: to a–z and space by Mahoney's rules.

    Raises:
        OSError: a file cannot be read, or a named text not be fetched.
        ValueError: there is no such encoding or normalisation, or an archive is not one to read.
    """
    places = [source] if isinstance(source, str | Path) else list(source)
    if not places:
        raise ValueError("there is no text: expected a file, a folder or the name of a corpus")
    if sum(str(place) == "-" for place in places) > 1:
        raise ValueError("standard input is given twice: it can be read only once")
    sources = [
        reading.from_file(named.get(str(place))) if str(place) in named.NAMED else reading.from_path(place, encoding)
        for place in places
    ]
    return reading.normalised(reading.concatenated(sources), lowercase, normalize)


def load_corpus(
    source: Places, encoding: str = "utf-8", lowercase: bool = False, normalize: str | None = None, **options
) -> Corpus:
    """The text of files, or a named corpus, as ids with its vocabulary and its parts.

    Args:
        source, encoding, lowercase, normalize: as for `open_source`.
        options: level, vocabulary_size, split, cache, as for `Corpus`.

    Raises:
        OSError: a file cannot be read, or a named text not be fetched.
        ValueError: it is not a text that a network could learn from, or too short for its split; the message says why.
    """
    return Corpus.from_source(open_source(source, encoding, lowercase, normalize), **options)


def load_word_corpus(
    source: Places, encoding: str = "utf-8", lowercase: bool = False, normalize: str | None = None, **options
) -> WordCorpus:
    """The text of files, or a named corpus, as observations of the autocomplete task.

    Args:
        source, encoding, lowercase, normalize: as for `open_source`; the text becomes words of a to z in any case.
        options: vocabulary_size, length, split, random_state, words, as for `WordCorpus.from_source`.

    Raises:
        OSError: a file cannot be read, or a named text not be fetched.
        ValueError: it has no words, or an option is out of range.
    """
    return WordCorpus.from_source(open_source(source, encoding, lowercase, normalize), **options)


SHIPPED = tuple(f"sonnets-{name}.h5" for name in ("rnn", "lstm", "gru", "nlstm", "autocomplete"))


def pretrained(task: str) -> Path:
    """The model of the sonnets that came with shakegen for a task, one of `config.TASKS`."""
    return named.data_folder("models") / {"next": "sonnets-gru.h5", "autocomplete": "sonnets-autocomplete.h5"}[task]


def own_models() -> list[Path]:
    """The model files in `./models`, newest first, but, in a clone of shakegen, for those that came with it."""
    shipped = named.data_folder("models").resolve()
    files = (path for path in Path("models").glob("*.h5") if path.is_file())
    files = (path for path in files if path.name not in SHIPPED or path.resolve().parent != shipped)
    return sorted(files, key=lambda model: model.stat().st_mtime, reverse=True)


def list_models() -> list[Path]:
    """The model files in `./models`, newest first, and then those that came with shakegen."""
    own = own_models()
    seen = {model.resolve() for model in own}
    return own + [m for m in sorted(named.data_folder("models").glob("*.h5")) if m.resolve() not in seen]
