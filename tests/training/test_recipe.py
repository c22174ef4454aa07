import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from shakegen.network.build import build
from shakegen.network.config import Config
from shakegen.text.corpus import Corpus
from shakegen.training import recipe as module, train
from shakegen.training.beginning import begin
from shakegen.training.learner import Learner
from shakegen.training.recipe import DECAY, MEMORY, MOST_DECAY, SCHEDULES, Recipe
from shakegen.training.start import train_from
from shakegen.training.workers.strategy import Strategy

SHARES = np.linspace(0, 1, 501)


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
@pytest.mark.parametrize("warmup", [None, 0.1])
def test_learning_rate_rises_then_falls_to_a_hundredth(schedule, warmup):
    recipe = Recipe(learning_rate=2.0, schedule=schedule, warmup=warmup)
    rates = np.array([recipe.rate(share) for share in SHARES])
    top = rates.argmax()
    assert np.isclose(rates[top], 2.0)
    assert SHARES[top] == (warmup or 0.02)
    assert np.all(np.diff(rates[: top + 1]) > 0)
    assert np.all(np.diff(rates[top:]) < 0)
    assert np.isclose(rates[-1], 0.02)
    assert rates[0] > 0


@pytest.mark.parametrize("steps", [10, 100, 200, 500, 900, 1000, 10_000])
def test_with_two_layers_the_usual_warm_up_takes_twenty_batches_or_more_but_no_more_than_a_tenth_of_the_run(steps):
    recipe, shares = Recipe(learning_rate=2.0), np.arange(steps) / steps
    rates = np.array([recipe.rate(share, step, 2) for step, share in enumerate(shares)])
    top, fallen = rates.argmax(), np.array([recipe.rate(share) for share in shares])
    assert abs(top - max(0.02 * steps, min(20, 0.1 * steps))) <= 1
    assert np.all(np.diff(rates[: top + 1]) > 0)
    assert np.array_equal(rates[top:], fallen[top:])
    assert np.all(rates <= fallen)


@pytest.mark.parametrize(
    ("recipe", "layers"),
    [(Recipe(warmup=0.001), 2), (Recipe(warmup=0.0), 2), (Recipe(schedule="constant"), 2), (Recipe(), 1)],
)
def test_a_given_warm_up_and_those_of_a_constant_rate_and_of_one_layer_do_not_depend_on_batches(recipe, layers):
    assert all(recipe.rate(share, 0, layers) == recipe.rate(share) for share in SHARES)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_network_learns_at_the_rates_of_its_recipe(layers, monkeypatch):
    corpus, rates = Corpus.from_text("abcd efgh " * 60), []
    learn = Learner.__call__
    monkeypatch.setattr(Learner, "__call__", lambda self, rate, *more: rates.append(rate) or learn(self, rate, *more))
    options = {"epochs": 20, "batch_size": 4, "seq_length": 10}
    train(corpus, Config("rnn", units=3, layers=layers), verbose=False, **options)
    recipe, steps = Recipe(**options), len(rates)
    assert steps > 200
    assert rates == [recipe.rate(step / steps, step, layers) for step in range(steps)]


def test_a_linear_schedule_is_a_line_and_a_cosine_lies_above_it_at_first():
    cosine, linear = (
        np.array([Recipe(schedule=schedule, warmup=0.0).rate(share) for share in SHARES])
        for schedule in ("cosine", "linear")
    )
    assert np.allclose(np.diff(linear), np.diff(linear)[0])
    assert np.all(cosine[1:250] > linear[1:250])
    assert np.allclose(cosine + cosine[::-1], linear + linear[::-1])


def test_a_constant_rate_is_the_same_whatever_share_of_the_run_is_over():
    assert {Recipe(schedule="constant").rate(share) for share in SHARES} == {1e-2}
    assert Recipe(schedule="constant", warmup=0.5).rate(0.1) < 1e-2


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_recipe_survives_json(schedule):
    recipe = Recipe(minutes=3, schedule=schedule, clip_norm=None, weight_decay=0.1)
    assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_epochs_take_the_place_of_minutes_when_a_run_goes_on_and_the_other_way_round():
    assert Recipe(minutes=3).resume({"epochs": 5}) == Recipe(epochs=5)
    assert Recipe(epochs=3).resume({"minutes": 5, "epochs": None}) == Recipe(minutes=5)
    assert Recipe(minutes=3).resume({"learning_rate": 0.1, "patience": 2}) == Recipe(
        minutes=3, learning_rate=0.1, patience=2
    )
    assert Recipe(minutes=3).resume({}) == Recipe(minutes=3)
    assert Recipe(epochs=50).resume({"epochs": None, "minutes": None}) == Recipe(epochs=50)
    assert Recipe(weight_decay=0.1, patience=2).resume({"weight_decay": None, "patience": None}) == Recipe(
        weight_decay=0.1
    )
    with pytest.raises(ValueError, match=r"has clip norm 1\.0, not None"):
        Recipe().resume({"clip_norm": None})


