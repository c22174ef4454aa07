"""Named corpora and the pretrained models: where they are, in a checkout and in an installed package alike."""

import sys
from pathlib import Path

from shakegen import reading
from shakegen.text import Corpus

BUNDLED = {"sonnets": "Shakespeare's 154 sonnets"}


def data_folder(name: str) -> Path:
    """The folder `corpora` or `models` that came with shakegen: inside the package once installed, else beside it."""
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def corpus_path(name: str) -> Path:
    """The file of a named corpus.

    Raises:
        ValueError: there is no corpus of that name.
    """
    if name not in BUNDLED:
        raise ValueError(f"there is no corpus {name!r}: expected one of {', '.join(BUNDLED)}")
    return data_folder("corpora") / f"{name}.txt"


def open_corpus(source: str | Path, encoding: str = "utf-8") -> reading.Source:
    """The text of a file, or a named corpus, to be read.

    Args:
        source: a path, `-` for standard input, or a name in `BUNDLED`; write `./sonnets` for a file so named.
        encoding: of the file.

    Raises:
        OSError: the file cannot be read.
        ValueError: there is no such encoding.
    """
    if str(source) == "-":
        return reading.from_bytes(sys.stdin.buffer.read(), "stdin", "standard input", encoding)
    if str(source) in BUNDLED:
        return reading.from_file(corpus_path(str(source)))
    return reading.from_file(source, encoding)


def load_corpus(source: str | Path, encoding: str = "utf-8", **options) -> Corpus:
    """The text of a file, or a named corpus, as ids with its vocabulary and parts.

    Args:
        source, encoding: as for `open_corpus`.
        options: level, vocabulary_size, split, cache, as for `Corpus`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a text that a network could learn from; the message says why.
    """
    return Corpus.from_source(open_corpus(source, encoding), **options)


def find_model(path: str | Path | None = None) -> Path:
    """The model file to use: `path` if given, else the newest in `./models`, else the pretrained GRU of the sonnets."""
    if path is not None:
        return Path(path)
    own = own_models()
    return own[0] if own else data_folder("models") / "sonnets-gru.h5"


def own_models() -> list[Path]:
    """The model files in `./models`, newest first."""
    files = (path for path in Path("models").glob("*.h5") if path.is_file())
    return sorted(files, key=lambda model: model.stat().st_mtime, reverse=True)


def list_models() -> list[Path]:
    """The model files in `./models`, newest first, and then those that came with shakegen."""
    own = own_models()
    seen = {model.resolve() for model in own}
    return own + [m for m in sorted(data_folder("models").glob("*.h5")) if m.resolve() not in seen]
