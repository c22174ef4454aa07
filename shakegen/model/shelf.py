"""Models by name or by path: the models in `./models`, and the pretrained ones, which have names."""

import filecmp
from pathlib import Path

from shakegen.cells.registry import DEFAULT, STANDARD
from shakegen.checks import suggest
from shakegen.text import named

# Texts that pretrained models learned, and their cells or tasks.
TEXTS = {"sonnets": (*STANDARD, "autocomplete"), "warpeace": (DEFAULT, "autocomplete")}
NAMES = tuple(f"{text}-{name}" for text, names in TEXTS.items() for name in names)


def pretrained(task: str) -> Path:
    """The model of the sonnets that came with shakegen for a task, one of `config.TASKS`."""
    name = {"next": DEFAULT}.get(task, task)
    return locate(f"sonnets-{name}")


def locate(name: str) -> Path:
    """The file of a pretrained model, one of `NAMES`."""
    return named.data_folder("models") / f"{name}.h5"


def find_file(name: str | Path) -> str | Path:
    """The path of a model file, whether or not it is there.

    Args:
        name: a path, which is given back, or one of `NAMES`. A file that has this very path wins, and a `Path` is
            always a path.
    """
    return locate(name) if isinstance(name, str) and name in NAMES and not Path(name).is_file() else name


def name_file(path: Path) -> str:
    """What a model file is called in a list and on the command line: its name if it has one, else its path."""
    return path.stem if is_pretrained(path) else str(path)


def is_pretrained(path: Path) -> bool:
    """Whether a model file came with shakegen. In a clone, those that an installed package has too are copies of it."""
    if path.stem not in NAMES:
        return False
    known = locate(path.stem)
    return known.is_file() and path.is_file() and filecmp.cmp(path, known, shallow=False)


def explain_missing(path: str | Path) -> str:
    """The error message where a model file is not there, with names and files that are spelled alike."""
    known = [*map(str, own_models()), *NAMES]
    wanted = suggest(str(path), known, "expected a file that `shakegen train` wrote")
    return f"no model {path}: {wanted} (see `shakegen models`)"


def own_models() -> list[Path]:
    """The model files in `./models`, newest first; in a clone of shakegen, without the pretrained ones."""
    files = (path for path in Path("models").glob("*.h5") if path.is_file() and not is_pretrained(path))
    return sorted(files, key=lambda model: model.stat().st_mtime, reverse=True)


def list_models() -> list[Path]:
    """The model files in `./models`, newest first, and then the pretrained ones."""
    return own_models() + [path for path in map(locate, NAMES) if path.is_file()]
