"""The gated recurrent unit (Cho et al. 2014, https://arxiv.org/abs/1406.1078)."""

from types import MappingProxyType

from shakegen.cells.cell import Cell, OnnxNode, Weight, option
from shakegen.cells.operations import activate, normalise, rows, split


class GRU(Cell):
    """z, r = σ(x W + h U + b), g = tanh(x W + r ⊙ (h U + b)), h = z ⊙ h + (1 - z) ⊙ g, with a bias for x and one for h.

    As first published, with reset_after=False, g = tanh(x W + (r ⊙ h) U + b), with one bias. With `layer_norm`, all
    products are normalised over their width and scaled, those of the gates together and those of the candidate by
    themselves (Ba, Kiros & Hinton 2016, "Layer Normalization", arXiv 1607.06450, supplementary material).
    """

    name, gates, layer = "gru", ("z", "r", "g"), "shakegen.layers:GRU"
    study, study_bias = MappingProxyType({"reset_after": False}), ("ones", "ones", "zeros")  # of TensorFlow 1

    reset_after: bool = option(
        True, flag="--reset-after/--reset-before", help="Reset after the recurrent product, as cuDNN has it, or before."
    )
    layer_norm: bool = option(False, help="Normalise products with weights over their width.")
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"

    def weights(self, inputs):
        gates = 3 * self.units
        weights = {**super().weights(inputs), "bias": Weight((2, gates) if self.reset_after else (gates,), "zeros")}
        if self.layer_norm:
            weights |= dict.fromkeys(("kernel_scale", "recurrent_scale"), Weight((gates,), "ones"))
        return weights

    def onnx_node(self):
        activations, more = [self.recurrent_activation, self.activation], {"linear_before_reset": int(self.reset_after)}
        return None if self.layer_norm else OnnxNode("GRU", "zrg", activations, more)

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


def scale_and_shift(products, scale, bias=None):
    """Products, normalised if there is a scale, plus a bias if there is one."""
    products = products if scale is None else normalise(products) * scale
    return products if bias is None else products + bias
