"""The reader of HDF5 files reads what h5py reads; arrays that it does not read are refused by one line."""

import json

import h5py
import numpy as np
import pytest
from fuzzing import make_models
from hostile import KERNEL, PLAIN, refuse

from shakegen.model import hdf5, load, model_file
from shakegen.text import named


def check_against_h5py(path) -> None:
    """Assert that both readers find the same groups, arrays and texts."""
    with path.open("rb") as stream, h5py.File(path) as file:
        root, arrays = hdf5.File(stream).root, {}
        file.visititems(lambda name, one: arrays.update({name: one[()]} if isinstance(one, h5py.Dataset) else {}))
        found = {array.name: array.read() for array in root.arrays()}
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype
            assert np.array_equal(found[name], array)
            assert found[name].shape == array.shape
        for name, value in file.attrs.items():
            assert value in (root.text(name), root.number(name))
        if "training" in file:
            assert root["training"].text("state") == file["training"].attrs["state"]


@pytest.mark.parametrize("kind", make_models())
def test_what_is_read_is_what_h5py_reads(kind, tmp_path):
    make_models()[kind].save(tmp_path / "model.h5", with_training=True)
    check_against_h5py(tmp_path / "model.h5")


def test_the_pretrained_models_are_read_as_h5py_reads_them():
    for path in sorted(named.data_folder("models").glob("*.h5")):
        check_against_h5py(path)


def test_arrays_of_any_type_and_shape_and_groups_of_any_size_are_read(path):
    with h5py.File(path, "r+") as file:
        for number, dtype in enumerate(
            ["f2", "f4", "f8", *(f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8))]
        ):
            for shape in ((), (0, 3), (2,), (2, 3, 1)):
                size = int(np.prod(shape))
                array = np.arange(size).reshape(shape).astype(f"<{dtype}")
                file[f"training/{number}/shape{'x'.join(map(str, shape))}"] = array
        for number in range(1000):  # a tree of several levels
            file[f"training/many/{number * 7919 % 1000}"] = np.float32(number)
        file["training"].attrs["state"] = json.dumps({"text": "x" * 70_000})
    check_against_h5py(path)
    assert len(load(path, with_training=True).training.arrays) == 11 * 4 + 1000


def test_names_of_any_characters_are_written_and_read(path):
    model = load(path)
    model.training = model_file.Training({}, {f"optimizer/layer{k}/Θ é\n{k}": np.full(k, k) for k in range(20)})
    model.save(path, with_training=True)
    again = load(path, with_training=True).training.arrays
    assert again.keys() == model.training.arrays.keys()
    check_against_h5py(path)


STORED_OTHERWISE = {
    "chunked": {"chunks": (9, 8)},
    "compressed": {"chunks": (9, 8), "compression": "gzip"},
    "larger later": {"maxshape": (None, 24)},
    "of another order": {"dtype": ">f4"},
    "true or false": {"dtype": "?"},
    "texts": {"dtype": h5py.string_dtype()},
    "with names": {"dtype": [("a", "<f4")]},
}


@pytest.mark.parametrize("options", STORED_OTHERWISE.values(), ids=STORED_OTHERWISE)
def test_arrays_that_are_stored_otherwise_are_refused(path, options):
    with h5py.File(path, "r+") as file:
        del file[KERNEL]
        file.create_dataset(KERNEL, (27, 24), **{"dtype": "<f4", **options})
    assert refuse(path) == f"{KERNEL} {PLAIN}"


def test_arrays_of_other_files_are_refused(path, tmp_path):
    source = h5py.VirtualSource(tmp_path / "other.h5", "x", shape=(27, 24))
    virtual = h5py.VirtualLayout(shape=(27, 24), dtype="<f4")
    virtual[:] = source
    for make in (
        lambda file: file.create_virtual_dataset(KERNEL, virtual),
        lambda file: file.create_dataset(KERNEL, (27, 24), "<f4", external=[("/etc/passwd", 0, 27 * 24 * 4)]),
    ):
        with h5py.File(path, "r+") as file:
            del file[KERNEL]
            make(file)
        assert refuse(path) == f"{KERNEL} {PLAIN}"


def test_files_of_later_formats_are_refused(path, tmp_path):
    with h5py.File(path) as old, h5py.File(tmp_path / "new.h5", "w", libver="latest") as new:
        new.attrs.update(old.attrs)
        old.copy("weights", new)
    assert refuse(tmp_path / "new.h5") == (
        "it is in another format of HDF5 than shakegen writes; expected a file that `shakegen train` wrote"
    )
