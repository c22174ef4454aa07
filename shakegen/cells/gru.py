"""The gated recurrent unit (Cho et al. 2014, https://arxiv.org/abs/1406.1078)."""

from types import MappingProxyType

import numpy as np

from shakegen.cells.cell import Cell, Weight, option
from shakegen.cells.numpy_step import constant, pad_product, product_of
from shakegen.cells.operations import activate, normalise, rows, split


class GRU(Cell):
    """z, r = σ(x W + h U + b), g = tanh(x W + r ⊙ (h U + b)), h = z ⊙ h + (1 - z) ⊙ g, with a bias for x and one for h.

    As first published, with reset_after=False, g = tanh(x W + (r ⊙ h) U + b), with one bias. With `layer_norm`, all
    products are normalised over their width and scaled, those of the gates together and those of the candidate by
    themselves (Ba, Kiros & Hinton 2016, "Layer Normalization", arXiv 1607.06450, supplementary material).
    """

    name, gates, layer = "gru", ("z", "r", "g"), "shakegen.layers:GRU"
    study = MappingProxyType({"reset_after": False})

    reset_after: bool = option(
        True, flag="--reset-after/--reset-before", help="Reset after the recurrent product, as cuDNN has it, or before."
    )
    layer_norm: bool = option(False, help="Normalise pre-activations over the units.")
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"

    def weights(self, inputs):
        gates = 3 * self.units
        weights = {**super().weights(inputs), "bias": Weight((2, gates) if self.reset_after else (gates,), "zeros")}
        if self.layer_norm:
            weights |= dict.fromkeys(("kernel_scale", "recurrent_scale"), Weight((gates,), "ones"))
        return weights

    def step(self, x, s, w):
        widths = [2 * self.units, self.units]  # of the gates, and of the candidate
        none = (None, None)
        x_scales, h_scales = (
            split(w[name], widths) if self.layer_norm else none for name in ("kernel_scale", "recurrent_scale")
        )
        biases = [split(bias, widths) for bias in (rows(w.bias) if self.reset_after else [w.bias])]
        x_gates, x_candidate = map(scale_and_shift, split(x @ w.kernel, widths), x_scales, biases[0])
        if self.reset_after:
            products = split(s.h @ w.recurrent_kernel, widths)
            h_gates, h_candidate = map(scale_and_shift, products, h_scales, biases[1])
        else:
            U_gates, U_candidate = split(w.recurrent_kernel, widths)
            h_gates = scale_and_shift(s.h @ U_gates, h_scales[0])
        z, r = activate(x_gates + h_gates, self.recurrent_activation, self.recurrent_activation)
        reset = r * h_candidate if self.reset_after else scale_and_shift((r * s.h) @ U_candidate, h_scales[1])
        (g,) = activate(x_candidate + reset, self.activation)
        return {"h": g + z * (s.h - g), "z": z, "r": r, "g": g}

    def numpy_step(self, weights, inputs):
        if self.layer_norm:
            return super().numpy_step(weights, inputs)
        return GRUStep(self, weights) if self.reset_after else GRUResetBeforeStep(self, weights)


def scale_and_shift(products, scale, bias=None):
    """Products, normalised if there is a scale, plus a bias if there is one."""
    products = products if scale is None else normalise(products) * scale
    return products if bias is None else products + bias


class GRUStep:
    """h = z ⊙ h + (1 - z) ⊙ tanh(x W + r ⊙ (h U + b)) (Cho et al. 2014; the reset gate after the product)."""

    output_scale = 1.0

    def __init__(self, cell, weights):
        halves = np.repeat(np.array([0.5, 0.5, 1], weights["kernel"].dtype), len(weights["recurrent_kernel"]))
        self.kernel, self.input_bias = weights["kernel"] * halves, weights["bias"][0] * halves
        self.recurrent_kernel, self.recurrent_bias = weights["recurrent_kernel"] / 2, weights["bias"][1] / 2
        self.initial_memory = weights.get("initial_state_0", np.zeros_like(self.recurrent_kernel[:, 0]))

    def bind(self, recurrent, memory, h):
        units, one, half = memory.shape[-1], constant(1, h), constant(0.5, h)
        gates, inner = recurrent[..., : 2 * units], recurrent[..., 2 * units :]
        z, r = gates[..., :units], gates[..., units:]
        add, multiply, subtract, tanh, copyto = np.add, np.multiply, np.subtract, np.tanh, np.copyto

        def advance(x):
            add(gates, x[..., : 2 * units], gates)
            tanh(gates, gates)
            add(gates, one, gates)
            multiply(r, inner, inner)
            add(inner, x[..., 2 * units :], inner)
            tanh(inner, inner)
            subtract(memory, inner, memory)
            multiply(memory, z, memory)
            multiply(memory, half, memory)
            add(memory, inner, memory)
            copyto(h, memory)

        return advance, {"z": (z, 0.5), "r": (r, 0.5), "g": (inner, 1), "h": (h, 1)}


class GRUResetBeforeStep:
    """h = z ⊙ h + (1 - z) ⊙ tanh(x W + (r ⊙ h) U + b) (Cho et al. 2014; the reset gate before the product)."""

    output_scale = 1.0

    def __init__(self, cell, weights):
        units = len(weights["recurrent_kernel"])
        halves = np.repeat(np.array([0.5, 0.5, 1], weights["kernel"].dtype), units)
        self.kernel, self.input_bias = weights["kernel"] * halves, weights["bias"] * halves
        self.recurrent_kernel = weights["recurrent_kernel"][:, : 2 * units] / 2
        self.recurrent_bias = np.zeros_like(self.recurrent_kernel[0])
        self.candidate_kernel = pad_product(weights["recurrent_kernel"][:, 2 * units :] / 2)
        self.initial_memory = weights.get("initial_state_0", np.zeros_like(self.recurrent_bias[:units]))

    def bind(self, recurrent, memory, h):
        units, one, half = memory.shape[-1], constant(1, h), constant(0.5, h)
        z, r = recurrent[..., :units], recurrent[..., units:]
        factor, product = (np.ones((*memory.shape[:-1], width), h.dtype) for width in self.candidate_kernel.shape)
        kept, candidate = factor[..., :units], product[..., :units]
        add, multiply, subtract, tanh, copyto = np.add, np.multiply, np.subtract, np.tanh, np.copyto
        matmul, candidate_kernel = product_of(h), self.candidate_kernel

        def advance(x):
            add(recurrent, x[..., : 2 * units], recurrent)
            tanh(recurrent, recurrent)
            add(recurrent, one, recurrent)
            multiply(r, memory, kept)
            matmul(factor, candidate_kernel, product)
            add(candidate, x[..., 2 * units :], candidate)
            tanh(candidate, candidate)
            subtract(memory, candidate, memory)
            multiply(memory, z, memory)
            multiply(memory, half, memory)
            add(memory, candidate, memory)
            copyto(h, memory)

        return advance, {"z": (z, 0.5), "r": (r, 0.5), "g": (candidate, 1), "h": (h, 1)}
