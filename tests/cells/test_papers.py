"""The newer cells against their papers: steps in plain numpy, forms that are equal to them, known limits."""

import numpy as np
import pytest
from steps import INPUTS, H, draw_weights, run

from shakegen import cells

STEPS, STREAMS = 25, 3


def sigma(z):
    return 1 / (1 + np.exp(-z))


def positive(z):
    """g of 2410.01201, appendix B.1."""
    return np.where(z >= 0, z + 0.5, sigma(z))


def mingru(cell, w, x, s):
    """Section 3.1 of 2410.01201."""
    (k_z, k_h), (b_z, b_h) = np.split(w["kernel"], 2, axis=1), np.split(w["bias"], 2)
    z, new = sigma(x @ k_z + b_z), x @ k_h + b_h
    return [(1 - z) * s[0] + z * (positive(new) if cell.positive else new)]


def minlstm(cell, w, x, s):
    """Section 3.2 of 2410.01201."""
    f, i, new = np.split(x @ w["kernel"] + w["bias"], 3, axis=1)
    f, i = sigma(f), sigma(i)
    return [f / (f + i) * s[0] + i / (f + i) * (positive(new) if cell.positive else new)]


def rglru(cell, w, x, s):
    """Equations 1 to 4 of 2402.19427, with c = 8, a = σ(-decay), and the projection of the block before it."""
    k_r, k_i, k_x = np.split(w["kernel"], 3, axis=1)
    b_r, b_i = np.split(w["bias"], 2)
    r, i = sigma(x @ k_r + b_r), sigma(x @ k_i + b_i)
    a = sigma(-w["decay"]) ** (8 * r)
    return [a * s[0] + np.sqrt(1 - a**2) * (i * (x @ k_x))]


def mogrifier(cell, w, x, s):
    """Section 2 of 1909.01792, then an LSTM."""
    h, c = s
    for number in range(1, cell.rounds + 1):
        matrix = w[f"down_{number}"] @ w[f"up_{number}"] if cell.rank else w[f"round_{number}"]
        if number % 2:
            x = 2 * sigma(h @ matrix) * x
        else:
            h = 2 * sigma(x @ matrix) * h
    i, f, g, o = np.split(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4, axis=1)
    c = sigma(f) * c + sigma(i) * np.tanh(g)
    return [sigma(o) * np.tanh(c), c]


def slstm(cell, w, x, s):
    """Equations 8 to 14 of 2405.04517, before the gates are stabilised; m is kept beside as the code keeps it."""
    h, c, n, m = s
    i, f, z, o = np.split(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4, axis=1)
    forget = sigma(f) if cell.forget == "sigmoid" else np.exp(f)
    whole_c, whole_n = c * np.exp(m), n * np.exp(m)
    whole_c, whole_n = forget * whole_c + np.exp(i) * np.tanh(z), forget * whole_n + np.exp(i)
    m = np.maximum(np.log(forget) + m, i)
    return [sigma(o) * whole_c / whole_n, whole_c / np.exp(m), whole_n / np.exp(m), m]


def ugrnn(cell, w, x, s):
    """Equations 9 to 11 of 1611.09913."""
    g, c = np.split(x @ w["kernel"] + s[0] @ w["recurrent_kernel"] + w["bias"], 2, axis=1)
    return [sigma(g) * s[0] + (1 - sigma(g)) * np.tanh(c)]


def normalised(z):
    """Equation 3 of 1607.06450."""
    return (z - z.mean(axis=1, keepdims=True)) / np.sqrt(z.var(axis=1, keepdims=True) + 1e-5)


def lstm(cell, w, x, s):
    """Equations 20 to 22 of 1607.06450."""
    h, c = s
    z = normalised(h @ w["recurrent_kernel"]) * w["recurrent_scale"] + normalised(x @ w["kernel"]) * w["kernel_scale"]
    i, f, g, o = np.split(z + w["bias"], 4, axis=1)
    c = sigma(f) * c + sigma(i) * np.tanh(g)
    return [sigma(o) * np.tanh(normalised(c) * w["memory_scale"] + w["memory_shift"]), c]


