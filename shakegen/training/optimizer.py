"""From a recipe to an optimizer of Keras."""

import keras

from shakegen.training.recipe import Recipe


def make_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe.

    Its momentum of averaged weights, if any, is a variable that `Learner` sets at each step.

    Raises:
        ValueError: Keras has none of that name.
    """
    options = {"learning_rate": recipe.learning_rate}
    options |= {"clipvalue": recipe.clip_value} if recipe.clip_value else {"global_clipnorm": recipe.clip_norm}
    if recipe.weight_decay is not None:
        options["weight_decay"] = recipe.weight_decay
    if recipe.average_weights:
        options |= {"use_ema": True, "ema_momentum": recipe.average_weights}
    try:
        optimizer = keras.optimizers.get({"class_name": recipe.optimizer, "config": options})
    except (KeyError, TypeError, ValueError):
        optimizer = None
    if optimizer is None or type(optimizer) is keras.optimizers.Optimizer:
        raise ValueError(
            f"there is no optimizer {recipe.optimizer!r}: expected one of Keras's, such as adam, adamw, rmsprop or sgd"
        )
    if recipe.average_weights:
        momentum = keras.Variable(recipe.average_weights, trainable=False, dtype="float32", name="momentum")
        optimizer.ema_momentum = momentum
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer
