"""Comparisons: which networks, and what is held equal."""

import itertools

import pytest
from comparisons import ALL, by_characters, plan, records

from shakegen.cells import BUILT_IN
from shakegen.compare.matching import count_weights, match_weights
from shakegen.compare.plan import Entry, Plan
from shakegen.network.config import Config
from shakegen.training.recipe import Recipe
from shakegen.training.tasks import TASKS


def test_an_entry_has_settings_of_its_own():
    entry = Entry.parse(" nlstm:depth=3:learning-rate=1e-3:residual=true ")
    assert entry.settings == {"depth": 3, "learning_rate": 0.001, "residual": True}
    assert entry.name == "nlstm:depth=3:learning_rate=0.001:residual=true"
    assert Entry.parse(entry.name) == entry
    planned = Plan((entry,), Recipe(random_state=4), repeats=1, settings={"units": 5, "layers": 2})
    assert planned.configs(by_characters) == {entry.name: Config("nlstm", 5, 2, depth=3, residual=True)}
    assert planned.make_recipe(entry, 0) == Recipe(random_state=4, learning_rate=0.001)


def test_names_of_files_are_plain_and_different():
    found = [Entry.parse(text).file_name for text in ("gru", "gru:units=3", "gru:dropout=0.5", "gru:layers=2:units=3")]
    assert found == ["gru", "gru-units3", "gru-dropout0.5", "gru-layers2-units3"]


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "cnn": f"there is no cell 'cnn': expected one of {', '.join(BUILT_IN)}, or module:Class for one of your own",
        "gru:size=3": "a cell cannot have 'size=3' of its own: expected NAME=VALUE, the name one of units, layers, "
        "embedding, convolution, mlp, learn_initial_state, residual, variational_dropout, dropout, learning_rate, "
        "zoneout, activation, layer_norm, reset_after, depth, rounds, rank, forget, positive",
        "gru:units": "a cell cannot have 'units' of its own: expected NAME=VALUE, the name one of units, layers, "
        "embedding, convolution, mlp, learn_initial_state, residual, variational_dropout, dropout, learning_rate, "
        "zoneout, activation, layer_norm, reset_after, depth, rounds, rank, forget, positive",
        "gru:layers=x": "layers is 'x': expected a whole number",
        "gru:dropout=x": "dropout is 'x': expected a number",
        "gru:residual=1": "residual is '1': expected true or false",
    }.items(),
)
def test_what_is_no_entry_is_refused(text, message):
    with pytest.raises(ValueError) as error:
        Entry.parse(text)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("cells", "changes", "message"),
    [
        ((), {}, "there is nothing to compare: expected cells such as rnn,lstm,gru,nlstm"),
        (("gru", "gru"), {}, "gru is there twice: expected each cell once, or with different settings"),
        (("gru",), {"repeats": 0}, "the number of repeats is 0: expected a whole number from 1 to 4294967296"),
        (("gru",), {"match": "size"}, "there is no match 'size': expected one of units, parameters, time"),
        (("gru",), {"match": "time"}, "to match time is to hold the minutes equal: expected `minutes`, not `epochs`"),
        (
            ("gru", "lstm:units=3"),
            {},
            "lstm:units=3 has units of its own, but units are to be equal: leave them out",
        ),
        (
            ("gru",),
            {"parameters": 100},
            "a number of parameters is given, but units is to be equal: leave out one of them",
        ),
        (
            ("gru",),
            {"match": "parameters", "parameters": 100, "settings": {"units": 3}},
            "`units` and `parameters` are both given: expected one of them, the other follows",
        ),
        (
            ("gru",),
            {"match": "parameters", "parameters": 0},
            "the number of parameters is 0: expected a whole number above 0",
        ),
        (
            ("gru",),
            {"task": "autocomplete", "recipe": Recipe(stateful=True)},
            "stateful streams are for the next character: leave them out for the task autocomplete",
        ),
        (("gru:depth=2",), {}, "depth is 2, but the cell is gru: it is for nlstm only"),
        (("gru",), {"task": "x"}, "there is no task 'x': expected one of next, autocomplete"),
    ],
)
def test_what_contradicts_itself_is_refused(cells, changes, message):
    with pytest.raises(ValueError) as error:
        plan(*cells, **changes)
    assert str(error.value) == message


def test_all_have_the_same_recipe_and_the_repeats_other_random_states():
    planned = records(*ALL, repeats=3, recipe=Recipe(random_state=7), settings={"units": 9, "depth": 3})
    assert [record.name for record in planned] == [f"{cell}-{repeat}" for repeat in range(3) for cell in ALL]
    for record in planned:
        cell, repeat = record.name.split("-")
        assert record.what["recipe"] == Recipe(random_state=7 + int(repeat)).to_dict()
        config = Config(cell, 9, **{"depth": 3} if cell == "nlstm" else {})
        assert Config.from_dict(record.what["config"]) == config


@pytest.mark.parametrize("task", TASKS)
def test_numbers_of_weights_are_matched_for_every_cell_layers_and_depth(task):
    def count(config):
        return count_weights(config, 27, 1002 if task == "autocomplete" else 27)

    for layers, depth, units in itertools.product((1, 2, 3), (1, 2, 4), (200, 391)):
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


def test_a_given_number_of_weights_is_met_and_an_impossible_one_refused():
    found = plan(*ALL, match="parameters", parameters=200_000).configs(by_characters)
    assert all(abs(by_characters(config) / 200_000 - 1) < 0.11 for config in found.values())
    with pytest.raises(ValueError) as error:
        plan("gru", "lstm", match="parameters", parameters=500).configs(by_characters)
    assert str(error.value) == (
        "no networks of about 500 weights have the same number within 1%: the nearest have gru 468, lstm 564; larger "
        "ones come nearer, try more `units` or `parameters`"
    )


def test_of_all_matches_the_nearest_to_what_was_asked_for_is_taken():
    def count(config):
        return config.units * config.embedding

    families = {step: lambda units, step=step: Config("rnn", units, embedding=step) for step in (70, 100)}
    possible = [
        (one, other)
        for one in range(70, 3000, 70)
        for other in range(100, 3000, 100)
        if max(one, other) <= 1.01 * min(one, other)
    ]
    for weights in (1300, 1400, 1990):
        found = tuple(count(config) for config in match_weights(families, weights, count).values())
        assert found in possible
        assert min(abs(n - weights) for n in found) == min(abs(n - weights) for pair in possible for n in pair)


def test_settings_that_differ_in_a_late_digit_are_different_networks():
    names = [Entry.parse(f"gru:dropout={value}").name for value in ("0.1234567", "0.1234568", "0.5")]
    assert names == ["gru:dropout=0.1234567", "gru:dropout=0.1234568", "gru:dropout=0.5"]