def test_adam_is_adam_in_any_spelling():
    assert Recipe(optimizer="Adam") == Recipe()
    assert Recipe.study(optimizer="Adam") == Recipe.study()
    assert Recipe().resume({"optimizer": "Adam"}) == Recipe()
    assert Recipe(optimizer="SGD").resume({"optimizer": "sgd"}) == Recipe(optimizer="SGD")
    with pytest.raises(ValueError, match="the optimizer given is 3: expected a name"):
        Recipe.study(optimizer=3)


def test_what_would_change_the_past_is_refused():
    with pytest.raises(ValueError) as error:
        Recipe(batch_size=8).resume({"epochs": 5, "batch_size": 16})
    assert str(error.value) == (
        "the run to resume has batch size 8, not 16: leave that out, or start a new run without `resume` "
        "(epochs, minutes, learning rate and patience may change)"
    )


BAD = {
    "`epochs` and `minutes` are both given: expected one of them": {"epochs": 2, "minutes": 1},
    "the epochs given is 0: expected a number above 0": {"epochs": 0},
    f"the epochs given is {10**309}: expected a number above 0": {"epochs": 10**309},
    "the minutes given is -1: expected a number above 0": {"minutes": -1},
    "the clip norm given is nan: expected a number above 0": {"clip_norm": float("nan")},
    "the clip value given is -1: expected a number above 0": {"clip_value": -1},
    "the learning rate given is 'x': expected a number above 0": {"learning_rate": "x"},
    "the patience given is 0: expected a number above 0": {"patience": 0},
    "the weight decay given is -1: expected a number of 0 or more": {"weight_decay": -1},
    "the warmup given is 1: expected a share from 0 up to, but not including, 1": {"warmup": 1},
    "the average weights given is 1.5: expected a share from 0 up to, but not including, 1": {"average_weights": 1.5},
    "there is no schedule 'cosin': expected one of cosine, linear, constant": {"schedule": "cosin"},
    "there is no mixed precision 'float16': expected one of float32, bfloat16": {"mixed_precision": "float16"},
    f"the random state is {1 << 70}: expected a whole number from 0 to 4294967295": {"random_state": 1 << 70},
    "the batch size given is 2.5: expected a whole number above 0": {"batch_size": 2.5},
    "the passage given is 0: expected a whole number above 0": {"passage": 0},
    "the optimizer given is 1: expected a name": {"optimizer": 1},
    "the epsilon given is 0: expected a number above 0": {"epsilon": 0},
    "the loss share given is 0: expected a share above 0, and 1 for all positions": {"loss_share": 0},
    "there is no start 'zeros': expected one of keras, frequencies, spelling, tensorflow1": {"start": "zeros"},
}


@pytest.mark.parametrize(("message", "options"), BAD.items())
def test_options_out_of_range(message, options):
    with pytest.raises(ValueError) as error:
        Recipe(**options)
    assert str(error.value) == message


def test_options_of_a_newer_version():
    with pytest.raises(ValueError) as error:
        Recipe.from_dict({"epochs": 2, "colour": "red"})
    assert str(error.value) == "there is no option 'colour' of training: it may come from a newer shakegen"


def test_the_recipe_of_the_study():
    recipe = Recipe.study()
    assert (recipe.epochs, recipe.batch_size, recipe.seq_length, recipe.optimizer) == (2, 64, 200, "adam")
    assert (recipe.rate(0.0), recipe.rate(1.0), recipe.clip_norm) == (1e-3, 1e-3, None)
    assert Recipe.study(minutes=3).epochs is None
    assert Recipe.study(epochs=None, minutes=None, optimizer="adam") == recipe
    assert (recipe.epsilon, Recipe.study(optimizer="sgd").epsilon) == (1e-8, None)


LENGTHS = [{}, {"epochs": 3}, {"epochs": 30}, {"minutes": 2}, {"batch_size": 8}]


@pytest.mark.parametrize(("first", "then"), [*itertools.product(LENGTHS, LENGTHS)], ids=str)
def test_a_replaced_option_is_an_option_from_the_start(first, then):
    options = {**first, **then}
    if {"epochs", "minutes"} <= options.keys():
        with pytest.raises(ValueError, match="both given"):
            replace(Recipe(**first), **then)
    else:
        assert replace(Recipe(**first), **then) == Recipe(**options)


