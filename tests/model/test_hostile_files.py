"""A stranger's file loads or is refused by one line, in time and memory that its own size bounds."""

import json
import struct

import h5py
import numpy as np
import pytest
from fuzzing import fuzz
from hostile import KERNEL, OWN, PLAIN, refuse

from shakegen.model import hdf5, hdf5_layout, load, model_file
from shakegen.network.config import Config

DAMAGED = "{} is a damaged HDF5 file, perhaps cut short: copy it or train it again"


def test_mutated_files_load_or_are_refused(tmp_path):
    found = fuzz(tmp_path, 600)
    assert sum(found["outcomes"].values()) == 600
    assert {loads for _, loads in found["outcomes"]} == {True, False}


def add_members(path):
    with h5py.File(path, "r+") as file:
        for number in range(600):
            file.create_group(f"x{number}")


def add_messages(path):
    """Empty messages in place of one attribute."""
    with h5py.File(path, "r+") as file:
        file.attrs["padding"] = np.zeros(1000, "u8")
    content = bytearray(path.read_bytes())
    begin = content.index(b"padding\0") - hdf5_layout.ATTRIBUTE.size - hdf5_layout.MESSAGE.size
    content[begin : begin + 100] = bytes(100)
    path.write_bytes(content)


def add_texts(path):
    """Texts beside the configuration."""
    with h5py.File(path, "r+") as file:
        config = file.attrs["config"]
        file.attrs["texts"] = np.array([config] + ["a"] * 2000, dtype=object)
    content, places = bytearray(path.read_bytes()), {}
    for place in find_all(content, struct.pack("<I", len(config))):
        address = int.from_bytes(content[place + 4 : place + 12], "little")
        if content[address : address + 4] == b"GCOL":
            places[address] = place
    descriptor = hdf5_layout.TEXT.size
    of_config, of_texts = places[min(places)], places[max(places)]
    content[of_config : of_config + descriptor] = content[of_texts : of_texts + descriptor]
    path.write_bytes(content)


@pytest.mark.parametrize("add", [add_members, add_messages, add_texts])
def test_the_number_of_parts_of_each_kind_that_are_read_is_limited(path, monkeypatch, add):
    add(path)
    load(path)
    assert model_file.task_of(path) == "next"
    monkeypatch.setattr(hdf5, "MOST_PARTS", 1000)
    assert refuse(path) == DAMAGED
    assert model_file.task_of(path) is None


def patch(path, before: bytes, after: bytes) -> None:
    """Write other bytes over the only place, or the first, that has some."""
    content = bytearray(path.read_bytes())
    place = content.index(before)
    content[place : place + len(after)] = after
    path.write_bytes(content)


def test_weights_that_are_hard_links_to_one_array_are_refused(path):
    config, first = Config("rnn", units=20, layers=100), {}
    with h5py.File(path, "r+") as file:
        del file["weights"]
        file.attrs["config"] = json.dumps(config.to_dict())
        for name, shape in config.weight_shapes(27).items():
            file[f"weights/{name}"] = first.get(shape, np.zeros(shape, "<f4"))
            first[shape] = file[f"weights/{name}"]
    assert refuse(path) == f"weights/layer1/recurrent_kernel has several names, but {OWN}"


@pytest.mark.parametrize("times", [1, 20, 1000])
def test_groups_within_themselves_are_refused(path, times):
    with h5py.File(path, "r+") as file:
        group = file.create_group("training")
        group.attrs["state"] = "{}"
        for number in range(times):
            group[f"x{number}"] = group
    assert refuse(path) == f"training has several names, but {OWN}"


def test_a_group_within_itself_whose_count_of_names_is_wrong_is_refused_too(path):
    """h5py writes 2 as the number of references; a stranger may write 1."""
    with h5py.File(path, "r+") as file:
        group = file.create_group("training")
        group["x"] = group
        address = h5py.h5o.get_info(group.id).addr
    content = bytearray(path.read_bytes())
    assert struct.unpack_from("<I", content, address + 4) == (2,)
    struct.pack_into("<I", content, address + 4, 1)
    path.write_bytes(content)
    assert refuse(path) == f"training/x has several names, but {OWN}"


