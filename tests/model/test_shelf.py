"""The models that ship are small and whole, and each place that lists them lists all of them."""

import configparser
import re
import runpy
from pathlib import Path

import pytest

from shakegen.model import load, shelf

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
MODELS = runpy.run_path(str(ROOT / "benchmarks" / "models.py"))
ROWS = {
    name: row.strip("| \n").split(" | ") for name, row in ((one[1], one[0]) for one in MODELS["ROW"].finditer(PAGE))
}
LARGEST = 2_000_000  # bytes


def test_each_place_that_lists_the_models_lists_all():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    packed = set(re.findall(r"(\S+)\.h5", config["options.package_data"]["shakegen.models"]))
    live = re.search(r"^shakegen page (.*) --open$", (ROOT / "docs" / "live.md").read_text("utf-8"), re.MULTILINE)
    assert set(shelf.NAMES) == packed == set(MODELS["read_commands"](PAGE)) == set(ROWS) == set(live[1].split())


@pytest.mark.parametrize("name", shelf.NAMES)
def test_a_model_that_ships_is_small_and_has_its_own_figures_on_the_page(name):
    path = shelf.locate(name)
    assert path.stat().st_size <= LARGEST
    model = load(path, with_training=True)
    assert model.training is None
    _, parameters, epochs, *figures = ROWS[name]
    assert parameters == f"{model.parameters:,}"
    assert epochs == f"{model.best_epoch['epoch']:.4g} of {model.history[-1]['epoch']:.4g}"
    if model.task == "autocomplete":
        words, loss, *_ = figures
        assert words == f"{len(model.words.words):,}"
        # In training, some observations of a long text are read.
        assert float(loss.partition(",")[0]) == pytest.approx(model.best_epoch["val_loss"], abs=0.02)
    else:  # in training, several streams were read side by side, each from the start state
        assert float(figures[0]) == pytest.approx(model.validation_bits, abs=0.015)


def test_a_row_replaces_that_of_its_model_or_stands_below_its_table():
    put, rows = MODELS["put_row"], [f"| {' | '.join(one)} |\n" for one in ROWS.values()]
    assert all(put(PAGE, row) == PAGE for row in rows)
    new = rows[0].replace(next(iter(ROWS)), "novel")
    last = max(rows, key=lambda row: PAGE.index(row) * (row.count("|") == new.count("|")))
    assert put(PAGE, new) == PAGE.replace(last, last + new)
