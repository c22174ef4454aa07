"""The LSTM (Hochreiter & Schmidhuber 1997), with a forget gate (Gers, Schmidhuber & Cummins 2000)."""

from shakegen.cells.cell import Cell, OnnxNode, Weight, option
from shakegen.cells.operations import activate, normalise


class LSTM(Cell):
    """i, f, o = σ(x W + h U + b), g = tanh(x W + h U + b), c = f ⊙ c + i ⊙ g, h = o ⊙ tanh(c).

    With `layer_norm`, x W, h U and the c in tanh(c) are normalised over their width and scaled, and this c is shifted
    (Ba, Kiros & Hinton 2016, "Layer Normalization", arXiv 1607.06450, supplementary material).
    """

    name, gates, layer = "lstm", ("i", "f", "g", "o"), "shakegen.layers:LSTM"

    layer_norm: bool = option(False, help="Normalise products with weights over their width.")
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"

    @property
    def state_names(self):
        return ("h", "c")

    def weights(self, inputs):
        starts = ("zeros", "ones", "zeros", "zeros")  # an open forget gate (Jozefowicz et al. 2015)
        weights = {**super().weights(inputs), "bias": Weight((4 * self.units,), starts)}
        if self.layer_norm:
            scales = dict.fromkeys(("kernel_scale", "recurrent_scale"), Weight((4 * self.units,), "ones"))
            memory = {"memory_scale": Weight((self.units,), "ones"), "memory_shift": Weight((self.units,), "zeros")}
            weights |= {**scales, **memory}
        return weights

    def onnx_node(self):
        activations = [self.recurrent_activation, self.activation, self.activation]
        return None if self.layer_norm else OnnxNode("LSTM", "iofg", activations)

    def step(self, x, s, w):
        sigma = self.recurrent_activation
        z_x, z_h = x @ w.kernel, s.h @ w.recurrent_kernel
        if self.layer_norm:
            z_x, z_h = normalise(z_x) * w.kernel_scale, normalise(z_h) * w.recurrent_scale
        i, f, g, o = activate(z_x + w.bias + z_h, sigma, sigma, self.activation, sigma)
        c = f * s.c + i * g
        (a,) = activate(normalise(c) * w.memory_scale + w.memory_shift if self.layer_norm else c, self.activation)
        return {"h": o * a, "c": c, "i": i, "f": f, "g": g, "o": o}
