"""Training the read-out alone: ridge regression from the states of a network whose other weights stay (Jaeger 2001)."""

import numpy as np

from shakegen.lab.problems import mean_squared_error

PENALTIES = tuple(10.0**power for power in range(-9, 2))


def ridge(features: np.ndarray, targets: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """The W and b with the least mean of |x W + b - y|² + penalty · |W|² (Hoerl & Kennard 1970).

    Args:
        features: x, (examples, F).
        targets: y, (examples, K).
        penalty: above 0, or 0 where the features are not collinear.

    Returns:
        W, (F, K), and b, (K,).
    """
    x, y = (np.asarray(values, float) for values in (features, targets))
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    x, y = x - mean_x, y - mean_y
    W = np.linalg.solve(x.T @ x / len(x) + penalty * np.eye(x.shape[1]), x.T @ y / len(x))
    return W, mean_y - mean_x @ W


def best_ridge(features: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`ridge` with the best of the `PENALTIES`: fitted on three quarters of the examples, it predicts the rest best."""
    held = max(1, len(features) // 4)

    def held_out_error(penalty):
        W, b = ridge(features[held:], targets[held:], penalty)
        return mean_squared_error(features[:held] @ W + b, targets[:held])

    return ridge(features, targets, min(PENALTIES, key=held_out_error))


def fit_read_out(network, inputs: np.ndarray, targets: np.ndarray) -> None:
    """Fit the read-out of a network of `fitting.sequence_network` by ridge regression.

    Args:
        network: its last layer is the read-out.
        inputs: (N, T, ·).
        targets: numbers (N, steps read out, K), or classes (N, steps read out), which are learned one-hot.
    """
    import keras

    dense = network.layers[-1]
    states = keras.Model(network.input, dense.input).predict_on_batch(inputs)
    if targets.ndim == 2:
        targets = np.eye(dense.units)[targets]
    W, b = best_ridge(states.reshape(-1, states.shape[-1]), targets.reshape(-1, dense.units))
    dense.kernel.assign(W)
    dense.bias.assign(b)
