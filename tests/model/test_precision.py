"""Weights of 16 bits: a file of half the size, whose model is the one in memory bit for bit, and nearly the first."""

import dataclasses
import io

import h5py
import numpy as np
import pytest

from shakegen.compression.container import compress
from shakegen.export.exporting import read_along
from shakegen.export.tensors import read_tensors, write_tensors
from shakegen.model import load, model_file
from shakegen.model.model_file import Training
from shakegen.model.precision import TOLERANCE, choose_precision, measure_change, round_weights, shrink
from shakegen.network.config import Config


def dtypes(path) -> set[str]:
    """The types of the weights in a file."""
    with h5py.File(path) as file:
        found = []
        file["weights"].visititems(lambda _, one: found.append(one.dtype.name) if hasattr(one, "dtype") else None)
    return set(found)


@pytest.fixture(params=["char", "word", "autocomplete"])
def model(request, random_model, word_model, completer):
    return {"char": random_model(Config("gru", units=24)), "word": word_model, "autocomplete": completer}[request.param]


def test_a_small_file_has_half_the_size_and_nearly_the_logits(model, tmp_path):
    small, change = shrink(dataclasses.replace(model, training=Training({}, {"a/0": np.zeros(9)})))
    assert 0 < change <= TOLERANCE
    for name, one in (("whole", model), ("small", small)):
        one.save(tmp_path / name, with_training=True)
    assert (dtypes(tmp_path / "whole"), dtypes(tmp_path / "small")) == ({"float32"}, {"float16"})
    sizes = [(tmp_path / name).stat().st_size for name in ("whole", "small")]
    assert abs(sizes[0] - sizes[1] - 2 * model.parameters) < 2000
    again = load(tmp_path / "small", with_training=True)
    assert again.training is None
    assert {weight.dtype.name for weight in again.weights.values()} == {"float32"}
    assert all(np.array_equal(again.weights[name], small.weights[name]) for name in model.weights)
    ids = np.random.default_rng(9).integers(0, len(model.vocabulary), (1, 300))
    assert np.abs(read_along(again, ids) - read_along(model, ids)).max() <= TOLERANCE
    again.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "small").read_bytes()


@pytest.mark.parametrize("size", [300.0, 1e6])
def test_weights_stay_as_they_are_where_16_bits_would_change_a_logit(random_model, tmp_path, size):
    model = random_model(Config("gru", units=8))
    model = dataclasses.replace(model, weights={**model.weights, "dense/kernel": model.weights["dense/kernel"] * size})
    same, change = shrink(model)
    assert change > TOLERANCE
    assert np.isinf(change) == (size == 1e6)  # beyond 65,504
    assert all(np.array_equal(same.weights[name], model.weights[name]) for name in model.weights)
    same.save(tmp_path / "same.h5")
    assert dtypes(tmp_path / "same.h5") == {"float32"}


def test_the_change_is_that_of_texts_that_the_model_writes(random_model):
    """Unit k is 1 after k + 1 symbols 3 in a row, else -1. Random symbols give no five, its own text does."""
    model = random_model(Config("rnn", units=5, layers=1))
    weights = {name: np.zeros_like(weight) for name, weight in model.weights.items()}
    weights["layer1/kernel"][3] = 20
    weights["layer1/recurrent_kernel"][range(4), range(1, 5)] = 10
    weights["layer1/bias"][:] = -10, -15, -15, -15, -15
    other = {**weights, "dense/kernel": weights["dense/kernel"].copy(), "dense/bias": weights["dense/bias"].copy()}
    other["dense/kernel"][4, 0] = other["dense/bias"][0] = 1  # adds 2 after five, else nothing
    assert measure_change(dataclasses.replace(model, weights=weights), other) < 0.01
    for changed in (weights, other):
        changed["dense/bias"][3] = 99
    assert measure_change(dataclasses.replace(model, weights=weights), other) == pytest.approx(2, abs=0.01)


def test_numbers_of_16_bits_are_kept_exactly_and_others_never_rounded(random_model, tmp_path):
    model = random_model(Config("rnn", units=5))
    weights = round_weights(model.weights)
    weights["dense/bias"][:4] = 65504, -0.0, 2.0**-24, -(2.0**-15)
    for name, value, dtype in (
        ("halves", 1, "float16"),
        ("whole", 1 + 2.0**-11, "float32"),
        ("large", 65520, "float32"),
    ):
        weights["dense/bias"][4] = value
        dataclasses.replace(model, weights=weights).save(tmp_path / name)
        assert dtypes(tmp_path / name) == {dtype}
        again = load(tmp_path / name).weights
        assert all(again[one].tobytes() == weights[one].tobytes() for one in weights)


def test_a_run_that_can_go_on_is_kept_in_32_bits(random_model, tmp_path):
    model = random_model(Config("rnn", units=3))
    model.training = Training({}, {f"weights/{name}": weight for name, weight in model.weights.items()})
    model.weights = round_weights(model.weights)
    model.save(tmp_path / "run.h5", with_training=True)
    again = load(tmp_path / "run.h5", with_training=True).training.arrays
    assert all(again[name].tobytes() == array.tobytes() for name, array in model.training.arrays.items())


def test_other_formats_have_the_weights_of_a_small_file(random_model, tmp_path):
    small, _ = shrink(random_model(Config("lstm", units=6)))
    small.save(tmp_path / "small.h5")
    again = load(tmp_path / "small.h5")
    (tmp_path / "small.safetensors").write_bytes(write_tensors(again))
    assert all(
        np.array_equal(one, small.weights[name])
        for name, one in read_tensors(tmp_path / "small.safetensors").weights.items()
    )
    packed = [io.BytesIO(), io.BytesIO()]
    for one, target in zip((small, again), packed, strict=True):
        compress(one, io.BytesIO(b"shall i compare thee"), target)
    assert packed[0].getvalue() == packed[1].getvalue()


def test_what_is_no_number_of_16_bits_is_refused(random_model, tmp_path):
    small, _ = shrink(random_model(Config("rnn", units=3)))
    small.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file["weights/dense/bias"][0] = np.inf
    with pytest.raises(model_file.ModelFileError) as error:
        load(tmp_path / "m.h5")
    reason = "weights/dense/bias has other than numbers; the training may have diverged"
    assert str(error.value) == f"{tmp_path}/m.h5 is not a usable model: {reason}"


def test_weights_beyond_16_bits_are_never_made_infinite(random_model):
    model = random_model(Config("rnn", units=3))
    model = dataclasses.replace(model, weights={**model.weights, "dense/bias": model.weights["dense/bias"] + 70_000})
    assert choose_precision(model, "auto")[1] == "float32"
    with pytest.raises(ValueError, match="beyond 65,504"):
        choose_precision(model, "float16")
