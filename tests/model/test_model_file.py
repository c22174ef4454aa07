"""A model file is written whole or not at all, and read with suspicion."""

import json
import os
import resource
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest
from hostile import KERNEL, OWN, PLAIN, replace

from shakegen.cells import BUILT_IN
from shakegen.model import LanguageModel, load, model_file
from shakegen.network.config import Config
from shakegen.text.vocabulary import Vocabulary


@pytest.mark.parametrize("cell", BUILT_IN)
def test_round_trip(tmp_path, random_model, cell):
    model = random_model(Config(cell, units=5, layers=2, dropout=0.25, embedding=3, learn_initial_state=True))
    model.save(tmp_path / "deep" / "model.h5")
    again = LanguageModel.load(tmp_path / "deep" / "model.h5")
    assert again.config == model.config
    assert again.vocabulary == model.vocabulary
    assert (again.corpus, again.history) == (model.corpus, model.history)
    assert again.weights.keys() == model.weights.keys()
    assert all(np.array_equal(again.weights[name], model.weights[name]) for name in model.weights)
    assert again.sample("love", random_state=3) == model.sample("love", random_state=3)


def test_a_model_is_for_one_of_two_tasks(random_model, tmp_path):
    random_model().save(tmp_path / "a.h5")
    with pytest.raises(ValueError) as error:
        load(tmp_path / "a.h5", "classify")
    assert str(error.value) == "there is no task 'classify': expected 'next' or 'autocomplete'"


def test_vocabulary_of_any_size_and_kind_survives(tmp_path, random_weights):
    vocabulary = Vocabulary(map(chr, [0, *range(0x3400, 0x3400 + 20_000), 0xD800, 0x1F600]))
    config = Config("rnn", units=1)
    model = LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))
    model.save(tmp_path / "model.h5")
    assert LanguageModel.load(tmp_path / "model.h5").vocabulary == vocabulary


def test_models_of_words_and_of_unknown_characters_survive(tmp_path, word_model, random_weights):
    word_model.save(tmp_path / "words.h5")
    again = LanguageModel.load(tmp_path / "words.h5")
    assert again.vocabulary == word_model.vocabulary
    assert again.config.level == again.vocabulary.level == "word"
    assert again.corpus == word_model.corpus
    assert again.sample("thou", random_state=3) == word_model.sample("thou", random_state=3)
    vocabulary, config = Vocabulary("abc", unknown=True), Config(units=2)
    LanguageModel(config, vocabulary, random_weights(config, 4)).save(tmp_path / "characters.h5")
    assert LanguageModel.load(tmp_path / "characters.h5").vocabulary == vocabulary


def test_models_from_before_there_were_levels_are_read(path, tmp_path, random_model):
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["config"])
        del config["level"]
        file.attrs["config"] = json.dumps(config)
    assert LanguageModel.load(path).vocabulary == random_model().vocabulary
    assert LanguageModel.load(path).config.level == "char"


def test_vocabularies_of_another_level_are_refused(path):
    with h5py.File(path, "r+") as file:
        file.attrs["config"] = json.dumps(json.loads(file.attrs["config"]) | {"level": "word"})
    assert refused(path) == f"{path} is not a usable model: a vocabulary of words needs an unknown symbol"
    with h5py.File(path, "r+") as file:
        file.attrs["vocabulary"] = json.dumps([None, "a"])
    assert refused(path) == (
        f"{path} is not a usable model: every symbol of a vocabulary must be a word of 1 to 127 characters"
    )


def test_validation_text_described_by_no_numbers_is_refused(path):
    with h5py.File(path, "r+") as file:
        file.attrs["corpus"] = json.dumps({"validation": {"characters": "many"}})
    assert refused(path).endswith("its corpus is not described as expected; the file may be damaged")


