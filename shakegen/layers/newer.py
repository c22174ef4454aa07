"""Keras layers of the units since 2017, each made from the equations of its file in `shakegen/cells`."""

import keras

from shakegen import cells
from shakegen.layers.cell_layer import CellLayer

register = keras.saving.register_keras_serializable(package="shakegen")


@register
class UGRNN(CellLayer):
    """g = σ(x W + h U + b), c = tanh(x W + h U + b), h = g ⊙ h + (1 - g) ⊙ c.

    Collins, Sohl-Dickstein & Sussillo 2017, "Capacity and Trainability in Recurrent Neural Networks",
    https://arxiv.org/abs/1611.09913. Arguments, calls and errors are those of `CellLayer`.

    Example:

        layer = UGRNN(64, return_sequences=True)
    """

    kind = cells.UGRNN


@register
class MogrifierLSTM(CellLayer):
    """An LSTM before whose step x and h gate each other in turns: x = 2σ(h Q) ⊙ x, h = 2σ(x R) ⊙ h, and so on.

    Melis, Kočiský & Blunsom 2020, "Mogrifier LSTM", https://arxiv.org/abs/1909.01792.

    Args:
        rounds: how many times they gate each other; 0 gives the LSTM.
        rank: of the rounds' matrices, each a product of two; 0: full.
        All others, calls and errors are those of `CellLayer`.

    Example:

        layer = MogrifierLSTM(64, rounds=3, rank=16)
    """

    kind = cells.Mogrifier


@register
class RGLRU(CellLayer):
    """r, i = σ(x W + b), a = exp(-8 softplus(Λ) ⊙ r), h = a ⊙ h + √(1 - a²) ⊙ (i ⊙ (x W)).

    De, Smith, Fernando et al. 2024, "Griffin", https://arxiv.org/abs/2402.19427: the recurrence of its block, without
    the convolution and the gated branch. Arguments, calls and errors are those of `CellLayer`.

    Example:

        layer = RGLRU(64, return_sequences=True)
    """

    kind = cells.RGLRU


@register
class SLSTM(CellLayer):
    """An LSTM with an exponential input gate, a normaliser n and a stabiliser m beside c; h = o ⊙ c / n.

    Beck, Pöppel, Spanring et al. 2024, "xLSTM: Extended Long Short-Term Memory", https://arxiv.org/abs/2405.04517: the
    cell with one head, without the convolution, the norms and the projections of its block.

    Args:
        forget: the activation of the forget gate, "sigmoid" or "exp".
        All others, calls and errors are those of `CellLayer`.

    Example:

        layer = SLSTM(64, return_sequences=True)
    """

    kind = cells.SLSTM


@register
class MinGRU(CellLayer):
    """z = σ(x W + b), h = (1 - z) ⊙ h + z ⊙ (x W + b): a GRU whose gate and candidate do not read h.

    Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024, "Were RNNs All We Needed?", https://arxiv.org/abs/2410.01201: the
    recurrence, without the convolution and the perceptron of its block.

    Args:
        positive: whether the candidate is made positive, as in the paper's form in log space.
        All others, calls and errors are those of `CellLayer`.

    Example:

        layer = MinGRU(64, return_sequences=True)
    """

    kind = cells.MinGRU


@register
class MinLSTM(CellLayer):
    """f, i = σ(x W + b), each divided by their sum, h = f ⊙ h + i ⊙ (x W + b): an LSTM whose gates do not read h.

    Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024, "Were RNNs All We Needed?", https://arxiv.org/abs/2410.01201: the
    recurrence, without the convolution and the perceptron of its block.

    Args:
        positive: whether the candidate is made positive, as in the paper's form in log space.
        All others, calls and errors are those of `CellLayer`.

    Example:

        layer = MinLSTM(64, return_sequences=True)
    """

    kind = cells.MinLSTM
