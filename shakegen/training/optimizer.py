"""From a recipe to an optimizer of Keras."""

import keras

from shakegen.training.recipe import Recipe


class WarmingMomentum(keras.Variable):
    """The momentum of an average of the weights, less at first: a run's first weights are not worth remembering.

    After n steps it is (1 + n) / (10 + n), as in `tf.train.ExponentialMovingAverage`, up to what was asked for.
    """

    def __init__(self, most: float):
        super().__init__(most, trainable=False, dtype="float32", name="momentum")
        self.most = most

    def after(self, steps: int) -> None:
        """Set it to what it is after so many steps."""
        self.assign(min(self.most, (1 + steps) / (10 + steps)))


def make_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe.

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
        optimizer.ema_momentum = WarmingMomentum(recipe.average_weights)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer
