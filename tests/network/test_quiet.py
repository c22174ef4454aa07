"""TensorFlow in commands that train: other backends, settings that it cannot read, packages that it does without."""

import importlib
import json
import os
import subprocess
import sys

import pytest

from shakegen.network import quiet
from shakegen.network.quiet import find_backend, require_tensorflow, without_extras

COMMANDS = ["train sonnets", "compare sonnets", "lab start", "lab memory"]
CODE = """
import sys
from click.testing import CliRunner
from shakegen.cli import main

for command in sys.argv[1:]:
    result = CliRunner().invoke(main, command.split())
    print(result.exit_code, result.output, end="")
assert "keras" not in sys.modules
"""


def test_commands_that_train_say_in_one_line_that_they_need_tensorflow(tmp_path):
    finished = subprocess.run(
        [sys.executable, "-c", CODE, *COMMANDS],
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == [
        "1 Error: training needs TensorFlow: Keras's backend is 'jax', by the environment or keras.json; set "
        "KERAS_BACKEND=tensorflow"
    ] * len(COMMANDS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("written", "named", "backend"),
    [
        (None, None, "tensorflow"),
        ({"backend": "torch"}, None, "torch"),
        ({"backend": "torch"}, "tensorflow", "tensorflow"),
        ({"floatx": "float16"}, "jax", "jax"),
    ],
)
def test_the_backend_is_found_as_keras_finds_it(written, named, backend, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", named or "")
    if written is not None:
        (tmp_path / "keras.json").write_text(json.dumps(written), encoding="utf-8")
    assert find_backend() == backend


def test_a_floatx_that_tensorflow_cannot_read_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text('{"floatx": "bfloat16"}', encoding="utf-8")
    with pytest.raises(ValueError) as error:
        require_tensorflow()
    assert str(error.value) == (
        "keras.json has the floatx 'bfloat16', which TensorFlow cannot read: expected one of float16, float32, float64"
    )


def test_extras_cannot_be_imported_within_the_context_unless_they_are_loaded(monkeypatch):
    monkeypatch.setattr(quiet, "EXTRAS", ("antigravity", "json"))
    monkeypatch.delitem(sys.modules, "antigravity", raising=False)
    with without_extras():
        assert importlib.import_module("json") is json
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("antigravity")
    assert "antigravity" not in sys.modules
    assert sys.modules["json"] is json
