"""A recurrent unit of one's own: the update gate RNN (Collins, Sohl-Dickstein & Sussillo 2017, arXiv 1611.09913).

shakegen train sonnets --cell ugrnn:UGRNN           # in this folder
SHAKEGEN_CELLS=ugrnn:UGRNN shakegen sample --seed "shall i"
"""

from shakegen.cells import Cell, sigmoid, split, tanh


class UGRNN(Cell):
    """g = σ(x W + h U + b), c = tanh(x W + h U + b), h = g ⊙ h + (1 - g) ⊙ c."""

    name, gates = "ugrnn", ("g", "c")

    def step(self, x, s, w):
        g, c = split(x @ w.kernel + s.h @ w.recurrent_kernel + w.bias, 2)
        g, c = sigmoid(g), tanh(c)
        return {"h": g * s.h + (1 - g) * c, "g": g, "c": c}
