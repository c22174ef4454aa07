"""From a recipe to an optimizer of Keras."""

from collections.abc import Iterable

import keras

from shakegen.training.recipe import Recipe


def make_optimizer(recipe: Recipe, weights: Iterable[keras.Variable] = ()) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe, for weights of which vectors, such as biases and scales, are not to decay.

    Its momentum of averaged weights, if any, is a variable that `Learner` sets at each step.

    Raises:
        ValueError: Keras has none of that name, or it has no epsilon.
    """
    options = {"learning_rate": recipe.learning_rate}
    options |= {"clipvalue": recipe.clip_value} if recipe.clip_value else {"global_clipnorm": recipe.clip_norm}
    if recipe.weight_decay is not None:
        options["weight_decay"] = recipe.weight_decay
    if recipe.average_weights:
        options |= {"use_ema": True, "ema_momentum": recipe.average_weights}
    usual = keras.config.floatx()
    keras.config.set_floatx("float32")  # in fewer bits, a learning rate would not be as it was set
    try:
        optimizer = keras.optimizers.get({"class_name": recipe.optimizer, "config": options})
    except (KeyError, TypeError, ValueError):
        optimizer = None
    finally:
        keras.config.set_floatx(usual)
    if optimizer is None or type(optimizer) is keras.optimizers.Optimizer:
        raise ValueError(
            f"there is no optimizer {recipe.optimizer!r}: expected one of Keras's, such as adam, adamw, rmsprop or sgd"
        )
    if recipe.epsilon is not None:
        if not hasattr(optimizer, "epsilon"):
            raise ValueError(f"the optimizer {recipe.optimizer} has no epsilon: leave it out")
        optimizer.epsilon = recipe.epsilon
    if recipe.average_weights:
        momentum = keras.Variable(recipe.average_weights, trainable=False, dtype="float32", name="momentum")
        save_as_number(optimizer, momentum, recipe.average_weights)
    vectors = [weight for weight in weights if len(weight.shape) < 2]
    optimizer.exclude_from_weight_decay(vectors, var_names=["bias"])  # some biases have a row for each of two products
    return optimizer


def save_as_number(optimizer: keras.optimizers.Optimizer, momentum: keras.Variable, value: float) -> None:
    """Let an optimizer average weights with a variable momentum, and save itself with a number in its place."""
    describe = optimizer.get_config

    def save_own_variables(store) -> None:
        slots = (variable for variable in optimizer.variables if variable is not momentum)
        for number, slot in enumerate(slots):
            store[str(number)] = keras.ops.convert_to_numpy(slot)

    optimizer.ema_momentum = momentum
    optimizer.get_config = lambda: describe() | {"ema_momentum": value}
    optimizer.save_own_variables = save_own_variables