@pytest.mark.parametrize("steps", [36, 436, 50_000])
@pytest.mark.parametrize("rate", [1e-3, 6e-3])
@pytest.mark.parametrize("weights", [0.01, 1.0, 10.0])
def test_weights_forget_within_as_many_epochs_of_any_text_but_few_weights_never(steps, rate, weights):
    fitted = Recipe(learning_rate=rate).fit_text(steps, weights)
    kept, most = (1 - rate * fitted.weight_decay) ** (MEMORY * steps), min(MOST_DECAY, DECAY * weights)
    assert kept == pytest.approx(np.exp(-1), rel=0.01) or (kept > np.exp(-1) and fitted.weight_decay == most)
    assert fitted.fit_text(2 * steps, weights) == fitted, "a run keeps its decay"


@pytest.mark.parametrize("given", [{"weight_decay": 0}, {"weight_decay": 0.2}, {"optimizer": "sgd"}], ids=str)
def test_a_given_decay_or_optimizer_is_left_as_it_is(given):
    assert Recipe(**given).fit_text(100, 1.0) == Recipe(**given)
    assert Recipe.study(epochs=3).fit_text(100, 1.0) == Recipe.study(epochs=3)


@pytest.mark.parametrize(
    ("network", "flags", "precision"),
    [
        (Config(units=128), "sse2 amx_bf16 amx_tile", "bfloat16"),
        (Config(units=128, layers=1), "sse2 amx_bf16 amx_tile", "float32"),
        (Config(units=128, layers=1, level="word"), "sse2 amx_bf16 amx_tile", "bfloat16"),
        (Config(units=127), "sse2 amx_bf16 amx_tile", "float32"),
        (Config(units=128), "sse2 avx512_bf16", "float32"),  # products without tiles are slower there
        (Config(units=128), None, "float32"),
    ],
)
def test_a_network_learns_in_16_bits_where_that_is_quicker(monkeypatch, tmp_path, network, flags, precision):
    processor = tmp_path / "cpuinfo"
    monkeypatch.setattr(module, "PROCESSOR", processor)
    if flags is not None:
        processor.write_text(f"flags\t\t: fpu {flags}\n", encoding="utf-8")
    fitted = Recipe().fit_network(network)
    assert fitted.mixed_precision == precision
    assert fitted.fit_network(Config(units=512)) == fitted, "a run keeps its precision"
    for given in ("float32", "bfloat16"):
        assert Recipe(mixed_precision=given).fit_network(network).mixed_precision == given
    assert Recipe.study().fit_network(network).mixed_precision == "float32"


def test_a_run_begins_with_the_decay_of_its_text_and_the_precision_of_its_network(monkeypatch, tmp_path, poem):
    processor = tmp_path / "cpuinfo"
    processor.write_text("flags\t\t: amx_bf16\n", encoding="utf-8")
    monkeypatch.setattr(module, "PROCESSOR", processor)
    corpus, usual = Corpus.from_text(poem), Recipe(seq_length=20)
    beginning = begin(corpus, Config(units=128), seq_length=20)
    batches, config = beginning.task.make_batches(corpus, corpus.vocabulary, usual), Config(units=128)
    weights = build(config, len(corpus.vocabulary)).count_params() / (batches.steps * batches.characters)
    assert beginning.recipe == usual.fit_text(batches.steps, weights).fit_network(config)
    assert (beginning.recipe.weight_decay is not None, beginning.recipe.mixed_precision) == (True, "bfloat16")


def test_a_worker_follows_what_the_processor_of_the_chief_chose(monkeypatch, tmp_path, poem):
    """Where somebody gave the precision, it stands."""
    processor, corpus, config = tmp_path / "cpuinfo", Corpus.from_text(poem), Config(units=128)
    monkeypatch.setattr(module, "PROCESSOR", processor)
    own = {}
    for flags in ("amx_bf16", "sse2"):
        processor.write_text(f"flags\t\t: {flags}\n", encoding="utf-8")
        own[flags] = begin(corpus, config, seq_length=20).recipe
    chief = Recipe.from_dict(json.loads(json.dumps(own["amx_bf16"].to_dict())))
    assert own["sse2"] != chief
    assert own["sse2"].follow(chief) == chief
    given = begin(corpus, config, seq_length=20, mixed_precision="float32").recipe
    assert given.follow(chief).mixed_precision == "float32"

    class Worker(Strategy):
        """One of two whose chief has another processor; it says what it would compare with the chief."""

        chief = False

        def __len__(self):
            return 2

        def share(self, content):
            return json.dumps(chief.to_dict()).encode()

        def agree(self, facts):
            raise KeyError(facts["mixed precision"])

    with pytest.raises(KeyError, match="bfloat16"):
        train_from(begin(corpus, config, seq_length=20), strategy=Worker())


def test_none_is_a_value_where_it_means_something():
    study = Recipe.study(epsilon=None, weight_decay=None, warmup=None, clip_norm=None)
    assert (study.epsilon, study.weight_decay, study.warmup, study.clip_norm) == (None, None, None, None)
    assert (Recipe.study().epsilon, Recipe.study().weight_decay) == (1e-8, 0)
