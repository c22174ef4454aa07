"""The initializers of a cell's weights, as Keras's."""

import inspect
import random

import keras
import numpy as np

from shakegen.cells import CellError, Weight


def initializer_of(weight: Weight, seed: int | None = None) -> keras.initializers.Initializer:
    """The Keras initializer of a weight."""
    if callable(weight.initializer):
        return Drawn(weight.initializer, seed)
    names = (weight.initializer,) if isinstance(weight.initializer, str) else weight.initializer
    return Blocks(names, seed) if len(names) > 1 else make_initializer(names[0], seed)


def draws(initializer) -> bool:
    """Whether an initializer draws numbers: one instance would draw the same ones for every weight."""
    return isinstance(initializer, keras.initializers.Initializer) and "seed" in initializer.get_config()


def make_initializer(name: str, seed: int | None) -> keras.initializers.Initializer:
    try:
        kind = type(keras.initializers.get(name))
    except ValueError:
        raise CellError(f"there is no initializer {name!r}: expected one of Keras's, for example orthogonal") from None
    seeded = seed is not None and "seed" in inspect.signature(kind).parameters
    return kind(seed=seed) if seeded else kind()


@keras.saving.register_keras_serializable(package="shakegen")
class Blocks(keras.initializers.Initializer):
    """Blocks of columns side by side, each with an initializer of its own.

    Args:
        names: of the initializers.
        seed: of the first block; each draws other numbers.
    """

    def __init__(self, names, seed=None):
        self.names, self.seed = tuple(names), seed

    def __call__(self, shape, dtype=None):
        if shape[-1] % len(self.names):
            raise CellError(
                f"a weight of {shape[-1]} columns has no {len(self.names)} equal blocks: expected as many initializers "
                f"as divide them, not {', '.join(self.names)}"
            )
        block = (*shape[:-1], shape[-1] // len(self.names))
        seeds = [None if self.seed is None else self.seed + number for number in range(len(self.names))]
        values = [
            make_initializer(name, seed)(block, dtype=dtype) for name, seed in zip(self.names, seeds, strict=True)
        ]
        return keras.ops.concatenate(values, axis=-1)

    def get_config(self):
        return {"names": list(self.names), "seed": self.seed}


class Drawn(keras.initializers.Initializer):
    """Numbers that a function draws.

    Args:
        draw: a function of a numpy generator of random numbers and a shape.
        seed: of the generator; None for other numbers each time, which `keras.utils.set_random_seed` determines.
    """

    def __init__(self, draw, seed=None):
        self.draw, self.seed = draw, seed

    def __call__(self, shape, dtype=None):
        seed = random.getrandbits(64) if self.seed is None else self.seed
        drawn = np.asarray(self.draw(np.random.default_rng(seed), shape))
        if drawn.shape != tuple(shape):
            raise CellError(f"an initializer draws numbers of the shape {drawn.shape}: expected {tuple(shape)}")
        return keras.ops.convert_to_tensor(drawn, dtype=dtype)
