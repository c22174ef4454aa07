"""A model as a `keras.Model` for other programs, and back: of Keras's own layers where their weights are the same."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from shakegen.cells.registry import CELLS, load_plugins
from shakegen.export.exporting import LENGTH, TOLERANCE, read_along
from shakegen.files import parse_json
from shakegen.layers.cell_layer import layer_of
from shakegen.model.model import LanguageModel
from shakegen.model.model_file import shorten
from shakegen.network.config import Config
from shakegen.network.keras_steps import compile_call, states_kept
from shakegen.text.catalog import open_source
from shakegen.text.vocabulary import Vocabulary

IGNORED = (
    keras.layers.InputLayer,
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.Add,
    keras.layers.Softmax,
)
SUM = 1e-3  # by which the sum of probabilities may differ from 1


def make_keras(model) -> keras.Model:
    """A model of any task from ids (N, T) to logits (N, T, outputs).

    A layer is Keras's own where that has the same weights and computes the same. Others are of `shakegen.layers`, which
    must be imported before the file is loaded, or made by `as_layer`, which must be called before.
    """
    made = keras.models.clone_model(model.keras_model(), clone_function=clone_layer)
    made.set_weights(list(model.weights.values()))
    return made


def clone_layer(layer):
    """A layer for other programs: Keras's own if there is one."""
    base, config = keras_layer_of(type(layer)), layer.get_config()
    config.pop("compiled_loop", None)  # it changes no result
    known = base(1).get_config() if base else {}
    if base is None or any(value for name, value in config.items() if name not in known):
        return type(layer).from_config(config)
    return base(**{name: value for name, value in config.items() if name in known and not name.endswith("initializer")})


def keras_layer_of(kind: type) -> type | None:
    """The recurrent layer of Keras's own that a class is, or comes from; None if there is none."""
    bases = (base for base in kind.__mro__ if base.__module__.startswith("keras."))
    return next((base for base in bases if issubclass(base, keras.layers.RNN) and base is not keras.layers.RNN), None)


def load_keras(path: Path, symbols: Path, encoding: str = "utf-8") -> LanguageModel:
    """The character model in a `.keras` file, as `read_keras` makes it.

    Args:
        path: of the file.
        symbols: a file with a JSON list of the symbols, or a text, or the name of one, whose characters, sorted, are
            the symbols.
        encoding: of the text.

    Raises:
        OSError: a file cannot be opened.
        ValueError: a file is not as expected; the message says which.
    """
    texts = read_symbols(symbols, encoding)
    load_plugins()
    for kind in [*CELLS.values()]:
        layer_of(kind)  # Keras then knows it, that of a cell of one's own, too
    try:
        network = keras.models.load_model(path, compile=False)
    except Exception as error:  # a stranger's file may lead to any
        raise ValueError(f"{path} is not a usable Keras model: {shorten(str(error))}") from None
    return read_keras(network, texts)


def read_symbols(path: Path, encoding: str = "utf-8") -> list[str]:
    """The symbols in a file, or of a named text, by their ids."""
    if path.suffix.lower() != ".json":
        source = open_source(path if path.is_file() else str(path), encoding)
        return sorted({character for block in source.blocks() for character in block})
    try:
        symbols = parse_json(path.read_bytes())
    except ValueError as error:
        raise ValueError(f'{path} is not JSON ({error}): expected a list of characters, such as ["a", "b"]') from None
    if not isinstance(symbols, list) or not all(isinstance(one, str) and len(one) == 1 for one in symbols):
        raise ValueError(f'{path} has no list of characters: expected JSON such as ["a", "b"]')
    if len(set(symbols)) < len(symbols):
        twice = next(one for one in symbols if symbols.count(one) > 1)
        raise ValueError(f"{path} has {twice!r} more than once: expected each character at its id alone")
    return symbols


