"""Recurrent matrices, read-outs by ridge regression, and the experiment that starts and optimizers meet in."""

import dataclasses
import json
import math

import keras
import numpy as np
import pytest

from shakegen.lab import cells
from shakegen.lab.fitting import RisingMomentum, sequence_network
from shakegen.lab.optimizers import LOSS, OPTIMIZERS, PRODUCT, Training
from shakegen.lab.problems import PROBLEMS
from shakegen.lab.read_out import PENALTIES, best_ridge, fit_read_out, ridge
from shakegen.lab.recurrent_weights import CONNECTIONS, MATRICES, echo_state, orthogonal, recurrent_kernel
from shakegen.lab.start import STARTS, Start, build_network, start


def test_an_orthogonal_matrix_keeps_lengths_and_no_direction_is_preferred(rng):
    matrix = orthogonal(rng, 20)
    assert np.allclose(matrix @ matrix.T, np.eye(20))
    drawn = np.array([orthogonal(rng, 3) for _ in range(4000)])
    assert np.allclose(drawn.mean(axis=0), 0, atol=0.05)
    assert np.allclose((drawn**2).mean(axis=0), 1 / 3, atol=0.03)


@pytest.mark.parametrize("radius", [0.5, 1.2])
def test_an_echo_state_matrix_is_sparse_and_has_its_spectral_radius(rng, radius):
    matrix = echo_state(rng, 40, radius)
    assert np.all(np.count_nonzero(matrix, axis=0) == CONNECTIONS)
    assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(radius)
    assert np.count_nonzero(echo_state(rng, 4, radius)) == 16


def test_glorots_matrix_keeps_the_variance(rng):
    matrix = MATRICES["glorot"](rng, 300)
    assert np.abs(matrix).max() <= np.sqrt(3 / 300)
    assert matrix.var() == pytest.approx(1 / 300, rel=0.05)


def test_a_kernel_has_a_matrix_for_each_gate(rng):
    assert np.array_equal(recurrent_kernel("identity", rng, (3, 12)), np.tile(np.eye(3), 4))
    blocks = np.split(recurrent_kernel("orthogonal", rng, (5, 15)), 3, axis=1)
    assert all(np.allclose(block @ block.T, np.eye(5), atol=1e-6) for block in blocks)
    assert not np.allclose(blocks[0], blocks[1])


def test_ridge_without_a_penalty_is_least_squares(rng):
    x, y = rng.normal(size=(50, 4)), rng.normal(size=(50, 2))
    W, b = ridge(x, y, 0)
    expected, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(50)]), y, rcond=None)
    assert np.allclose(np.concatenate([W, b[None]]), expected)


def test_ridge_has_the_least_penalised_error(rng):
    x, y = rng.normal(size=(50, 4)), rng.normal(size=(50, 2))

    def objective(W, b):
        return np.mean(np.sum((x @ W + b - y) ** 2, axis=1)) + 0.3 * np.sum(W**2)

    W, b = ridge(x, y, 0.3)
    for _ in range(20):
        dW, db = 1e-2 * rng.normal(size=W.shape), 1e-2 * rng.normal(size=b.shape)
        assert objective(W + dW, b + db) > objective(W, b)
        assert objective(W + dW, b + db) + objective(W - dW, b - db) > 2 * objective(W, b)
        slope = (objective(W + dW, b + db) - objective(W - dW, b - db)) / 2
        assert abs(slope) < 1e-12


def test_the_penalty_is_the_one_that_predicts_what_was_held_out(rng):
    x = rng.normal(size=(40, 25))
    noisy, clean = x[:, :1] + 3 * rng.normal(size=(40, 1)), x[:, :1]
    for y, picked in ((noisy, max), (clean, min)):
        missed = [np.mean((x[:10] @ W + b - y[:10]) ** 2) for W, b in (ridge(x[10:], y[10:], p) for p in PENALTIES)]
        expected = ridge(x, y, PENALTIES[int(np.argmin(missed))])
        assert all(map(np.array_equal, best_ridge(x, y), expected))
        assert PENALTIES[int(np.argmin(missed))] == picked(PENALTIES)


def test_a_read_out_alone_explains_what_the_states_can_and_moves_nothing_else(rng):
    network = sequence_network(cells.make_config("rnn", 6), 2, 1)
    before = [weight.numpy() for weight in network.layers[1].weights]
    inputs, targets = PROBLEMS["timer"].draw(rng, 300, 10)
    fit_read_out(network, inputs, targets)
    missed = np.asarray(network(inputs)) - targets
    states = np.asarray(keras.Model(network.input, network.layers[1].output)(inputs)).reshape(-1, 6)
    best = np.linalg.lstsq(np.column_stack([states, np.ones(len(states))]), targets.ravel(), rcond=None)[1][0]
    assert abs(missed.mean()) < 1e-5
    assert 0.999 * best < np.sum(missed**2) < 1.02 * best
    assert all(map(np.array_equal, before, [weight.numpy() for weight in network.layers[1].weights]))


