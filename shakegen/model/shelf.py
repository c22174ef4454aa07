"""Models by name or by path: the models in `./models`, and the pretrained ones."""

from pathlib import Path

from shakegen.cells.registry import DEFAULT, STANDARD
from shakegen.text import named

SHIPPED = tuple(f"sonnets-{name}.h5" for name in (*STANDARD, "autocomplete"))


def pretrained(task: str) -> Path:
    """The model of the sonnets that came with shakegen for a task, one of `config.TASKS`."""
    name = {"next": DEFAULT}.get(task, task)
    return named.data_folder("models") / f"sonnets-{name}.h5"


def own_models() -> list[Path]:
    """The model files in `./models`, newest first; in a clone of shakegen, without the pretrained ones."""
    shipped = named.data_folder("models").resolve()
    files = (path for path in Path("models").glob("*.h5") if path.is_file())
    files = (path for path in files if path.name not in SHIPPED or path.resolve().parent != shipped)
    return sorted(files, key=lambda model: model.stat().st_mtime, reverse=True)


def list_models() -> list[Path]:
    """The model files in `./models`, newest first, and then the pretrained ones."""
    own = own_models()
    seen = {model.resolve() for model in own}
    return own + [m for m in sorted(named.data_folder("models").glob("*.h5")) if m.resolve() not in seen]
