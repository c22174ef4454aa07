"""The page on the file of a model is complete and true: files of all kinds have what it says, and nothing else."""

import contextlib
import json
import re

import h5py
import pytest

import shakegen
from shakegen.cells import BUILT_IN, find_cell
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus

BLOCK = {"block_norm", "block_convolution", "block_mlp_norm", "block_up", "block_down"}
NORMS = {"kernel_scale", "recurrent_scale", "memory_scale", "memory_shift"}
VARIANTS = [
    Config("lstm", units=3, layer_norm=True),
    Config("gru", units=3, reset_after=False, embedding=2, learn_initial_state=True),
    Config("gru", units=3, convolution=2, mlp=2, learn_initial_state=True),
    Config("nlstm", units=3, depth=3),
    Config("mogrifier", units=3, rank=2, layer_norm=True),
]


@pytest.fixture
def page(root):
    return (root / "docs" / "reference" / "model-file.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The file of a training run, with the place where it stands."""
    path = tmp_path_factory.mktemp("run") / "trained.h5"
    corpus = Corpus.from_text("the cat sat on the mat. " * 100, "cat")
    config = Config("gru", units=3, layers=1, dropout=0.1)
    options = {"epochs": 1, "batch_size": 4, "seq_length": 50, "passage": 4, "average_weights": 0.9}
    shakegen.train(corpus, config, out=path, verbose=False, **options)
    return path


@pytest.fixture
def files(tmp_path, root, random_model, word_model, trained):
    """Model files of all kinds, open: of every cell, of words, pretrained ones, and one of a training run."""
    models = [random_model(Config(name, units=3)) for name in BUILT_IN] + [random_model(one) for one in VARIANTS]
    paths = [*sorted((root / "models").glob("*.h5")), trained]
    for number, model in enumerate([*models, word_model]):
        paths.append(tmp_path / f"{number}.h5")
        model.save(paths[-1])
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(h5py.File(path)) for path in paths]


def read_rows(page, heading):
    """The rows of the tables below a heading, as lists of cells."""
    section = re.split(r"^#+ ", page.partition(f"\n{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in re.findall(r"^\|.*\|$", section, re.MULTILINE)
    ]
    return [row for row in rows if row[0].startswith("`")]


def read_names(page, heading):
    return [row[0].strip("`") for row in read_rows(page, heading)]


def match(pattern, name):
    """Whether a name is one of a pattern, in which braces stand for numbers or names."""
    regex = re.sub(r"\\{[nkd]\\}", r"\\d+", re.escape(pattern))
    return re.fullmatch(re.sub(r"\\{\w+\\}", ".+", regex), name)


def list_arrays(file):
    arrays = {}
    file.visititems(lambda name, item: arrays.update({name: item} if isinstance(item, h5py.Dataset) else {}))
    return arrays


def test_attributes_and_their_keys_are_those_of_the_page(page, files):
    seen = {heading: set() for heading in ("config", "corpus", "history")}
    attributes, state, position = set(), set(), set()
    for file in files:
        attributes |= set(file.attrs)
        config = json.loads(file.attrs["config"])
        options = set(find_cell(config["cell"]).options())
        seen["config"] |= set(config) - options
        seen["corpus"] |= set(json.loads(file.attrs["corpus"]))
        seen["history"] |= {key for epoch in json.loads(file.attrs["history"]) for key in epoch}
        if "training" in file:
            values = json.loads(file["training"].attrs["state"])
            state, position = set(values), set(values["position"])
    assert attributes == set(read_names(page, "## Attributes of the file"))
    for heading, keys in seen.items():
        assert keys == set(read_names(page, f"### {heading}")), heading
    assert position == {name for name in read_names(page, "### position") if "/" not in name}
    assert state == set(read_names(page, "## Where a training run stands"))


def test_arrays_are_those_of_the_page(page, files):
    patterns = [name for heading in ("## Weights", "### position") for name in read_names(page, heading) if "/" in name]
    found = dict.fromkeys(patterns, 0)
    for file in files:
        for name in list_arrays(file):
            ours = [pattern for pattern in patterns if match(pattern, name)]
            assert ours, f"{name} is not on the page"
            found[ours[0]] += 1
    assert all(found.values()), found


def test_weights_of_cells_have_the_names_and_shapes_of_the_page(page, files):
    rows = {row[0].strip("`"): row for row in read_rows(page, "## Weights") if "/" not in row[0]}
    assert set(rows) == set(BUILT_IN)
    for file in files:
        config, symbols = json.loads(file.attrs["config"]), json.loads(file.attrs["vocabulary"])
        kind = find_cell(config["cell"])
        _, gates, states, weights = rows[kind.name]
        text = weights.replace("those of `lstm`", rows["lstm"][3])
        assert gates == ", ".join(kind.gates)
        assert states.removesuffix(" …").split(", ") == list(kind(config["units"]).state_names)
        shapes = dict(re.findall(r"`([\w{}]+)` \(([^)]*)\)", text))
        names = {*re.findall(r"`([\w{}]+)`", text), *(NORMS if config.get("layer_norm") else ())}
        names |= BLOCK if config.get("mlp") else set()
        inputs = config["embedding"] or len(symbols)
        for name, array in file["weights/layer1"].items():
            ours = [pattern for pattern in names if match(pattern, name)]
            assert ours or name.startswith("initial_state_"), f"{kind.name}: {name}"
            written = next((shapes[pattern] for pattern in ours if pattern in shapes), None)
            if written and config.get("reset_after", True) and not config.get("rank"):
                sizes = {"H": config["units"], "inputs": inputs}
                factors = [
                    [sizes.get(word) or int(word) for word in part.split()] for part in written.split(",") if part
                ]
                assert array.shape == tuple(one[0] * (one[1] if len(one) > 1 else 1) for one in factors), name


def test_the_program_of_the_page_writes_as_shakegen_does(page, root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    (program,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(compile(program, "model-file.md", "exec"), {})
    text = shakegen.load("models/sonnets-gru.h5").sample("Shall I compare", length=30, temperature=0)
    assert capsys.readouterr().out == f"Shall I compare{text}\n"
