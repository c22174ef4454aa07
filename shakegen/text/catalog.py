"""Texts by name or by path."""

from collections.abc import Sequence
from pathlib import Path

from shakegen.text import named, reading
from shakegen.text.corpus import Corpus

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
        reading.from_file(named.fetch_text(str(place))) if str(place) in named.NAMED
        else reading.from_path(place, encoding)
        for place in places
    ]  # fmt: skip
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