def test_failed_write_leaves_the_old_model_and_nothing_else(tmp_path, random_model):
    """A limit on the size of files stands in for a full disk: the system refuses the write half-way."""
    path = tmp_path / "model.h5"
    random_model(Config(units=4)).save(path)
    before = path.read_bytes()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            random_model(Config(units=100)).save(path)
        except OSError as error:
            expected = (
                f"cannot write {path} (File too large): "
                "expected a file in a folder that has room and may be written to; try another place with `out`"
            )
            os._exit(0 if str(error) == expected else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def refused(path):
    with pytest.raises(model_file.ModelFileError) as error:
        load(path)
    return str(error.value)


def test_every_truncation_is_refused(path):
    whole = path.read_bytes()
    for size in [*range(0, len(whole) - 1, 997), len(whole) - 1]:
        path.write_bytes(whole[:size])
        assert refused(path) in (
            f"{path} is not a model file: expected one that `shakegen train` wrote",
            f"{path} is a damaged HDF5 file, perhaps cut short: copy it or train it again",
        )


def test_foreign_files_are_refused(path):
    path.write_text("Shall I compare thee to a summer's day?")
    assert refused(path) == f"{path} is not a model file: expected one that `shakegen train` wrote"
    with h5py.File(path, "w") as file:
        file["x"] = 1
    assert refused(path) == (
        f"{path} is not a usable model: it is an HDF5 file, but not of shakegen; "
        "expected one that `shakegen train` wrote"
    )


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        load(tmp_path / "none.h5")
    assert str(error.value) == (
        f"no model {tmp_path}/none.h5: expected a file that `shakegen train` wrote (see `shakegen models`)"
    )
    with pytest.raises(IsADirectoryError) as error:
        load(tmp_path)
    assert str(error.value) == f"{tmp_path} is a folder: expected a model file (see `shakegen models`)"


def set_attribute(name, value):
    return lambda file: file.attrs.update({name: value})


def set_config(**values):
    return lambda file: file.attrs.update(config=json.dumps(json.loads(file.attrs["config"]) | values))


DAMAGE = {
    "it has version 2, this shakegen reads version 1; try a newer shakegen": set_attribute("version", 2),
    "its vocabulary is missing; the file may be damaged": lambda file: file.attrs.pop("vocabulary"),
    "its config is not JSON; the file may be damaged": set_attribute("config", "{"),
    "its history is a dict, expected a list": set_attribute("history", "{}"),
    "every symbol of a vocabulary must be one character": set_attribute("vocabulary", '["ab", "c"]'),
    "its cell 'lstn' is not here: install the package that has it, or name the class in the environment, "
    "SHAKEGEN_CELLS=module:Class": set_config(cell="lstn"),
    "there is no setting 'colour' of a network: it may come from a newer shakegen": set_config(colour="red"),
    "units is 7.5: expected a whole number from 1 to 65536": set_config(units=7.5),
    "weights/layer1/kernel has the shape (27, 24), its configuration asks for (27, 262144)": set_config(units=65_536),
    "weights/layer3/kernel is missing; the file may be damaged": set_config(layers=3),
    "its history has other than numbers; the file may be damaged": set_attribute("history", '[{"epoch": 1}]'),
    "its corpus is not described as expected; the file may be damaged": set_attribute("corpus", '{"length": "x"}'),
    "its version is missing; the file may be damaged": set_attribute("version", "1"),
    "layers times memories of a cell are over 1024: expected fewer of either": set_config(layers=65_536),
    f"{KERNEL} has other than numbers; the training may have diverged": lambda file: file[KERNEL].write_direct(
        np.full((27, 24), np.nan, "<f4")
    ),
    f"{KERNEL} is missing; the file may be damaged": replace(KERNEL, lambda file: None),
    f"{KERNEL} is not an array of 16-bit or 32-bit floats": replace(
        KERNEL, lambda file: file.create_dataset(KERNEL, (27, 24), "f8")
    ),
    f"{KERNEL} has the shape (24, 27), its configuration asks for (27, 24)": replace(
        KERNEL, lambda file: file.create_dataset(KERNEL, (24, 27), "<f4")
    ),
    f"weights/layer1 has links, but {OWN}": replace(
        KERNEL, lambda file: file.update({KERNEL: h5py.ExternalLink("/etc/passwd", "/x")})
    ),
    f"{KERNEL} {PLAIN}": replace(
        KERNEL, lambda file: file.create_dataset(KERNEL, (27, 24), "<f4", chunks=True, compression="gzip")
    ),
}


@pytest.mark.parametrize(("message", "change"), DAMAGE.items(), ids=range(len(DAMAGE)))
def test_damaged_and_hostile_files_are_refused(path, message, change):
    with h5py.File(path, "r+") as file:
        change(file)
    assert refused(path) == f"{path} is not a usable model: {message}"


def test_sizes_are_checked_before_anything_is_allocated(path):
    """Weights that would need 1 TiB, declared in a file of a few kilobytes: h5py promises them, nothing is stored."""
    huge = Config("rnn", units=65_536, layers=64)
    with h5py.File(path, "w") as file:
        file.attrs.update(format="shakegen", version=1, vocabulary='["a", "b"]', corpus="{}", history="[]")
        file.attrs["config"] = json.dumps(huge.to_dict())
        for name, shape in huge.weight_shapes(2).items():
            file.create_dataset(f"weights/{name}", shape, "<f4", chunks=True)
    assert path.stat().st_size < 1 << 20
    assert refused(path).endswith(PLAIN)


def test_histories_of_other_kinds_are_refused(path):
    for history in ("[1, 2]", "[[]]", '[{"epoch": 1, "loss": "x"}]', '[{"epoch": 1, "loss": 1e301}]'):
        with h5py.File(path, "r+") as file:
            file.attrs["history"] = history
        assert (
            refused(path)
            == f"{path} is not a usable model: its history has other than numbers; the file may be damaged"
        )


def test_pipes_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe") == (
        f"{tmp_path}/pipe is not a regular file: expected a model file (see `shakegen models`)"
    )


def test_external_storage_is_refused(path, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(27 * 24 * 4))
    with h5py.File(path, "r+") as file:
        del file[KERNEL]
        file.create_dataset(KERNEL, (27, 24), "<f4", external=[(str(tmp_path / "secret"), 0, h5py.h5f.UNLIMITED)])
    assert refused(path).endswith(PLAIN)


def test_two_processes_saving_the_same_model_leave_one_of_the_two_whole(path):
    code = (
        "import sys; from shakegen.model import LanguageModel\n"
        "model = LanguageModel.load(sys.argv[1]); model.history = [{'epoch': int(sys.argv[2]), 'loss': 1.0}]\n"
        "for _ in range(20): model.save(sys.argv[1])"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), str(k)]) for k in (1, 2)]
    while any(writer.poll() is None for writer in writers):
        load(path)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert load(path).history[0]["epoch"] in (1, 2)
    assert list(path.parent.iterdir()) == [path]


def test_characters_in_another_order_are_refused(path):
    with h5py.File(path, "r+") as file:
        file.attrs["vocabulary"] = json.dumps(json.loads(file.attrs["vocabulary"])[::-1])
    assert refused(path).endswith("the characters of a vocabulary must be in the order of their code points")
