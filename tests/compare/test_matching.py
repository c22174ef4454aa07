"""Networks with equally many weights: the nearest, by enumeration of all."""

import itertools

import pytest
from comparisons import ALL, by_characters, plan

from shakegen.cells import BUILT_IN
from shakegen.compare.matching import count_recurrent, count_weights, match_weights
from shakegen.network.config import Config
from shakegen.training.tasks import TASKS


@pytest.mark.parametrize("task", TASKS)
def test_numbers_of_weights_are_matched_for_every_cell_layers_and_depth(task):
    def count(config):
        return count_weights(config, 27, 1002 if task == "autocomplete" else 27)

    for layers, depth, units in itertools.product((1, 3), (1, 4), (200, 391)):
        cells = ("lstm", "rnn", "gru", f"nlstm:depth={depth}", "gru:reset-after=false", "rnn:activation=relu")
        settings = {"units": units, "layers": layers}
        found = plan(*cells, match="parameters", settings=settings, task=task).configs(count)
        counts = [count(config) for config in found.values()]
        wanted = plan("lstm", settings=settings, task=task).configs(count)["lstm"]
        assert max(counts) <= 1.01 * min(counts)
        assert abs(count(wanted) / counts[0] - 1) <= 0.1
        assert [config.layers for config in found.values()] == [layers] * len(cells)
        assert [config.cell_options.get("depth", 0) for config in found.values()] == [0, 0, 0, depth, 0, 0]


def test_weights_are_counted_as_the_network_has_them(random_model):
    for config in (Config("gru", 5, 2), Config("nlstm", 4, depth=3, embedding=3), Config("lstm", 6)):
        assert count_weights(config, 27) == random_model(config).parameters


@pytest.mark.parametrize("cell", BUILT_IN)
@pytest.mark.parametrize("embedding", [0, 7])
def test_recurrent_weights_are_those_that_no_symbol_adds_to(cell, embedding):
    """Each symbol adds as many weights as the next; what is left without symbols is recurrent."""
    config = Config(cell, 7, embedding=embedding)
    few, more = count_weights(config, 10), count_weights(config, 30)
    assert count_recurrent(config) == few - 10 * (more - few) / 20
    assert count_recurrent(config) > 0


def test_recurrent_weights_are_matched_where_the_read_out_has_most():
    def count(config):
        return count_weights(config, 16_384)

    cells = {"settings": {"units": 200, "layers": 1, "level": "word"}}
    equal = plan("gru", "lstm", match="recurrent", **cells).configs(count_recurrent)
    recurrent, whole = ([of(config) for config in equal.values()] for of in (count_recurrent, count))
    assert max(recurrent) <= 1.01 * min(recurrent)
    assert max(whole) > 1.05 * min(whole)


def test_a_given_number_of_weights_is_met():
    found = plan(*ALL, match="parameters", parameters=200_000).configs(by_characters)
    assert all(abs(by_characters(config) / 200_000 - 1) < 0.11 for config in found.values())


@pytest.mark.parametrize("steps", [(70, 100), (31, 41), (7, 11, 13)])
@pytest.mark.parametrize("weights", [145, 420, 650, 990])
def test_of_all_networks_the_nearest_are_taken(steps, weights):
    """Within 1 % of one another the nearest to what was asked for; else the nearest numbers."""

    def count(config):
        return config.units * config.embedding

    families = {step: lambda units, step=step: Config("rnn", units, embedding=step) for step in steps}
    found = [count(config) for config in match_weights(families, weights, count).values()]

    def judge(counts):
        return max(max(counts) / min(counts), 1.01), abs(min(counts) - weights)

    choices = [[n for n in range(2 * step, 2200, step) if 0.9 * weights <= n] for step in steps]
    choices = [own[: 1 + sum(n <= 1.1 * weights for n in own)] for own in choices]
    possible = [counts for counts in itertools.product(*choices) if min(counts) <= 1.1 * weights]
    assert judge(found) == min(map(judge, possible))


def test_where_no_network_is_so_small_the_smallest_are_taken():
    found = plan("gru", "lstm", match="parameters", parameters=1).configs(by_characters)
    assert [config.units for config in found.values()] == [2, 2]
