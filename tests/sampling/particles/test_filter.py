"""Particles against exact enumeration: weights are unbiased for any number of them, draws exact for many."""

import numpy as np
import pytest
from markov_chains import SYMBOLS, Chain, compute_exactly, list_texts

from shakegen.sampling.constraints import Forbid, NoCopy, Rules
from shakegen.sampling.particles import Slot, fill_slots, filter as particle_filter, swarm
from shakegen.text.corpus import Corpus


def ids(*given):
    return np.array(given, np.intp)


PAIRS = np.array([[1, 2, 2], [2, 0, 2], [2, 2, 2]])  # 0 and 1 in turn, again and again; 2 is nowhere
FORMS = {
    "one length": [Slot(5, 5, ids(0, 1, 0))],
    "several lengths": [Slot(1, 5, ids(1, 1))],
    "a given text that overlaps itself": [Slot(0, 5, ids(0, 0, 0))],
    "two places": [Slot(1, 3, ids(2)), Slot(2, 2, ids(0, 1))],
    "contains": [Slot(0, 4, ids(1, 2), absolute=True), Slot(6, 6, ids(), absolute=True)],
    "contains two": [
        Slot(0, 2, ids(1), absolute=True),
        Slot(1, 4, ids(2, 2), absolute=True),
        Slot(6, 6, ids(), absolute=True),
    ],
    "the second length is smaller": [Slot(0, 4, ids(1), absolute=True), Slot(0, 2, ids(2), absolute=True)],
    "ends, and may have the end before": [Slot(3, 4, ids(0, 1, 0), absolute=True, early=True)],
    "a pattern": [Slot(0, 6, ids(2), PAIRS, np.array([True, False, False]))],
}


def draw(chain, slots, **options):
    return fill_slots(chain.step, chain.logits, chain.state, slots, **options)


def key_of(filled):
    return tuple(tuple(place.tolist()) for place in filled.places)


@pytest.mark.parametrize("particles", [1, 4])
@pytest.mark.parametrize("slots", FORMS.values(), ids=FORMS)
def test_weights_are_unbiased_for_any_number_of_particles(slots, particles):
    """The mean weight is the probability of the form; the mean over runs that gave a text is that of the text."""
    chain, runs = Chain(), 300
    exact = compute_exactly(chain, slots)
    found = draw(chain, slots, particles=particles, count=runs, random_state=3)
    weights = np.array([np.exp(one.log_weight) if one else 0.0 for one in found])
    error = weights.std() / np.sqrt(runs)
    assert abs(weights.mean() - sum(exact.values())) < 4 * error
    keys = [one and key_of(one) for one in found]
    assert set(keys) - {None} <= set(exact)
    squares = []
    for key, probability in exact.items():
        if probability * runs > 10 * sum(exact.values()):
            own = weights * [one == key for one in keys]
            squares.append((own.mean() - probability) ** 2 / (own.var() / runs))
    assert np.mean(squares) < 1 + 4 * np.sqrt(2 / len(squares))
    for one in found[:20]:
        if one:
            assert np.isclose(one.log_probability, np.log(exact[key_of(one)]))


@pytest.mark.parametrize("name", ["one length", "several lengths", "contains", "a pattern"])
def test_draws_have_the_exact_distribution_with_many_particles(name):
    chain, slots, runs = Chain(), FORMS[name], 300
    exact = compute_exactly(chain, slots)
    found = [key_of(one) for one in draw(chain, slots, particles=32, count=runs, random_state=5)]
    total, statistic, cells = sum(exact.values()), 0.0, 0
    rest = runs, runs
    for key, probability in exact.items():
        expected, seen = runs * probability / total, found.count(key)
        if expected > 5:
            statistic, cells = statistic + (seen - expected) ** 2 / expected, cells + 1
            rest = rest[0] - expected, rest[1] - seen
    if rest[0] > 1:
        statistic, cells = statistic + (rest[1] - rest[0]) ** 2 / rest[0], cells + 1
    degrees = cells - 1
    assert statistic < degrees + 4 * np.sqrt(2 * degrees)


def test_one_particle_is_enough_where_the_network_is_a_markov_chain():
    """Then the look-ahead knows the probability of what must come, and all weights are nearly equal."""
    chain, slots = Chain(2, order=1), [Slot(8, 8, ids(0, 2, 1))]
    found = draw(chain, slots, particles=1, count=300)
    weights = np.exp([one.log_weight for one in found])
    assert weights.std() < 0.1 * weights.mean()


