"""The engine of the page in a browser against the one in numpy: logits, gates, gradients; and how a text is read."""

import dataclasses
import json
import runpy
from pathlib import Path

import numpy as np
import odd_cells
import pytest
from engine_page import read_along

from shakegen.cells import BUILT_IN
from shakegen.cells.operations import NUMPY
from shakegen.cells.registry import CELLS, find_cell
from shakegen.cells.symbol import ELEMENTWISE
from shakegen.export.page.network import describe, pack
from shakegen.model import AutocompleteModel, LanguageModel
from shakegen.model.precision import PRECISIONS, choose_precision
from shakegen.network.config import Config
from shakegen.study.autocomplete.corpus import encode_text
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs
from shakegen.study.connectivity.gradients import Gradients
from shakegen.text.subword_vocabulary import SubwordVocabulary
from shakegen.text.vocabulary import Vocabulary
from shakegen.text.word_vocabulary import WordVocabulary, tokenize

V, T = 11, 14
EXAMPLE = Path(__file__).parents[2] / "examples" / "cfn.py"
VARIANTS = [
    Config(cell, units=5, layers=1, **options) for cell in BUILT_IN for options in find_cell(cell).presets.values()
]
VARIANTS += [
    Config("lstm", units=9, layer_norm=True, zoneout=0.2),
    Config("gru", units=9, layer_norm=True, zoneout=0.1, learn_initial_state=True),
    Config("nlstm", units=9, depth=3, zoneout=0.3, residual=False),
    Config("minlstm", units=9, layers=3, convolution=4, mlp=2, learn_initial_state=True),
    Config("slstm", units=9, convolution=2, zoneout=0.1),
]
SIZES = {
    "plain": {"units": 5, "layers": 1},
    "deep": {"units": 9, "layers": 3, "residual": True, "embedding": 4, "learn_initial_state": True},
    "stacked": {"units": 19, "layers": 2, "residual": False, "embedding": 13},
}
CASES = [(cell, name) for cell in (*BUILT_IN, "cfn", *(kind.name for kind in odd_cells.ODD)) for name in SIZES]
TEXTS = [
    "",
    "shall i compare thee",
    "Shall I  — compare\n\tthee? Été 42 times, naïve",
    "emoji 👩‍👩‍👧 🇫🇷 and שלום עולם, مرحبا",
    "an �, not unknown",
    "don't  stop... now==then 12345 六月 ไทย\u2028\u00a0end ",
]


@pytest.fixture(autouse=True)
def more_cells(page, cells_as_they_were):
    for kind in odd_cells.ODD:
        CELLS[kind.name] = kind
    runpy.run_path(str(EXAMPLE))
    yield
    assert page.get_log("browser") == []


@pytest.fixture
def make(random_weights):
    """Models of a configuration, of letters of few."""

    def model(config, symbols=V):
        if config.task == "autocomplete":
            words = Outputs(["thee", "more", "a", "i", "and", "come", "to", "shall"])
            weights = random_weights(config, len(SYMBOLS), outputs=len(words))
            return AutocompleteModel(config, SYMBOLS, weights, words=words)
        vocabulary = Vocabulary("abcdefghijklmnopqrstuvwxyz"[:symbols])
        return LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))

    return model


def compare(page, model, ids, weights=None, keep=False):
    """A model in the page against the engine in numpy."""
    weights = dict(weights or model.weights)
    found = read_along(page, describe(model, "m", "float32"), ids, keep)
    exact = {name: weight.astype(float) for name, weight in weights.items()}
    engine = type(model).make_engine(model.config, exact)
    state, logits = engine.start(), []
    for number in ids:
        results, state = engine.step(np.array([number]), state)
        logits.append((engine.read_out(results) if model.defers_read_out else results)[0].copy())
    np.testing.assert_allclose(found["logits"], logits, atol=1e-4)
    for number, layer in enumerate(engine.activations(ids)):
        for name, values in layer.items():
            shown = [step[number][name] for step in found["shown"]]
            np.testing.assert_allclose(shown, values, atol=1e-4, err_msg=name)
    norms = Gradients(model.config, exact, ids).connectivity(np.full(len(ids), found["output"]))[-1]
    np.testing.assert_allclose(found["norms"], norms, rtol=1e-4, atol=1e-6 * norms.max())


@pytest.mark.parametrize(("cell", "size"), CASES)
def test_every_cell_gives_the_numbers_of_the_engine_in_numpy(page, make, rng, cell, size):
    compare(page, make(Config(cell, **SIZES[size])), rng.integers(V, size=T))