def gru(cell, w, x, s):
    """Equations 23 to 25 of 1607.06450, h kept where a gate is open, and a bias of h within the reset gate."""
    h, last = s[0], 2 * H
    b_x, b_h = w["bias"] if cell.reset_after else (w["bias"], 0 * w["bias"])

    def product(a, kernel, scale, columns):
        return normalised(a @ w[kernel][:, columns]) * w[scale][columns]

    gates, candidate = slice(0, last), slice(last, None)
    z, r = np.split(
        sigma(
            product(x, "kernel", "kernel_scale", gates)
            + product(h, "recurrent_kernel", "recurrent_scale", gates)
            + b_x[gates]
            + b_h[gates]
        ),
        2,
        axis=1,
    )
    if cell.reset_after:
        inner = r * (product(h, "recurrent_kernel", "recurrent_scale", candidate) + b_h[candidate])
    else:
        inner = product(r * h, "recurrent_kernel", "recurrent_scale", candidate)
    return [z * h + (1 - z) * np.tanh(product(x, "kernel", "kernel_scale", candidate) + b_x[candidate] + inner)]


PAPERS = [
    (cells.LSTM(H, layer_norm=True), lstm),
    (cells.GRU(H, layer_norm=True), gru),
    (cells.GRU(H, layer_norm=True, reset_after=False), gru),
    (cells.MinGRU(H), mingru),
    (cells.MinGRU(H, positive=True), mingru),
    (cells.MinLSTM(H), minlstm),
    (cells.MinLSTM(H, positive=True), minlstm),
    (cells.RGLRU(H), rglru),
    (cells.Mogrifier(H), mogrifier),
    (cells.Mogrifier(H, rounds=2, rank=3), mogrifier),
    (cells.SLSTM(H), slstm),
    (cells.SLSTM(H, forget="exp"), slstm),
    (cells.UGRNN(H), ugrnn),
]


def read(cell, weights, x):
    """The outputs h of a cell along inputs (T, N, INPUTS)."""
    return np.array([shown["h"] for shown in run(cell.make_numpy_step(weights, INPUTS), weights, x)])


@pytest.mark.parametrize(
    ("cell", "paper"), PAPERS, ids=lambda value: str(value) if isinstance(value, cells.Cell) else ""
)
def test_a_step_is_that_of_the_paper(cell, paper, rng):
    weights, x = draw_weights(cell, rng), rng.normal(size=(STEPS, STREAMS, INPUTS))
    states = [np.tile(weights[f"initial_state_{k}"], (STREAMS, 1)) for k in range(len(cell.state_names))]
    if cell.name == "slstm":
        weights["initial_state_2"] = np.abs(weights["initial_state_2"])  # a sum of positive weights
        states[2] = np.abs(states[2])
    for shown, one in zip(run(cell.make_numpy_step(weights, INPUTS), weights, x), x, strict=True):
        states = paper(cell, weights, one, states)
        for name, expected in zip(cell.state_names, states, strict=True):
            np.testing.assert_allclose(shown[name], expected, rtol=0, atol=1e-10)


def test_mingru_is_its_parallel_form_in_log_space(rng):
    """Algorithm 6 of the paper: log h = a* + logcumsumexp(log h₀, log z + log g(h̃) - a*), a* = Σ log (1 - z)."""
    cell = cells.MinGRU(H, positive=True)
    weights, x = draw_weights(cell, rng), rng.normal(size=(STEPS, STREAMS, INPUTS))
    weights["initial_state_0"] = np.abs(weights["initial_state_0"])
    z, new = np.split(x @ weights["kernel"] + weights["bias"], 2, axis=-1)
    a = np.cumsum(-np.logaddexp(0, z), axis=0)
    values = -np.logaddexp(0, -z) + np.log(positive(new)) - a
    start = np.broadcast_to(np.log(weights["initial_state_0"]), values[:1].shape)
    expected = np.exp(a + np.logaddexp.accumulate(np.concatenate([start, values]), axis=0)[1:])
    np.testing.assert_allclose(read(cell, weights, x), expected, rtol=1e-10)


