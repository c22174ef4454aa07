"""Fixtures of the tests of models and their files."""

import pytest

from shakegen.network.config import Config


@pytest.fixture
def path(tmp_path, random_model):
    """A model file, without training."""
    random_model(Config("lstm", units=6)).save(tmp_path / "model.h5")
    return tmp_path / "model.h5"