@pytest.mark.parametrize("config", VARIANTS, ids=str)
def test_so_do_variants_of_cells(page, make, rng, config):
    compare(page, make(config), rng.integers(V, size=T), keep=True)


@pytest.mark.parametrize("cell", ["gru", "nlstm"])
def test_so_do_networks_that_complete_words(page, make, cell):
    model = make(Config.study(cell, units=12))
    compare(page, model, encode_text(["shall i come"]))


def test_a_diverged_model_can_be_written_down(make):
    model = dataclasses.replace(
        make(Config("gru", units=4)), history=[{"epoch": 1, "loss": np.nan, "val_loss": np.nan}]
    )
    broken = {name: weight * np.nan for name, weight in model.weights.items()}
    description = describe(dataclasses.replace(model, weights=broken), "m")
    assert json.loads(json.dumps(description, allow_nan=False))["facts"]["precision"] == "float32"


def test_a_text_of_no_symbols_has_the_logits_of_the_initial_states(page, make):
    for residual in (True, False):
        model = make(Config("lstm", units=6, layers=3, residual=residual, learn_initial_state=True))
        expected = model.engine.prime(np.empty(0, int))[0][0]
        np.testing.assert_allclose(read_along(page, describe(model, "m", "float32"), [1])["first"], expected, atol=1e-4)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_states_never_change(page, make, cell):
    """Any of them may be gone on from, in any order, in the midst of connectivity too."""
    script = """
      const network = new Network(arguments[0]), ids = arguments[1];
      const states = network.read(ids, undefined, false), before = states.map(state => [...state.logits]);
      const expected = [...network.connectivity(states, 2)];
      const work = network.connecting(network.read(ids), 2, -1);
      let next = work.next(), slices = 0;
      for (; !next.done; next = work.next(), slices++) network.step(states[slices], slices % 3).logits;
      const branch = network.read(ids.slice(5), states[4]);
      return [before, states.map(state => [...state.logits]), branch.map(state => [...state.logits]),
        expected, [...next.value], slices, states.map(state => state.count)];
    """
    ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]
    before, after, branch, expected, norms, slices, counts = page.execute_script(
        script, describe(make(Config(cell, units=6)), "m"), ids
    )
    assert before == after
    assert branch == before[5:]
    assert norms == expected
    assert slices == 10
    assert counts == list(range(1, 11))


def test_weights_are_half_as_long_where_that_changes_little(page, make, rng):
    model = make(Config("gru", units=8))
    ids = rng.integers(V, size=T)
    exact = read_along(page, describe(model, "m", "float32"), ids)["logits"]
    for precision in PRECISIONS:
        description = describe(model, "m", precision)
        kept, used = choose_precision(model, precision)
        assert used == description["facts"]["precision"] == ("float32" if precision == "float32" else "float16")
        assert {array["type"] for array in description["arrays"]} == {used}
        found = read_along(page, description, ids)["logits"]
        assert np.abs(found - exact).max() <= (0.02 if used == "float16" else 0)
        engine = model.make_engine(model.config, kept)
        state = engine.start()
        for number, logits in zip(ids, found, strict=True):
            np.testing.assert_allclose(engine.step(np.array([number]), state)[0][0], logits, atol=1e-4)


def test_every_operation_gives_the_numbers_of_numpy(page, rng):
    """So no operation can be new to cells and unknown to the page."""
    a, b, matrix = rng.random(6) + 0.1, rng.normal(0, 1, 6), rng.normal(0, 1, (6, 6))
    attributes = {
        "zeros": {"width": 4},
        "part": {"start": 2, "stop": 5},
        "activate": {"names": ["tanh", "sigmoid", "relu"]},
        "concat": {},
    }
    second = {**dict.fromkeys((*ELEMENTWISE, "concat", "normalise_gradient"), b), "matmul": matrix}
    second["matmul_transposed"] = matrix
    for name in NUMPY.keys() - {"row"}:  # of weights only
        given = [a, second[name]] if name in second else [b if name in ("relu", "positive") else a]
        expected = NUMPY[name](*given, **attributes.get(name, {}))
        known = [one for one in given if one.ndim == 1]
        inputs = [{"array": 0} if one is matrix else number for number, one in enumerate(given)]
        step = [name, inputs, expected.shape[-1], attributes.get(name, {})]
        program = {"inputs": [6] * len(known), "steps": [step], "outputs": [len(known)]}
        script = """
          const program = new Program(arguments[0], [arguments[2].map(row => Float32Array.from(row))]);
          program.inputs.forEach((input, k) => input.set(arguments[1][k]));
          program.run();
          return [...program.outputs[0]];
        """
        found = page.execute_script(script, program, [one.tolist() for one in known], matrix.tolist())
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=name)