def test_classes_are_read_out_one_hot(rng):
    network = sequence_network(cells.make_config("irnn", 12), 4, 2, last=1)
    inputs = np.eye(4, dtype="float32")[rng.integers(2, size=(200, 1))]
    targets = inputs.argmax(axis=2)
    fit_read_out(network, inputs, targets)
    assert np.allclose(np.asarray(network(inputs)), np.eye(2)[targets], atol=1e-3)


@pytest.mark.parametrize("cell", ["rnn", "nlstm"])
@pytest.mark.parametrize("name", STARTS)
def test_starts_differ_in_their_recurrent_weights_alone(name, cell):
    config, problem = cells.make_config(cell, 6), PROBLEMS["adding"]
    network, orthogonal = (build_network(start, problem, config, 0.9, 0) for start in (name, "orthogonal"))
    others = [weight for weight in network.trainable_weights if "initial_state" not in weight.name]
    assert (len(others) < len(network.trainable_weights)) == (name == "learned")
    for weight, twin in zip(others, orthogonal.trainable_weights, strict=True):
        same = np.array_equal(weight.numpy(), twin.numpy())
        assert same == (name in ("orthogonal", "learned") or "recurrent_kernel" not in weight.name)


class Counting:
    """An optimizer's budget: what was drawn, and what was recorded."""

    def __init__(self, gradients):
        self.sizes, self.spent, self.random = [], [], np.random.default_rng(0)
        problem = PROBLEMS["adding"]
        network = sequence_network(cells.make_config("rnn", 3), 2, 1, 1)
        self.training = Training(network, problem.loss(), self.draw, gradients, 8, 0.9, self.spent.append)

    def draw(self, sequences):
        self.sizes.append(sequences)
        return PROBLEMS["adding"].draw(self.random, sequences, 4)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rising-momentum", "adam"])
def test_first_order_optimizers_spend_their_whole_budget(optimizer):
    counting = Counting(8 * 40)
    OPTIMIZERS[optimizer](counting.training)
    assert counting.sizes == [8] * 40
    assert counting.spent == list(range(16, 321, 16))


@pytest.mark.parametrize(("last", "spent"), [(3, [16, 24]), (40, list(range(16, 321, 16)))])
def test_a_run_that_diverges_records_where_it_ended(last, spent):
    """Also where that is the very last of its 40 updates."""
    counting = Counting(8 * 40)

    def draw(sequences):
        inputs, targets = counting.draw(sequences)
        return inputs, targets if len(counting.sizes) < last else targets * np.nan

    OPTIMIZERS["sgd"](dataclasses.replace(counting.training, draw=draw))
    assert counting.spent == spent


def test_runs_that_ended_earlier_are_not_drawn_on():
    curves = [
        {"start": "identity", "optimizer": "sgd", "random_state": k, "gradients": [0, 10, end], "errors": [1.0, k, k]}
        for k, end in ((1, 20), (3, 40))
    ]
    (panel,) = Start([], "mean squared error", 1.0, 40, curves).figure().panels
    assert panel.curves[0].x.tolist() == [0, 10, 20, 40]
    assert panel.curves[0].y.tolist() == [1, 2, 2, 3]


def test_a_name_that_is_given_twice_is_one():
    few = {"lag": 4, "units": 3, "gradients": 8, "batch_size": 8, "repeats": 1}
    found = start("adding", ["identity", "identity"], ["read-out", "read-out"], **few)
    assert len(found.curves) == 1


def test_of_three_examples_one_is_held_out(rng):
    """It is the mean of the others, so the largest penalty predicts it best."""
    x, y = rng.normal(size=(3, 2)), np.array([[0.0], [1.0], [-1.0]])
    np.testing.assert_allclose(best_ridge(x, y)[0], ridge(x, y, PENALTIES[-1])[0])


