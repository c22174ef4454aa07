"""An installed wheel has all that a checkout has."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import distribution
import pytest
from packaging.requirements import Requirement

import shakegen
from shakegen import __version__

ROOT = Path(__file__).parent.parent


STRANGE = ["models/mine.h5", "models/sonnets-gru-2.h5", "corpora/diary.txt", "shakegen/text/scratch.json"]
PARTS = ["shakegen", "corpora", "models", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"]
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of a clone in which somebody has trained."""
    clone, folder = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("wheel")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, clone / name)
    for name in STRANGE:
        (clone / name).write_text("mine", encoding="utf-8")
    command = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, clone]
    subprocess.run(command, check=True, cwd=folder)
    (path,) = folder.glob("shakegen-*.whl")
    return path


@pytest.fixture(scope="module")
def elsewhere(wheel):
    """A folder into which the wheel is installed."""
    site = wheel.parent / "site"
    subprocess.run([*PIP, "install", "--no-deps", "--target", site, wheel], check=True, cwd=wheel.parent)
    return site


def test_a_wheel_has_all_code_and_the_data_that_is_named_and_nothing_else_of_a_clone(wheel, tmp_path):
    assert distribution.check_wheel(wheel) == []
    other = tmp_path / wheel.name
    with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(other, "w") as after:
        for name in set(before.namelist()) - {"shakegen/py.typed"}:
            after.writestr(name, "")
        after.writestr("shakegen/models/mine.h5", "")
    assert distribution.check_wheel(other) == ["it has shakegen/models/mine.h5", "it lacks shakegen/py.typed"]


def test_the_wheel_is_made_by_a_setuptools_that_the_build_allows():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (needed,) = settings["build-system"]["requires"]
    assert Requirement(needed).specifier.contains(importlib.metadata.version("setuptools"))


def test_the_version_is_the_same_everywhere():
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {__version__} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def run(elsewhere, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(elsewhere)}
    command = [sys.executable, "-m", "shakegen", *arguments]
    return subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=True).stdout


def test_installed_wheel_samples_from_the_pretrained_sonnets(elsewhere):
    text = run(elsewhere, "sample", "--seed", "shall i", "--length", "50")
    assert text.startswith("shall i")
    assert len(text) == 7 + 50 + 1


@pytest.mark.parametrize("name", ["sonnets", "warpeace"])
def test_installed_wheel_has_its_own_corpora_and_models(name, elsewhere):
    path = run(elsewhere, "corpora", "path", name).strip()
    assert Path(path).is_relative_to(elsewhere)
    assert Path(path).read_bytes() == (ROOT / "corpora" / Path(path).name).read_bytes()


def test_installed_wheel_has_its_own_models(elsewhere):
    models = json.loads(run(elsewhere, "models", "list", "--json"))["models"]
    named = {Path(name).name for name in distribution.expect_in_wheel() if name.endswith(".h5")}
    assert {Path(one["path"]).name for one in models} == named
    assert all(Path(one["path"]).is_relative_to(elsewhere) for one in models)
    assert run(elsewhere, "models", "path", "sonnets-gru").strip() in [one["path"] for one in models]


def test_installed_wheel_draws_a_page(elsewhere):
    run(elsewhere, "plot", str(ROOT / "models" / "sonnets-gru.h5"), "--out", "curves.html")
    best = shakegen.load("sonnets-gru").validation_bits
    assert f"best {best:.3f} " in (elsewhere / "curves.html").read_text(encoding="utf-8")


def test_installed_wheel_makes_a_page_of_its_models(elsewhere):
    run(elsewhere, "page", "--out", "models.html")
    page = (elsewhere / "models.html").read_text(encoding="utf-8")
    files = (ROOT / "shakegen" / "export" / "page").glob("*.[cj]s*")
    assert all(file.read_text(encoding="utf-8") in page for file in files)