def test_every_number_of_16_bits_arrives(page):
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
    halves = halves[np.isfinite(halves)]
    for shape in ((-1,), (-1, 32)):
        array = halves.reshape(shape)
        packed = pack(array, "float16")
        assert packed["type"] == "float16"
        found = page.execute_script(
            "return Array.from(unpack(arguments[0]), row => row.length ? [...row] : row)", packed
        )
        assert np.array_equal(found, array)
    assert pack(np.array([0.1, 1], np.float32), "float16")["type"] == "float32"


@pytest.mark.parametrize("size", [300.0, 1e6])
def test_weights_stay_whole_where_half_would_change_a_logit(make, size):
    model = make(Config("gru", units=8))
    large = {name: weight * (size if name == "dense/kernel" else 1) for name, weight in model.weights.items()}
    loud = dataclasses.replace(model, weights=large)
    assert describe(loud, "m")["facts"]["precision"] == "float32"
    with pytest.raises(ValueError, match="the precision is 'half': expected auto, float16, float32"):
        describe(model, "m", "half")


ENCODE = """
const network = new Network(arguments[0]);
return arguments[1].map(text => network.encode(text)).map(one => ({ ...one, texts: textsOf(network, one.ids) }));
"""


@pytest.mark.parametrize("unknown", [False, True])
def test_a_text_of_characters_is_read_as_the_vocabulary_reads_it(page, make, random_weights, unknown):
    vocabulary = Vocabulary("abcdehilmnoprst 👩ש\ufffd", unknown=unknown)
    config = Config(units=3, layers=1)
    model = LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))
    for text, found in zip(TEXTS, page.execute_script(ENCODE, describe(model, "m"), TEXTS), strict=True):
        assert found["ids"] == vocabulary.encode(text, "symbol" if unknown else "skip").tolist()
        assert [one["text"] for one in found["unknown"]] == [one for one in text if one not in vocabulary]
        units = text.encode("utf-16-le")
        for one in found["unknown"]:
            assert units[2 * one["index"] :].decode("utf-16-le").startswith(one["text"])
        assert len(found["starts"]) == len(found["ids"])
        assert found["starts"] == sorted(set(found["starts"]))


def test_a_text_of_words_is_read_as_the_vocabulary_reads_it(page, random_weights):
    vocabulary = WordVocabulary(["shall", " i", " compare", " thee", " ", "\n", ",", "...", "==", " don't"])
    config = Config(units=3, layers=1, level="word", embedding=2)
    model = LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))
    for text, found in zip(TEXTS, page.execute_script(ENCODE, describe(model, "m"), TEXTS), strict=True):
        assert found["ids"] == vocabulary.encode(text).tolist()
        assert [one["text"] for one in found["unknown"]] == [one for one in tokenize(text) if one not in vocabulary]


def test_a_text_of_subwords_is_read_as_the_vocabulary_reads_it(page, random_weights):
    vocabulary = SubwordVocabulary([*" shalicomptre", "th", "al", "sh", " thee", "shal", " c", "om", " com"])
    config = Config(units=3, layers=1, level="subword", embedding=2)
    model = LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))
    texts = [*TEXTS, "\ufeffend 👍"]
    for text, found in zip(texts, page.execute_script(ENCODE, describe(model, "m"), texts), strict=True):
        assert found["ids"] == vocabulary.encode(text).tolist()
        assert "".join(found["texts"]) == text
        assert found["unknown"] == []
        assert len(found["starts"]) == len(found["ids"]) == len(found["texts"])


def test_a_text_to_complete_is_read_as_words_of_a_to_z(page, make):
    model = make(Config.study("gru", units=4))
    for text, found in zip(TEXTS, page.execute_script(ENCODE, describe(model, "m"), TEXTS), strict=True):
        assert found["ids"] == encode_text([text]).tolist()
        assert [one["text"] for one in found["unknown"]] == [
            one for one in text if not one.isspace() and not (one.isascii() and one.isalnum())
        ]


def test_long_texts_to_complete_begin_with_a_whole_word(page, make):
    model = dataclasses.replace(make(Config.study("gru", units=4)), corpus={"observation_length": 10})
    script = "const n = new Network(arguments[0]); return arguments[1].map(text => n.first(n.encode(text).ids));"
    texts = ["shall", "shall i c", "shall i co", "shall i compare", "a" * 30, "a" * 30 + " b"]
    assert page.execute_script(script, describe(model, "m"), texts) == [0, 0, 6, 6, 21, 31]
