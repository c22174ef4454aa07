"""The Mogrifier LSTM (Melis, Kočiský & Blunsom 2020, "Mogrifier LSTM", arXiv 1909.01792)."""

from shakegen.cells.cell import Weight, option
from shakegen.cells.graph import Names
from shakegen.cells.lstm import LSTM
from shakegen.cells.operations import sigmoid


class Mogrifier(LSTM):
    """Before the step of an LSTM, x and h gate each other in turns: x = 2σ(h Q) ⊙ x, then h = 2σ(x R) ⊙ h, and so on.

    With no rounds it is the LSTM. Each round has its own matrix, as in the paper; with `rank` it is a product of two
    narrow ones. The paper's networks read embeddings. So should networks of many symbols here, for x itself is gated.
    """

    name, layer = "mogrifier", "shakegen.layers:MogrifierLSTM"

    rounds: int = option(5, least=0, most=32, help="Rounds in which x and h gate each other.")
    rank: int = option(0, least=0, help="Rank of the matrices of the rounds; 0: full.")

    def weights(self, inputs):
        sizes = ((self.units, inputs), (inputs, self.units))  # of odd rounds, which gate x, and of even ones
        rounds: dict[str, Weight] = {}
        for number in range(self.rounds):
            rows, columns = sizes[number % 2]
            if self.rank:
                rounds[f"down_{number + 1}"] = Weight((rows, self.rank))
                rounds[f"up_{number + 1}"] = Weight((self.rank, columns))
            else:
                rounds[f"round_{number + 1}"] = Weight((rows, columns))
        return {**super().weights(inputs), **rounds}

    def step(self, x, s, w):
        h = s.h
        for number in range(1, self.rounds + 1):
            source = h if number % 2 else x
            gate = source @ w[f"down_{number}"] @ w[f"up_{number}"] if self.rank else source @ w[f"round_{number}"]
            gate = 2 * sigmoid(gate)
            x, h = (gate * x, h) if number % 2 else (x, gate * h)
        return super().step(x, Names({**vars(s), "h": h}), w)
