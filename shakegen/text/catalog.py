"""Texts by name or by path."""

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from shakegen.checks import suggest
from shakegen.text import named, reading
from shakegen.text.corpus import Corpus

Places = str | Path | Sequence[str | Path]


def open_source(
    source: Places, encoding: str = "utf-8", lowercase: bool = False, normalize: str | None = None
) -> reading.Source:
    """The source of one or several texts, one after the other. Nothing is read yet.

    Args:
        source: names in `named.NAMED`, whose texts are fetched at first use, and everything that `reading.from_path`
            takes: files, folders, patterns, `-` for standard input. A `Path` is always a file, and so is `./sonnets`.
        encoding: of the files; named texts have their own.
        lowercase: convert the text to lower case.
        normalize: `"text8"` reduces the text to a–z and space by Mahoney's rules.

    Raises:
        TypeError: it is no path and no name.
        OSError: a file cannot be read, or a named text cannot be fetched.
        ValueError: the encoding or the normalisation is unknown, or an archive is refused.
    """
    places: list = [source] if isinstance(source, str | Path | bytes) or not isinstance(source, Iterable) else [*source]
    for place in places:
        if not isinstance(place, str | Path):
            raise TypeError(f"the text is {place!r}: expected the path of a file or folder, or the name of a corpus")
    if not places:
        raise ValueError("there is no text: expected a file, a folder or the name of a corpus")
    sources = [find_source(place, encoding) for place in places]
    return reading.normalize_source(reading.concatenate(sources), lowercase, normalize)


def find_source(place: str | Path, encoding: str) -> reading.Source:
    """The source of one text, by its name or its path; the error of a missing one names those spelled alike."""
    if isinstance(place, str) and place in named.NAMED:
        return reading.from_file(named.fetch_text(place))
    try:
        return reading.from_path(place, encoding)
    except FileNotFoundError:
        beside = []
        with contextlib.suppress(OSError):  # a name that is too long, say
            beside = [*map(str, sorted(Path(place).parent.glob("*")))]
        wanted = suggest(str(place), [*beside, *(named.NAMED if isinstance(place, str) else ())], "")
        if not wanted:
            raise
        raise FileNotFoundError(f"no file {place}: {wanted} (see `shakegen corpora list`)") from None


def load_corpus(
    source: Places, encoding: str = "utf-8", lowercase: bool = False, normalize: str | None = None, **options
) -> Corpus:
    """The corpus of files or of a named text: ids, vocabulary and three parts.

    Args:
        source, encoding, lowercase, normalize: as for `open_source`.
        options: level, vocabulary_size, vocabulary, split, cache, as for `Corpus`.

    Raises:
        OSError: a file cannot be read, or a named text cannot be fetched.
        ValueError: a network cannot learn from the text, or it is too short for its split; the message says why.
    """
    return Corpus.from_source(open_source(source, encoding, lowercase, normalize), **options)
