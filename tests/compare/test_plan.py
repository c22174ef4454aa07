"""Comparisons: which networks, and what is held equal."""

import pytest
from comparisons import ALL, by_characters, plan, records

from shakegen.cells import BUILT_IN
from shakegen.compare.plan import Entry, Plan, parse_tune
from shakegen.network.config import Config
from shakegen.training.recipe import Recipe


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
        (("gru",), {"match": "size"}, "there is no match 'size': expected one of units, parameters, recurrent, time"),
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
            {"task": "autocomplete", "recipe": Recipe(passage=2)},
            "passages are for the next character: leave `passage` out for the task autocomplete",
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
        assert record.config == config


def test_settings_that_differ_in_a_late_digit_are_different_networks():
    names = [Entry.parse(f"gru:dropout={value}").name for value in ("0.1234567", "0.1234568", "0.5")]
    assert names == ["gru:dropout=0.1234567", "gru:dropout=0.1234568", "gru:dropout=0.5"]


@pytest.mark.parametrize("text", ["learning-rate=3e-3, 6e-3,1e-2", " learning_rate=0.003,0.006,0.003,0.01"])
def test_a_setting_to_choose_has_a_name_and_values(text):
    assert parse_tune(text) == ("learning_rate", (0.003, 0.006, 0.01))


@pytest.mark.parametrize(
    "text", ["", "learning-rate", "learning-rate=0.1", "learning-rate=a,b", "units=3,4", "dropout=0,0"]
)
def test_what_cannot_be_chosen_is_refused(text):
    with pytest.raises(ValueError) as error:
        parse_tune(text)
    assert str(error.value) == (
        f"cannot tune {text!r}: expected learning-rate or dropout, =, and two numbers or more with commas between "
        "them, such as learning-rate=3e-3,6e-3,1e-2"
    )


@pytest.mark.parametrize(
    ("tune", "message"),
    [
        (("dropout", (0.1, 1.5)), "dropout is 1.5: expected a number from 0 up to, but not including, 1"),
        (("learning_rate", (0.1, -1.0)), "the learning rate given is -1.0: expected a number above 0"),
    ],
)
def test_values_out_of_range_are_refused_before_any_run(tune, message):
    with pytest.raises(ValueError) as error:
        plan("gru", tune=tune)
    assert str(error.value) == message