def test_the_rising_momentum_is_that_of_sutskever_and_others():
    for most in (0.9, 0.99):
        optimizer = RisingMomentum(0.1, most)
        for update in (0, 249, 250, 600, 1000, 30_000):
            expected = min(1 - 2 ** (-1 - math.log2(update // 250 + 1)), most)
            assert float(optimizer.momentum_at(float(update))) == pytest.approx(expected)


def test_the_gradients_of_rising_momentum_are_those_at_the_place_looked_ahead():
    """By the paper's equations 3 and 4, on ½ a x²; the weight that is kept is the one after the look ahead."""
    variable, optimizer = keras.Variable([2.0]), RisingMomentum(0.01, 0.9)
    x, v = 2.0, 0.0
    for update in range(260):
        momentum = 1 / 2 if update < 250 else 3 / 4
        v = momentum * v - 0.01 * 0.3 * (x + momentum * v)
        x += v
        optimizer.apply([0.3 * variable.value], [variable])
    assert float(variable.value[0]) == pytest.approx(x + 3 / 4 * v, rel=1e-4)


def test_a_read_out_costs_a_forward_pass_for_each_sequence():
    counting = Counting(60)
    OPTIMIZERS["read-out"](counting.training)
    assert counting.sizes == [180]
    assert counting.spent == pytest.approx([60])


def test_the_hessian_free_optimizer_counts_its_products_and_losses(monkeypatch):
    from shakegen.lab import hessian_free

    updates, step = [], hessian_free.HessianFree.step

    def noted(self, theta, objective):
        theta, update = step(self, theta, objective)
        updates.append(update)
        return theta, update

    monkeypatch.setattr(hessian_free.HessianFree, "step", noted)
    counting = Counting(1500)
    OPTIMIZERS["hessian-free"](counting.training)
    costs = [16 * (1 + PRODUCT * update.products + LOSS * update.losses) for update in updates]
    assert counting.spent == pytest.approx(np.cumsum(costs))
    assert counting.spent[-2] < 1500 <= counting.spent[-1]
    assert min(update.iterations for update in updates) >= 1


def test_training_makes_the_error_smaller_from_careful_starts():
    found = start("timer", ["echo-state"], ["read-out", "adam", "hessian-free"], units=12, gradients=4000, repeats=1)
    for row, curve in zip(found.rows, found.curves):
        assert curve["errors"][-1] == row["error"].mean
        assert curve["gradients"][0] == 0
        assert row["error"].mean < 0.8 * found.guess < curve["errors"][0]


def test_the_command_prints_a_table_or_all_numbers_and_draws(shakegen, tmp_path):
    options = ("--problem", "copying", "--lag", 2, "--units", 3, "--gradients", 40, "--batch-size", 8)
    options += ("--starts", "identity,learned", "--optimizers", "read-out,sgd", "--repeats", 1)
    shown = shakegen("lab", "start", *options, "--out", "start.svg")
    assert shown.exit_code == 0
    title, *lines = shown.stdout.splitlines()
    assert title == (
        "Share of wrong symbols; without a memory, 0.875 at least. In the last row, spent: of the budget of 40 "
        "gradients, from the lowest to the highest of all runs"
    )
    assert [line.split()[0] for line in lines] == ["start", "identity", "learned", "spent"]
    assert lines[-1].split() == ["spent", "100%", "100%"]
    assert lines[0].split() == ["start", "read-out", "sgd"]
    assert (tmp_path / "start.svg").read_text(encoding="utf-8").startswith("<?xml")
    found = json.loads(shakegen("lab", "start", *options, "--json").stdout)
    assert [(row["start"], row["optimizer"]) for row in found["rows"]] == [
        ("identity", "read-out"), ("learned", "read-out"), ("identity", "sgd"), ("learned", "sgd"),
    ]  # fmt: skip


BAD = {
    "there is no start 'xavier' in the lab: expected some of glorot, orthogonal, identity, echo-state, learned": (
        "--starts", "identity,xavier"
    ),
    "there is no optimizer 'lbfgs' in the lab: expected some of read-out, sgd, momentum, rising-momentum, adam, "
    "hessian-free": (
        "--optimizers", "lbfgs"
    ),
    "gradients is 20: expected the batch size, 32, or more": ("--gradients", "20"),
    "batch size is 0: expected 1 or more": ("--batch-size", "0"),
    "spectral radius is 0.0: expected a number above 0": ("--spectral-radius", "0", "--starts", "echo-state"),
    "momentum is 1.0: expected a number below 1": ("--momentum", "1"),
    "momentum is 0.0: expected a number above 0": ("--momentum", "0"),
    "the cell mingru has no recurrent matrix, so all its starts would be alike: expected a cell that has one, such as "
    "rnn": (
        "--cell", "mingru"
    ),
    "repeats is 0: expected 1 or more": ("--repeats", "0"),
    "units is 0: expected a whole number from 1 to 65536": ("--units", "0"),
    "the longest duration is 5 steps of 25: expected 10 or more, and longer sequences": ("--lag", "5"),
}  # fmt: skip


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, message, arguments):
    result = shakegen("lab", "start", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")
