"""From a configuration to a Keras model."""

import itertools
from collections.abc import Iterator

import keras
import numpy as np

from shakegen.cells.operations import VARIANCE
from shakegen.layers.cell_layer import layer_of
from shakegen.layers.convolution import CausalConvolution
from shakegen.layers.initializers import initializer_of
from shakegen.network.config import DROPOUT, Config


def build(
    config: Config,
    vocabulary_size: int,
    random_state: int = 0,
    dtype: str = "float32",
    outputs: int | None = None,
    dropout: type[keras.layers.Dropout] = keras.layers.Dropout,
) -> keras.Model:
    """A model that reads symbols and gives, after each, the logits of its prediction.

    Args:
        config: the architecture.
        vocabulary_size: V.
        random_state: of the initial weights and of dropout.
        dtype: a Keras dtype policy, such as "mixed_bfloat16"; weights and logits are float32 in any case.
        outputs: the number of logits; V by default.
        dropout: the kind of layer that drops.

    Returns:
        A `keras.Model` from ids (N, T), integers, to logits (N, T, outputs), not compiled.
    """
    seeds, rate = itertools.count(1000 * random_state), DROPOUT if config.dropout is None else config.dropout
    ids = keras.Input((None,), dtype="int32", name="ids")
    if config.embedding:
        uniform = keras.initializers.RandomUniform(seed=next(seeds))
        hidden = keras.layers.Embedding(vocabulary_size, config.embedding, uniform, dtype=dtype, name="embedding")(ids)
    else:
        hidden = keras.ops.one_hot(ids, vocabulary_size, dtype="float32")

    def drop(hidden, name):
        shape = (None, 1, None) if config.variational_dropout else None
        return dropout(rate, shape, seed=next(seeds), dtype=dtype, name=name)(hidden) if rate else hidden

    for number in range(1, config.layers + 1):
        name, below = f"layer{number}", hidden
        layer = recurrent_layer(config, name, seeds, dtype=dtype)
        if config.has_blocks:
            hidden = normalise(hidden, f"{name}_norm", dtype)
        if config.convolution:
            start = keras.initializers.LecunUniform(next(seeds))
            hidden = CausalConvolution(config.convolution, start, dtype=dtype, name=f"{name}_conv")(hidden)
        hidden = drop(layer(hidden), f"dropout{number}")
        if config.has_blocks or (config.adds_layers and number > 1):
            hidden = keras.layers.add([hidden, below], dtype=dtype)
        if config.mlp:
            below, hidden = hidden, drop(perceptron(config, hidden, name, seeds, dtype), f"dropout{number}_mlp")
            hidden = keras.layers.add([hidden, below], dtype=dtype)
    read_out = keras.initializers.GlorotUniform(seed=next(seeds))
    dense = keras.layers.Dense(outputs or vocabulary_size, kernel_initializer=read_out, dtype="float32", name="dense")
    logits = dense(hidden)
    return keras.Model(ids, logits, name=config.cell)


def normalise(hidden, name: str, dtype: str):
    """The norm of a block: mean 0 and variance 1 over the width, times a scale."""
    return keras.layers.LayerNormalization(epsilon=VARIANCE, center=False, dtype=dtype, name=name)(hidden)


def perceptron(config: Config, hidden, name: str, seeds: Iterator[int], dtype: str):
    """The gated perceptron of a block, with its norm."""
    width = config.mlp * config.units

    def dense(size, end):
        start = keras.initializers.GlorotUniform(next(seeds))
        return keras.layers.Dense(size, use_bias=False, kernel_initializer=start, dtype=dtype, name=f"{name}_{end}")

    up, down = dense(2 * width, "up"), dense(config.units, "down")
    gate, values = keras.ops.split(up(normalise(hidden, f"{name}_mlp_norm", dtype)), 2, axis=-1)
    return down(keras.ops.silu(gate) * values)


def recurrent_layer(config: Config, name: str, seeds: Iterator[int], **options) -> keras.layers.Layer:
    """One recurrent layer of a configuration; options are those of Keras's layers."""
    cell = config.make_cell()
    weights, starts = cell.weights(1), {}
    for argument, weight in (("recurrent_initializer", "recurrent_kernel"), ("kernel_initializer", "kernel")):
        seed = next(seeds)
        if cell.layer and weight in weights:  # public layers are Keras's, whose seed is that of dropout alone
            starts[argument] = initializer_of(weights[weight], seed)
    return layer_of(type(cell))(
        config.units,
        return_sequences=True,
        learn_initial_state=config.learn_initial_state,
        seed=next(seeds),
        name=name,
        **starts,
        **config.cell_options,
        **options,
    )


def named_weights(config: Config, model: keras.Model) -> dict[str, np.ndarray]:
    """The weights of a model made by `build`, or of a model that shares them, by the names of `Config.weight_shapes`.

    While it is trained by an optimizer that averages the weights (`use_ema`), these are the averages.
    """
    weights, optimizer = model.weights, getattr(model, "optimizer", None)
    if optimizer is not None and optimizer.use_ema and int(optimizer.iterations.numpy()):
        weights = [variable for variable in optimizer.variables if variable.name.endswith("_average")]
    values = [keras.ops.convert_to_numpy(weight).copy() for weight in weights]
    return dict(zip(config.weight_shapes(1), values, strict=True))