def test_the_temperature_belongs_to_the_distribution():
    chain, slots, runs = Chain(), FORMS["several lengths"], 400
    sharpened = Chain()
    sharpened._shares = chain._shares**2 / (chain._shares**2).sum(axis=-1, keepdims=True)
    found = draw(chain, slots, particles=4, count=runs, temperature=0.5)
    weights = np.exp([one.log_weight for one in found])
    assert abs(weights.mean() - sum(compute_exactly(sharpened, slots).values())) < 4 * weights.std() / np.sqrt(runs)


@pytest.mark.parametrize("constraint", [Forbid(["bb", "ca"]), NoCopy(Corpus.from_text("bbdca"), 2)], ids=str)
def test_constraints_condition_the_whole_text_and_are_not_renormalised(constraint, monkeypatch):
    chain, slots, runs, letters = Chain(), FORMS["one length"], 400, "abc"
    monkeypatch.setattr(swarm, "LIKELY", 0.4)
    exact = {}
    for (places, whole), probability in zip(list_texts(slots), compute_exactly(chain, slots).values(), strict=True):
        text = "".join(letters[one] for one in whole)
        if "bb" not in text and "ca" not in text:
            exact[places] = probability
    found = draw(chain, slots, particles=4, count=runs, rules=Rules([constraint], letters))
    assert {key_of(one) for one in found if one} <= set(exact)
    weights = np.array([np.exp(one.log_weight) if one else 0.0 for one in found])
    assert abs(weights.mean() - sum(exact.values())) < 4 * weights.std() / np.sqrt(runs)


def test_a_text_depends_on_its_number_alone(monkeypatch):
    chain, slots = Chain(), FORMS["contains two"]

    def keys(**options):
        return [key_of(one) for one in draw(chain, slots, particles=8, **options)]

    found = keys(count=5, random_state=2)
    assert keys(count=2, random_state=2) == found[:2]
    assert keys(count=5, random_state=3) != found
    monkeypatch.setattr(particle_filter, "CELLS", 1)  # one run at a time
    assert keys(count=5, random_state=2) == found


def test_a_run_without_a_living_particle_gives_nothing():
    def never_two(ids, state):
        return np.tile([0.0, 0.0, -np.inf], (len(ids), 1)), state

    logits, state = never_two(ids(0), np.zeros((1, 1)))
    for slots in (
        [Slot(2, 2, ids(1, 2)), Slot(1, 5000, ids(0))],
        [Slot(0, 9, ids(2), absolute=True), Slot(0, 2, ids(1), absolute=True)],
    ):
        assert fill_slots(never_two, logits, state, slots, particles=3, count=2) == [None, None]


def test_a_dead_particle_leaves_the_others_alone():
    """The first symbol decides: after 0 comes 0 for ever, after 1 comes 2."""
    with np.errstate(divide="ignore"):
        following = np.log([[1, 0, 0], [0, 0, 1], [0.5, 0.5, 0]])

    def step(ids, state):
        return following[ids], state

    logits, state = step(ids(2), np.zeros((1, 1)))
    slots = [Slot(0, 9, ids(2), absolute=True), Slot(3, 3, ids(), absolute=True)]
    found = fill_slots(step, logits, state, slots, particles=256)[0]
    assert np.isclose(found.log_weight, np.log(0.5), atol=0.05)


def test_long_given_texts_leave_room_for_fewer_contexts():
    slots = [Slot(0, 4, np.zeros(length, np.intp)) for length in (5, 100_000)]
    short, long = (particle_filter.limit_contexts([particle_filter.Table(slot, 3)], 3) for slot in slots)
    assert short == particle_filter.MOST_CONTEXTS
    assert 2 < long <= particle_filter.GIVEN / 100_000


def test_a_given_symbol_that_is_unknown_costs_nothing():
    chain, given = Chain(), ids(0, SYMBOLS - 1, 1)
    free = draw(chain, [Slot(0, 0, given)], particles=1, known=SYMBOLS - 1)[0]
    assert np.isclose(
        free.log_weight,
        chain.log_probability(given[:1]) + chain.log_probability([0, 2, 1]) - (chain.log_probability([0, 2])),
    )
