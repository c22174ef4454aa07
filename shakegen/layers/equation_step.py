"""A Keras cell whose step comes from the equations of a record, with its layer normalisation and zoneout."""

import functools
import re

import keras
import numpy as np
from keras import ops

from shakegen.cells import Weight
from shakegen.cells.graph import trace, trace_training, zoned_states
from shakegen.cells.program import Program
from shakegen.layers.initializers import draws, initializer_of
from shakegen.layers.operations import KERAS

ROLES = ("kernel", "recurrent", "bias")  # of weights: each has its arguments in Keras
PLAIN = re.compile(r"(kernel|recurrent_kernel|bias)(_\d+)?")  # the weights that initializers are for


def to_plain(value):
    """A number of numpy as one of Python, which configurations hold."""
    return value.item() if isinstance(value, np.generic) else value


class EquationStep:
    """Gives a Keras cell the weights and the step of its `record`, a `cells.Cell`. Name it before the Keras class.

    Behind the inputs of a step there may be the masks of a step in training, side by side, as
    `cells.graph.trace_training` has them; `draw_masks` draws them for whole sequences.

    Call arguments:
        inputs: tensor (batch, inputs), or (batch, inputs + masks).
        states: list of tensors (batch, units), h first.

    Returns:
        The output h, (batch, units), and the list of new states.
    """

    def build(self, input_shape):
        super().build(input_shape)
        self._inputs = input_shape[-1]
        present = {variable.name for variable in self.weights}
        for number, (name, weight) in enumerate(self.record.weights(self._inputs).items()):
            role = role_of(name, weight)
            if name not in present and (role != "bias" or getattr(self, "use_bias", True)):
                variable = self.add_weight(
                    name=name,
                    shape=weight.shape,
                    initializer=self._find_initializer(name, weight, number),
                    regularizer=getattr(self, f"{role}_regularizer", None),
                    constraint=getattr(self, f"{role}_constraint", None),
                )
                setattr(self, f"weight_{name}", variable)  # checkpoints of TensorFlow find weights by attributes

    def _find_initializer(self, name, weight, number):
        given = getattr(self, f"{role_of(name, weight)}_initializer") if PLAIN.fullmatch(name) else None
        if draws(given):
            given = given.clone()  # one instance would draw the same numbers for every level
        return given or initializer_of(weight, None if self.seed is None else self.seed + 10 * number)

    def call(self, inputs, states, training=False):
        names = self.record.state_names
        if len(states) != len(names):
            kind = f"{self.record.name} has {len(names)} states ({', '.join(names)})"
            raise ValueError(f"A {kind}. Received: {len(states)} states")
        masked = training and (0 < self.recurrent_dropout < 1 or self.record.zoneout)
        masks = (inputs.shape[-1] - self._inputs) // self.units if masked else 0
        program, known = make_program(self.record, self._inputs, masks)
        given = [inputs, *states, *weights_by_name(self).values()]
        if masks:
            given[0] = inputs[..., : self._inputs]
            given += ops.split(inputs[..., self._inputs :], masks, axis=-1)
        states = program(dict(zip(known, given, strict=True)))
        return states[0], states

    def get_dropout_mask(self, inputs):
        """The factors of inputs (N, ·) of sequences in training."""
        return keras.random.dropout(ops.ones_like(inputs), self.dropout, seed=self.seed_generator)

    def draw_masks(self, sequences):
        """The masks of all steps of sequences (N, T, inputs), side by side, (N, T, ·); None if there are none.

        The mask of h is one for each sequence, divided by the share that stays; those of zoneout are new in every step.
        """
        (batch, steps), dtype = ops.shape(sequences)[:2], keras.backend.standardize_dtype(sequences.dtype)
        masks, rate = [], self.recurrent_dropout
        if 0 < rate < 1:
            ones = ops.ones((batch, 1, self.units), dtype)
            masks.append(ops.repeat(keras.random.dropout(ones, rate, seed=self.seed_generator), steps, axis=1))
        if self.record.zoneout:
            width = self.units * len(zoned_states(self.record))
            drawn = keras.random.uniform((batch, steps, width), dtype="float32", seed=self.seed_generator)
            masks.append(ops.cast(drawn >= self.record.zoneout, dtype))
        return ops.concatenate(masks, axis=-1) if masks else None


@functools.lru_cache(maxsize=256)
def make_program(cell, inputs: int, masks: int) -> tuple[Program, list]:
    """A cell's step, in training if there are masks; and its symbols in the order inputs, states, weights, masks."""
    drop_h = masks > (len(zoned_states(cell)) if cell.zoneout else 0)
    graph = trace_training(cell, inputs, drop_h) if masks else trace(cell, inputs)
    known = [graph.x, *graph.states.values(), *graph.weights.values(), *graph.masks]
    return Program(graph.after.values(), known, table=KERAS), known


def dtype_of_steps(dtype):
    """The dtype of a cell in a layer of a dtype or policy: that of the variables, so 32 bits in mixed precision.

    In 16 bits a memory that fades by less than a hundredth in a step would not fade at all. A map of policies stays.
    """
    policy = keras.dtype_policies.get(dtype)
    return policy if isinstance(policy, keras.dtype_policies.DTypePolicyMap) else policy.variable_dtype


def weights_by_name(cell, record=None, dtype=None) -> dict:
    """The weights of a Keras cell by the names of its record, by default in its dtype; missing biases are zeros."""
    dtype = dtype or cell.compute_dtype
    present = {variable.name: ops.cast(variable, dtype) for variable in cell.weights}
    weights = (cell.record if record is None else record).weights(1).items()
    return {name: present[name] if name in present else ops.zeros(weight.shape, dtype) for name, weight in weights}


def role_of(name: str, weight: Weight) -> str:
    """Whose arguments hold for a weight: "kernel", "recurrent" or "bias"; "" for other vectors."""
    plain = PLAIN.fullmatch(name)
    return plain[1].removesuffix("_kernel") if plain else "kernel" if len(weight.shape) == 2 else ""
