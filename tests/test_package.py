"""An installed wheel has all that a checkout has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A folder into which the wheel of this checkout is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "wheels", ROOT]
    subprocess.run(build, check=True, cwd=folder)
    wheel = next((folder / "wheels").glob("shakegen-*.whl"))
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True, cwd=folder)
    return folder / "site"


def test_every_room_is_installed(elsewhere):
    rooms = {path.parent.relative_to(ROOT) for path in (ROOT / "shakegen").rglob("*.py")}
    assert {path.parent.relative_to(elsewhere) for path in (elsewhere / "shakegen").rglob("*.py")} == rooms


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
    assert sorted(Path(one["path"]).name for one in models) == sorted(path.name for path in ROOT.glob("models/*.h5"))
    assert all(Path(one["path"]).is_relative_to(elsewhere) for one in models)
    assert run(elsewhere, "models", "path", "sonnets-gru").strip() in [one["path"] for one in models]


def test_installed_wheel_draws_a_page(elsewhere):
    run(elsewhere, "plot", str(ROOT / "models" / "sonnets-gru.h5"), "--out", "curves.html")
    assert "best 2." in (elsewhere / "curves.html").read_text(encoding="utf-8")


def test_installed_wheel_makes_a_page_of_its_models(elsewhere):
    run(elsewhere, "page", "--out", "models.html")
    page = (elsewhere / "models.html").read_text(encoding="utf-8")
    files = (ROOT / "shakegen" / "export" / "page").glob("*.[cj]s*")
    assert all(file.read_text(encoding="utf-8") in page for file in files)


def test_installed_wheel_has_types(elsewhere):
    assert (elsewhere / "shakegen" / "py.typed").is_file()