def test_a_mogrifier_without_rounds_is_the_lstm(rng):
    weights, x = draw_weights(cells.LSTM(H), rng), rng.normal(size=(STEPS, STREAMS, INPUTS))
    assert cells.Mogrifier(H, rounds=0).weights(INPUTS) == cells.LSTM(H).weights(INPUTS)
    lstm, mogrified = (read(cell, weights, x) for cell in (cells.LSTM(H), cells.Mogrifier(H, rounds=0)))
    np.testing.assert_allclose(mogrified, lstm, rtol=0, atol=1e-12)


def test_an_rglru_with_constant_gates_is_an_exponential_average(rng):
    cell = cells.RGLRU(H)
    weights, x = draw_weights(cell, rng), rng.normal(size=(STEPS, STREAMS, INPUTS))
    weights["kernel"][:, : 2 * H] = 0
    weights["bias"][:] = 50  # both gates are 1
    a = sigma(-weights["decay"]) ** 8
    u = x @ weights["kernel"][:, 2 * H :]
    powers = a ** np.arange(STEPS)[:, None]  # of the input k steps ago
    expected = [
        a ** (t + 1) * weights["initial_state_0"]
        + np.sqrt(1 - a**2) * np.einsum("kh,knh->nh", powers[: t + 1], u[t::-1] if t else u[:1])
        for t in range(STEPS)
    ]
    np.testing.assert_allclose(read(cell, weights, x), expected, rtol=0, atol=1e-10)


def test_an_slstm_survives_inputs_whose_exponentials_do_not(rng):
    cell = cells.SLSTM(H, forget="exp")
    weights, x = draw_weights(cell, rng), 300 * rng.normal(size=(STEPS, STREAMS, INPUTS))
    weights["initial_state_1"], weights["initial_state_2"] = np.zeros((2, H))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        h = read(cell, {name: weight.astype("float32") for name, weight in weights.items()}, x.astype("float32"))
    assert np.isfinite(h).all()
    assert (np.abs(h) <= 1 + 1e-6).all()  # a share of an average of tanh


def test_an_rglru_that_keeps_nearly_all_loses_no_digits(rng):
    cell = cells.RGLRU(H)
    weights, x = draw_weights(cell, rng), rng.normal(size=(STEPS, STREAMS, INPUTS))
    weights["decay"][:], weights["bias"][:H] = -6, -5  # shares of about 0.9999 are kept
    single = read(cell, {name: weight.astype("float32") for name, weight in weights.items()}, x.astype("float32"))
    np.testing.assert_allclose(single, read(cell, weights, x), rtol=1e-4, atol=1e-6)


def test_an_slstm_whose_learned_start_has_a_negative_normaliser_goes_on(rng):
    cell = cells.SLSTM(H)
    weights, x = draw_weights(cell, rng), rng.normal(size=(STEPS, STREAMS, INPUTS))
    weights["initial_state_1"] = np.zeros(H)
    weights["initial_state_2"] = -np.abs(weights["initial_state_2"])
    assert (np.abs(read(cell, weights, x)) <= 1 + 1e-6).all()


@pytest.mark.parametrize("cell", [cells.MinGRU(H), cells.MinLSTM(H), cells.RGLRU(H)], ids=str)
def test_gates_that_saturate_give_numbers(cell, rng):
    weights, x = draw_weights(cell, rng), 1e4 * rng.normal(size=(STEPS, STREAMS, INPUTS)).astype("float32")
    assert np.isfinite(read(cell, {name: weight.astype("float32") for name, weight in weights.items()}, x)).all()


def test_the_decay_of_an_rglru_starts_between_its_bounds(rng):
    decay = np.array(cells.RGLRU(1000).weights(INPUTS)["decay"].initializer(rng, (1000,)))
    kept = np.exp(-8 * np.log1p(np.exp(decay)))
    assert kept.min() > 0.01
    assert kept.max() < 0.999
    assert abs(kept.mean() - 0.5045) < 5 * 0.989 / np.sqrt(12 * 1000)
