"""Damage to the texts of an HDF5 file, at which the library itself would search without end."""

import struct

import pytest

from shakegen.model import heaps, load, model_file


@pytest.fixture
def path(tmp_path, random_model):
    random_model().save(tmp_path / "model.h5")
    return tmp_path / "model.h5"


def objects(content):
    """Where the objects of the first collection begin, and the offset of its end."""
    begin = content.index(heaps.SIGNATURE)
    end, place, found = begin + struct.unpack_from("<Q", content, begin + 8)[0], begin + 16, []
    while place + 16 <= end:
        found.append(place)
        index, size = struct.unpack_from("<H", content, place)[0], struct.unpack_from("<Q", content, place + 8)[0]
        place += size if index == 0 else 16 + -(-size // 8) * 8
    return found, end


def test_what_is_whole_is_sound(path):
    assert heaps.are_sound(path)
    found, _ = objects(path.read_bytes())
    assert len(found) > 4


@pytest.mark.parametrize("size", [0, 1 << 40, (1 << 64) - 1])
@pytest.mark.parametrize("number", [0, 2])
def test_objects_that_do_not_follow_each_other_are_damage(path, size, number):
    content = bytearray(path.read_bytes())
    found, _ = objects(content)
    struct.pack_into("<Q", content, found[number] + 8, size)
    if size == 0:
        struct.pack_into("<H", content, found[number], 0)  # as free space without a size: what is next is itself
    path.write_bytes(content)
    assert not heaps.are_sound(path)
    message = f"{path} is a damaged HDF5 file, perhaps cut short: copy it or train it again"
    with pytest.raises(model_file.ModelFileError) as error:
        load(path)
    assert str(error.value) == message
    assert model_file.task_of(path) is None


def test_a_collection_that_reaches_beyond_the_file_is_damage(path):
    content = path.read_bytes()
    path.write_bytes(content[: content.index(heaps.SIGNATURE) + 20])
    assert not heaps.are_sound(path)
