"""Recurrent matrices to start from, as plain arrays. Only numpy."""

import numpy as np

from shakegen.lab import check

CONNECTIONS = 15  # of a unit of an echo-state network with others, as in Sutskever et al. 2013, §3.1


def glorot(random: np.random.Generator, units: int) -> np.ndarray:
    """Uniform, with variance 1 / units (Glorot & Bengio 2010, equation 16)."""
    return random.uniform(-1, 1, (units, units)) * np.sqrt(3 / units)


def orthogonal(random: np.random.Generator, units: int) -> np.ndarray:
    """A random rotation or reflection: it keeps the length of every vector (Saxe et al. 2014)."""
    q, r = np.linalg.qr(random.normal(size=(units, units)))
    return q * np.sign(np.diag(r))  # without the signs not all directions would be equally likely


def identity(random: np.random.Generator, units: int) -> np.ndarray:
    """A unit listens to itself alone (Le, Jaitly & Hinton 2015)."""
    return np.eye(units)


def echo_state(random: np.random.Generator, units: int, spectral_radius: float = 0.95) -> np.ndarray:
    """Sparse and random, scaled to a spectral radius (Jaeger 2001): below 1, the past fades, but slowly.

    Args:
        random: draws it.
        units: H.
        spectral_radius: the largest absolute value of the matrix's eigenvalues.

    Returns:
        Shape (H, H), every unit with `CONNECTIONS` inputs, or H where that is less.

    Raises:
        ValueError: the spectral radius is not above 0.
    """
    check.require_positive(spectral_radius=spectral_radius)
    matrix, inputs = np.zeros((units, units)), min(units, CONNECTIONS)
    for unit in range(units):
        matrix[random.choice(units, inputs, replace=False), unit] = random.normal(size=inputs)
    return matrix * (spectral_radius / np.abs(np.linalg.eigvals(matrix)).max())


MATRICES = {"glorot": glorot, "orthogonal": orthogonal, "identity": identity, "echo-state": echo_state}


def recurrent_kernel(name: str, random: np.random.Generator, shape: tuple[int, int], **settings) -> np.ndarray:
    """A recurrent kernel, (H, gates · H): each gate's block is a matrix of its own.

    Raises:
        ValueError: a setting is out of range.
    """
    units, width = shape
    blocks = [MATRICES[name](random, units, **settings) for _ in range(width // units)]
    return np.concatenate(blocks, axis=1).astype(np.float32)
