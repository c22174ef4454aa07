"""The state of a network in training, as arrays by path, and back."""

import hashlib
import itertools
import re
import sys
from collections.abc import Mapping

import keras
import numpy as np

from shakegen.cells.plan import plan
from shakegen.layers.recurrence import count_parts
from shakegen.model.base import Model
from shakegen.model.model_file import ModelFileError, Training
from shakegen.network.config import Config
from shakegen.streams import show
from shakegen.training.learner import Learner
from shakegen.training.workers.replicas import Replicas


def variables(network: keras.Model, states: Mapping[str, list] | None = None) -> dict[str, keras.Variable]:
    """Everything that training changes in a compiled network, and in its carried states, by path.

    - `weights/layer1/kernel`: a weight, by its path in Keras: mostly its name in `Config.weight_shapes`, but those of
      blocks have layers of their own, as in `weights/layer1_norm/gamma`.
    - `optimizer/layer1/kernel/momentum`: a slot of the optimizer, or an average; `optimizer/iteration`: a number of it.
    - `random/layer1/seed_generator_state`: the state of a layer's random number generator.
    - `states/layer1/0`: a state that a layer carries from batch to batch.

    Keras's Adafactor names some slots `kernel` for all layers: where a name comes again, it gets a number.
    """
    weights, named = {id(weight) for weight in network.weights}, {}

    def add(name: str, variable: keras.Variable) -> None:
        names = (f"{name}_{number}" if number else name for number in itertools.count())
        named[next(free for free in names if free not in named)] = variable

    for weight in network.weights:
        add(f"weights/{weight_name(weight)}", weight)
    for slot in network.optimizer.variables:
        add(f"optimizer/{slot_name(slot, network.weights)}", slot)
    for layer in network.layers:
        for variable in layer.variables:
            if id(variable) not in weights:
                add(f"random/{layer.name}/{variable.name}", variable)
    for layer, own in (states or {}).items():
        named |= {f"states/{layer}/{number}": state for number, state in enumerate(own)}
    return named


def weight_name(weight: keras.Variable) -> str:
    """`layer1/kernel` for Keras's path `layer1/gru_cell/kernel`."""
    layer, *_, name = weight.path.split("/")
    return f"{layer}/{name}"


def slot_name(slot: keras.Variable, weights: list[keras.Variable]) -> str:
    """`layer1/kernel/momentum` for Keras's `adam/layer1_gru_cell_kernel_momentum`; else the name without a number."""
    name = slot.path.rpartition("/")[2]
    owners = [weight for weight in weights if name.startswith(weight.path.replace("/", "_") + "_")]
    if not owners:
        return re.sub(r"_\d+$", "", name)  # Keras counts the variables of a process that have no name
    owner = max(owners, key=lambda weight: len(weight.path))
    return f"{weight_name(owner)}/{name[len(owner.path) + 1 :]}"


def has_rows(name: str) -> bool:
    """Whether a variable has a row for each of a batch."""
    return name.startswith("states/")


def gather_states(learner: Learner) -> dict[str, np.ndarray]:
    """The carried states, (N, ...), from all replicas; all workers must call this."""
    own = variables(learner.network, learner.states)
    return {name: learner.replicas.gather(state) for name, state in own.items() if has_rows(name)}


def capture(learner: Learner) -> dict[str, np.ndarray]:
    """The values of `variables`: those of the first replica, and the states of all; only the chief calls this."""
    own = variables(learner.network, learner.states)
    values = {name: keras.ops.convert_to_numpy(variable).copy() for name, variable in own.items()}
    if learner.states:
        learner.strategy.order("gather")
        values |= gather_states(learner)
    return values


def count_all_parts(replicas: Replicas, config: Config) -> int:
    """The number of parts that a run computes each batch in; layers above the first have as many loops."""
    return replicas.count * count_parts(replicas.width, plan(config.make_cell(), config.units))


def digest_model(model: Model | None) -> str | None:
    """A sha256 of a model's weights, and of where its training run stands."""
    if model is None:
        return None
    arrays, sha256 = {**model.weights, **(model.training.arrays if model.training else {})}, hashlib.sha256()
    for name in sorted(arrays):
        sha256.update(name.encode())
        sha256.update(np.ascontiguousarray(arrays[name]))
    return sha256.hexdigest()


def restore(learner: Learner, training: Training, config: Config) -> None:
    """Give a network and its states the values that `capture` got from others like them, on any number of replicas.

    If the number of parts of a batch, or of replicas, differs, a warning says that the run is not the same bit for bit.

    Raises:
        ModelFileError: the arrays are not of this network and optimizer.
    """
    network, replicas, arrays = learner.network, learner.replicas, training.arrays
    own, rows = variables(network, learner.states), replicas.whole.batch_size
    described = {
        name: ((rows, *variable.shape[1:]) if has_rows(name) else variable.shape, variable.dtype)
        for name, variable in own.items()
    }
    if described != {name: (array.shape, array.dtype.name) for name, array in arrays.items()}:
        raise ModelFileError(
            "the training run to resume is not of this network and optimizer: the file may be damaged, or come from "
            "another version of shakegen or Keras; start a new run without `resume`"
        )
    for name, variable in own.items():
        if has_rows(name):
            replicas.deal(variable, arrays[name])
        else:
            variable.assign(arrays[name])
    draw_apart(network, replicas)
    for key, title, now in (
        ("parts", "parts that a batch is computed in", count_all_parts(replicas, config)),
        ("replicas", "copies of the network", replicas.count),  # which may compute as many parts as others did
    ):
        before = training.state.get(key)
        if type(before) is int and before != now and replicas.strategy.chief:
            show(f"Warning: {title}: {before} before, {now} now. The run goes on, but not bit for bit.", sys.stderr)
            break


def draw_apart(network: keras.Model, replicas: Replicas) -> None:
    """Let every replica have random numbers of its own."""
    for name, variable in variables(network).items():
        if name.startswith("random/"):
            replicas.draw_apart(variable)
