"""Makes the models that ship, by the commands of models/README.md, and writes their figures there.

    python benchmarks/models.py                     # those whose file or row is missing
    python benchmarks/models.py sonnets-gru         # one; a file that is there stays, its row is written anew

A new model is a command there, its name in `shelf.TEXTS`, its file in `setup.cfg`, and its name in
docs/live.md.
"""

import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from shakegen.model import load

ROOT = Path(__file__).parents[1]
README = ROOT / "models" / "README.md"
ROW = re.compile(r"^\| `([\w-]+)` \|.*\n", re.MULTILINE)


def read_commands(page: str) -> dict[str, list[str]]:
    """The command of each model in models/README.md, by the name of the model."""
    (block,) = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    commands = map(shlex.split, block.replace("\\\n", "").splitlines())
    return {Path(command[command.index("--out") + 1]).stem: command for command in commands}


def shakegen(*words: str) -> str:
    """What a command prints, run in this clone."""
    command = [sys.executable, "-m", "shakegen", *words]
    return subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8").stdout


def make(command: list[str]) -> None:
    """Train a model by its command, and put the small copy of it in its place."""
    *words, target = command[1:]  # --out stands last
    with tempfile.TemporaryDirectory() as folder:
        trained = str(Path(folder, "trained.h5"))
        shakegen(*words, trained)
        shakegen("models", "shrink", trained, "--out", target)


def write_row(path: Path, corpus: str) -> str:
    """The row of a model in the table of its kind."""
    model = load(path)
    figures = [
        json.loads(shakegen("evaluate", str(path), corpus, "--split", part, "--json"))
        for part in ("validation", "test")
    ]
    epochs = f"{model.best_epoch['epoch']:.4g} of {model.history[-1]['epoch']:.4g}"
    cells = [f"`{path.stem}`", f"{model.parameters:,}", epochs]
    if model.task == "autocomplete":
        cells += [f"{len(model.words.words):,}", ", ".join(f"{one['cross_entropy']:.3f}" for one in figures)]
        for name in ("masked_accuracy", "long_context_accuracy", "short_context_accuracy"):
            cells.append(", ".join(f"{one[name]:.1%}".replace("%", " %") for one in figures))
    else:
        cells += [f"{one['bits_per_character']:.3f}" for one in figures]
    return f"| {' | '.join(cells)} |\n"


def put_row(page: str, row: str) -> str:
    """The page with a row in the place of the one of this model, or below the last of its table."""
    rows = [found for found in ROW.finditer(page) if found[0].count("|") == row.count("|")]
    own = [found for found in rows if found[1] == ROW.match(row)[1]]
    begin, end = own[0].span() if own else (rows[-1].end(), rows[-1].end())
    return page[:begin] + row + page[end:]


def main(names: list[str]) -> None:
    page = README.read_text(encoding="utf-8")
    commands, rows = read_commands(page), {found[1] for found in ROW.finditer(page)}
    files = {name: ROOT / "models" / f"{name}.h5" for name in commands}
    for name in names or [name for name, path in files.items() if not (path.exists() and name in rows)]:
        if name not in commands:
            sys.exit(f"no model {name} in {README}: expected one of {', '.join(commands)}")
        if not files[name].exists():
            make(commands[name])
        row = write_row(files[name], commands[name][2])
        README.write_text(put_row(README.read_text(encoding="utf-8"), row), encoding="utf-8")
        print(row, end="")


if __name__ == "__main__":
    main(sys.argv[1:])