def read_keras(network: keras.Model, symbols: Sequence[str]) -> LanguageModel:
    """A character model that was made elsewhere: an embedding or one-hot input, recurrent layers, and a Dense layer.

    Where layers are added, they must be so as in `network.build`: each above the first adds its input to its output.

    Args:
        network: from ids (N, T), or one-hot vectors (N, T, V), to logits or probabilities, (N, T, V) or (N, V).
        symbols: the character of each id.

    Raises:
        ValueError: it has other layers or sizes, or computes something else; the message says which.
    """
    if not getattr(network, "inputs", None):
        raise ValueError("the network has no inputs yet: begin it with a keras.Input, or train it, before it is saved")
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise ValueError(
            f"the network has {len(network.inputs)} inputs and {len(network.outputs)} outputs: expected one of each"
        )
    layers = [layer for layer in network.layers if not isinstance(layer, IGNORED) and not is_softmax(layer)]
    embedding = layers.pop(0) if layers and isinstance(layers[0], keras.layers.Embedding) else None
    dense = layers.pop() if layers and isinstance(layers[-1], keras.layers.Dense) else None
    kinds = [find_kind(layer) for layer in layers]
    if dense is None or not layers or None in kinds:
        odd = next((layer for layer, kind in zip(layers, kinds, strict=True) if kind is None), dense)
        found = f"its layer {odd.name} is a {type(odd).__name__}" if odd is not None else "it has none at its end"
        raise ValueError(
            f"the network cannot be read: {found}; expected an Embedding or one-hot input, recurrent layers, a Dense"
        )
    vocabulary, first, own = Vocabulary(symbols), layers[0], layers[0].get_config()
    config = Config(
        kinds[0].name,
        first.units,
        layers=len(layers),
        embedding=embedding.output_dim if embedding is not None else 0,
        residual=any(isinstance(layer, keras.layers.Add) for layer in network.layers),
        learn_initial_state=own.get("learn_initial_state", False),
        **{name: own[name] for name in kinds[0].options() if name in own},
    )
    shapes, weights = config.weight_shapes(len(vocabulary)), network.get_weights()
    if [weight.shape for weight in weights] != list(shapes.values()):
        raise ValueError(
            f"the network has weights of the shapes {', '.join(str(weight.shape) for weight in weights)}: expected "
            f"{', '.join(map(str, shapes.values()))} for {len(vocabulary)} symbols; are these its symbols?"
        )
    order = np.array([symbols.index(symbol) for symbol in vocabulary.symbols])  # which is by code points
    named = reorder(config, dict(zip(shapes, weights, strict=True)), order)
    model = LanguageModel(config, vocabulary, named)
    check_equal(network, model, order)
    return model


def reorder(config: Config, weights: dict, order: np.ndarray) -> dict:
    """The weights with the ids in another order."""
    size = len(order)
    fewer, more = config.weight_shapes(size), config.weight_shapes(size + 1)
    moved = dict(weights)
    for name, weight in weights.items():
        for axis, (here, there) in enumerate(zip(fewer[name], more[name], strict=True)):
            if here != there:
                moved[name] = np.take(weight, order, axis)
    return moved


def is_softmax(layer) -> bool:
    return isinstance(layer, keras.layers.Activation) and layer.activation is keras.activations.softmax


def find_kind(layer):
    """The cell of a recurrent layer, Keras's or ours; None if there is none."""
    own = keras_layer_of(type(layer))
    kinds = {layer_of(kind): kind for kind in CELLS.values()}
    twins = {ours.__name__: kind for ours, kind in kinds.items()}
    return kinds.get(type(layer)) or (twins.get(own.__name__) if own else None)


def in_32_bits(network: keras.Model) -> keras.Model:
    """A network whose layers compute in 32 bits; itself if they do."""
    if all(layer.compute_dtype == "float32" for layer in network.layers):
        return network

    def clone(one):
        own = {"dtype": "float32"} if isinstance(one, keras.layers.Layer) else {}  # there may be operations, too
        return type(one).from_config({**one.get_config(), **own})

    made = keras.models.clone_model(network, clone_function=clone)
    made.set_weights(network.get_weights())
    return made


def check_equal(network: keras.Model, model: LanguageModel, order: np.ndarray) -> None:
    """Refuse a network that computes other probabilities than a model along a random text.

    Args:
        network: whose ids are in its own order.
        model: whose ids are those of its vocabulary.
        order: the id in the network of each id of the model.
    """
    size, (batch, length, *one_hot) = len(model.vocabulary), network.input_shape
    ids = np.random.default_rng(0).integers(0, size, (1, length or LENGTH))
    inputs = np.repeat(order[ids], batch or 1, axis=0)
    with states_kept(network):
        given = compile_call(in_32_bits(network))(np.eye(size, dtype=np.float32)[inputs] if one_hot else inputs)
    theirs = keras.ops.convert_to_numpy(given)[0].reshape(-1, size)[:, order]
    ours = read_along(model, ids)[0][-len(theirs) :]
    if abs(theirs.sum(-1) - 1).max() < SUM and theirs.min() >= 0:
        ours = keras.ops.convert_to_numpy(keras.ops.softmax(ours))
    difference = np.abs(ours - theirs).max()
    if not difference <= TOLERANCE:
        raise ValueError(
            f"the network computes something else than its layers say: its outputs differ by {difference:.2g}; "
            "expected the usual activations, with biases, each layer on the one before"
        )
