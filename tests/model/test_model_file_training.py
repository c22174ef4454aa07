"""Where a training run stands is kept in the model file, and read with suspicion, or not at all."""

import h5py
import numpy as np
import pytest
from hostile import KERNEL, OWN, PLAIN, replace

from shakegen.model import LanguageModel, load, model_file
from shakegen.network.config import Config


@pytest.fixture
def path(tmp_path, random_model):
    with_training(random_model(Config("lstm", units=6))).save(tmp_path / "model.h5", with_training=True)
    return tmp_path / "model.h5"


def with_training(model):
    arrays = {"weights/0": np.arange(6, dtype="f4").reshape(2, 3), "random/0": np.array([1, 1 << 60])}
    model.training = model_file.Training({"position": {"step": 7, "loss": 0.1}}, arrays)
    return model


def test_where_a_training_run_stands_is_kept_and_read_only_when_that_is_asked_for(tmp_path, random_model):
    model = with_training(random_model())
    model.save(tmp_path / "model.h5", with_training=True)
    again = LanguageModel.load(tmp_path / "model.h5", with_training=True)
    assert again.training.state == model.training.state
    assert again.training.arrays.keys() == model.training.arrays.keys()
    for name, array in model.training.arrays.items():
        assert again.training.arrays[name].dtype == array.dtype
        assert np.array_equal(again.training.arrays[name], array)
    assert LanguageModel.load(tmp_path / "model.h5").training is None
    again.save(tmp_path / "alone.h5")
    assert LanguageModel.load(tmp_path / "alone.h5", with_training=True).training is None


RUN = "training/weights/0"
DAMAGED_RUNS = {
    "its state is missing; the file may be damaged": lambda file: file["training"].attrs.pop("state"),
    "its state is a list, expected a dict": lambda file: file["training"].attrs.update(state="[]"),
    f"training is a link, but {OWN}": replace("training", lambda file: file.update(training=h5py.SoftLink("/weights"))),
    "training is not a group; the file may be damaged": replace(
        "training", lambda file: file.create_dataset("training", (2,))
    ),
    f"{RUN} is a link, but {OWN}": replace(RUN, lambda file: file.update({RUN: h5py.SoftLink(f"/{KERNEL}")})),
    f"{RUN} {PLAIN}": replace(RUN, lambda file: file.create_dataset(RUN, (2, 3), chunks=True, compression="gzip")),
    f"training/random/0 {PLAIN}": replace(
        "training/random/0", lambda file: file.create_dataset("training/random/0", (1 << 40,), "<f4", chunks=True)
    ),
    f"training/random/1 {PLAIN}": lambda file: file.create_dataset("training/random/1", data=b"text"),
    "training/weights/0 has other than numbers; the training may have diverged": lambda file: file[RUN].write_direct(
        np.full((2, 3), np.inf, "f4")
    ),
}


@pytest.mark.parametrize(("message", "change"), DAMAGED_RUNS.items(), ids=range(len(DAMAGED_RUNS)))
def test_damaged_and_hostile_training_runs_are_refused_and_do_not_matter_to_sampling(path, message, change):
    sound = load(path)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(model_file.ModelFileError) as error:
        load(path, with_training=True)
    assert str(error.value) == f"{path} is not a usable model: {message}"
    assert load(path).weights.keys() == sound.weights.keys()


def test_a_training_run_that_repeats_itself_is_not_read_beyond_the_size_of_the_file(path):
    with h5py.File(path, "r+") as file:
        file[RUN.replace("0", "1")] = np.zeros(100_000, "f4")
        for number in range(2, 6):
            file[RUN.replace("0", str(number))] = file[RUN.replace("0", "1")]
    with pytest.raises(model_file.ModelFileError) as error:
        load(path, with_training=True)
    assert str(error.value) == (f"{path} is not a usable model: training/weights/1 has several names, but {OWN}")