def test_arrays_at_one_place_are_not_larger_than_the_file(path):
    size = 80_000
    with h5py.File(path, "r+") as file:
        file["training/0"] = np.zeros(size // 4, "<f4")
        for number in range(1, 100):
            file.create_dataset(f"training/{number}", size // 4, "<f4")
        file["training"].attrs["state"] = "{}"
        place = file["training/0"].id.get_offset()
    nowhere = struct.pack("<QQ", (1 << 64) - 1, size)
    content = path.read_bytes()
    assert content.count(nowhere) == 99
    path.write_bytes(content.replace(nowhere, struct.pack("<QQ", place, size)))
    assert refuse(path) == DAMAGED


@pytest.mark.parametrize("count", [100, 2000])
def test_many_descriptors_of_one_text_are_refused(path, count):
    size = 100_000
    with h5py.File(path, "r+") as file:
        texts = np.array(["A" * size] + ["bb"] * (count - 1), dtype=object)
        del file.attrs["config"]
        file.attrs.create("config", texts, dtype=h5py.string_dtype())
    content = bytearray(path.read_bytes())
    place = next(
        place for place in find_all(content, struct.pack("<I", size)) if content[place + 16 : place + 20] == b"\2\0\0\0"
    )
    content[place : place + 16 * count] = bytes(content[place : place + 16]) * count
    path.write_bytes(content)
    assert refuse(path) == "its config is missing; the file may be damaged"
    assert model_file.task_of(path) is None


def find_all(content: bytes, part: bytes):
    place = content.find(part)
    while place >= 0:
        yield place
        place = content.find(part, place + 1)


def test_nested_collections_of_texts_that_are_no_model_are_refused_at_once(tmp_path):
    """Collections within collections to the end of the file, as if each were one; it is not even HDF5."""
    count, path = 10_000, tmp_path / "x.h5"
    path.write_bytes(
        b"".join(
            struct.pack("<HHIQ8sQ", 1, 0, 0, 16, b"GCOL\1\0\0\0", 32 * (count - number) - 16) for number in range(count)
        )
    )
    assert refuse(path) == "{} is not a model file: expected one that `shakegen train` wrote"
    path.write_bytes(hdf5_layout.SIGNATURE + bytes(88) + path.read_bytes())
    assert refuse(path) == DAMAGED


def test_a_size_that_is_not_stored_is_refused_before_anything_is_allocated(path):
    config = Config("rnn", units=60_000, layers=1)
    with h5py.File(path, "r+") as file:
        del file["weights"]
        file.attrs["config"] = json.dumps(config.to_dict())
        for name, shape in config.weight_shapes(27).items():
            file.create_dataset(f"weights/{name}", shape, "<f4")
    size = 4 * 60_000**2
    patch(path, struct.pack("<QQ", (1 << 64) - 1, 27 * 60_000 * 4), struct.pack("<Q", 2048))
    assert refuse(path) == DAMAGED
    patch(path, struct.pack("<QQ", (1 << 64) - 1, size), struct.pack("<Q", 2048))
    assert refuse(path) == DAMAGED


def test_names_of_a_stranger_stay_on_one_line(path):
    with h5py.File(path, "r+") as file:
        file["training/a\nb\rc"] = b"text"
    assert refuse(path) == f"training/a b c {PLAIN}"


@pytest.mark.parametrize("link", [h5py.SoftLink(f"/{KERNEL}"), h5py.ExternalLink("/etc/passwd", "x")])
def test_links_are_refused(path, link):
    with h5py.File(path, "r+") as file:
        del file[KERNEL]
        file[KERNEL] = link
    assert refuse(path) in (f"{KERNEL} is a link, but {OWN}", f"weights/layer1 has links, but {OWN}")


NOT_JSON, NOT_USED = "its {} is not JSON; the file may be damaged", "x" * 10_000
HOSTILE_TEXTS = {
    "deep": ("[" * 100_000, NOT_JSON),
    "deep and whole": ("[" * 100_000 + "]" * 100_000, NOT_JSON),
    "a giant number": ("[" + "9" * 5000 + "]", NOT_JSON),
    "a large number": ("[" + "9" * 400 + "]", NOT_JSON),
    "no number": ("[NaN]", NOT_JSON),
    "an infinite number": ("[-Infinity]", NOT_JSON),
    "a number too large for a float": ("[1e999]", NOT_JSON),
    "not ASCII": ('["é"]', NOT_JSON),
    "empty": ("", NOT_JSON),
    "a long text": (json.dumps(NOT_USED), "its {} is a str, expected a {}"),
}


@pytest.mark.parametrize(("text", "message"), HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
@pytest.mark.parametrize(("name", "kind"), [("config", "dict"), ("vocabulary", "list"), ("corpus", "dict")])
def test_hostile_texts_are_refused(path, name, kind, text, message):
    with h5py.File(path, "r+") as file:
        file.attrs[name] = text
    assert refuse(path) == message.format(name, kind)


@pytest.mark.parametrize(
    "text", ["[" + "{}," * 2_000_000 + "0]", json.dumps("x" * (1 << 26))], ids=["values", "length"]
)
def test_texts_that_would_take_much_memory_are_refused(path, text):
    with h5py.File(path, "r+") as file:
        file.attrs["history"] = text
    assert refuse(path) == DAMAGED


HOSTILE_CONFIGS = [
    ("cell", ["gru"], "its cell ['gru'] is not here: "),
    ("cell", {}, "its cell {} is not here: "),
    ("cell", NOT_USED, "its cell 'xxx"),
    ("units", 10**300, "units is 1000"),
    ("units", True, "units is True: expected a whole number from 1 to 65536"),
    ("layers", 1 << 40, "layers is 1099511627776: expected a whole number from 1 to 65536"),
    ("layers", 1000, "weights/layer3/kernel is missing; the file may be damaged"),
    ("task", [1], "there is no task [1]: expected one of next, autocomplete"),
    (NOT_USED, 1, "there is no setting 'xxx"),
    ("cell_options", {"depth": 9}, "there is no setting 'cell_options' of a network"),
]


@pytest.mark.parametrize(("name", "value", "message"), HOSTILE_CONFIGS, ids=range(len(HOSTILE_CONFIGS)))
def test_hostile_configurations_get_one_short_line(path, name, value, message):
    with h5py.File(path, "r+") as file:
        file.attrs["config"] = json.dumps({**json.loads(file.attrs["config"]), name: value})
    refusal = refuse(path)
    assert refusal.startswith(message)
    assert len(refusal) <= model_file.LONGEST + 1
    assert len(refusal.splitlines()) == 1


def test_names_with_a_slash_which_would_lead_to_a_group_again_are_refused(path):
    with h5py.File(path, "r+") as file:
        group = file.create_group("training")
        group.attrs["state"] = "{}"
        for _ in range(12):  # 40 would take for ever
            group.create_group("x_")
            group = group.create_group("x")
    path.write_bytes(path.read_bytes().replace(b"x_\0", b"x/\0"))
    assert refuse(path) == DAMAGED


def test_deep_groups_take_no_more_memory_than_the_file(path):
    with h5py.File(path, "r+") as file:
        group = file.create_group("training")
        for _ in range(1000):
            group = group.create_group("x" * 200)
    assert refuse(path) == DAMAGED
