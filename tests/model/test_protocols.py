"""Windows against windows read one by one; dynamic evaluation: nothing later counts, and nothing stays."""

from dataclasses import replace

import numpy as np
import pytest

from shakegen.model import Dynamic, Ensemble, Windows, adapting
from shakegen.model.evaluation import evaluate
from shakegen.network.config import Config

LINE = "the cat sat on the mat and the dog sat on the log "


@pytest.fixture
def model(random_model):
    return random_model(Config("rnn", units=8, layers=1))


@pytest.fixture
def make_dynamic(model):
    """The surprisals of each symbol of a text but the first, and the hits, by dynamic evaluation."""

    def read(text, **settings):
        blocks = model.surprisal(model.vocabulary.encode(text), Dynamic(**settings))
        return np.concatenate([np.array(block) for block in blocks], axis=1)

    return read


@pytest.mark.parametrize("draws", [None, 300, 7])
def test_windows_are_the_mean_over_windows_read_one_by_one(model, draws):
    ids, length = model.vocabulary.encode(LINE * 7), 12
    starts = np.arange(len(ids) - length)
    starts = starts if draws is None else np.random.default_rng(3).choice(starts, draws)
    alone = [evaluate(model.engine, ids[start : start + length + 1])[:2] for start in starts]
    found = model.evaluate(LINE * 7, protocol=Windows(length, draws, 3))
    assert found[:2] == pytest.approx(tuple(np.mean(alone, axis=0)), rel=1e-5)
    assert found.characters == len(ids) - 1
    assert found.nats_per_character == pytest.approx(found.nats_per_symbol)


def test_a_single_window_is_the_text_in_order(word_model):
    text = "Shall I xyz compare thee\n"
    ids = word_model.vocabulary.encode(text)
    found, plain = word_model.evaluate(text, protocol=Windows(len(ids) - 1)), word_model.evaluate(text)
    assert found[2:] == plain[2:]
    assert found[:2] == pytest.approx(plain[:2], rel=1e-5)


def test_no_prediction_depends_on_a_later_symbol(make_dynamic):
    """The symbols of a segment are known to no prediction but those after them."""
    text, place = LINE * 2, 43
    before = make_dynamic(text, rate=0.01, segment=10)
    after = make_dynamic(text[:place] + "z" + text[place + 1 :], rate=0.01, segment=10)
    assert np.array_equal(before[:, : place - 1], after[:, : place - 1])
    assert (before[0, place - 1 :] != after[0, place - 1 :]).all()


@pytest.mark.parametrize("zoneout", [0.0, 0.3])
def test_a_network_that_does_not_learn_is_evaluated_as_ever(random_model, zoneout):
    """It neither drops outputs nor keeps states, as it would in training."""
    model = random_model(Config("rnn", units=8, layers=1, dropout=0.4, zoneout=zoneout))
    ids, protocols = model.vocabulary.encode(LINE), (Dynamic(rate=0, decay=0.5, segment=10), None)
    still, plain = (np.hstack([np.array(block) for block in model.surprisal(ids, one)]) for one in protocols)
    np.testing.assert_allclose(still, plain, atol=1e-5)


def test_it_learns_from_the_text_and_the_model_stays(model, make_dynamic):
    weights = {name: weight.copy() for name, weight in model.weights.items()}
    plain = model.evaluate(LINE * 6)
    costs, _ = make_dynamic(LINE * 6, rate=0.01, segment=10)
    assert costs[:10].mean() == pytest.approx(model.evaluate(LINE[:11]).nats_per_symbol, rel=1e-5)
    assert costs.mean() < plain.nats_per_symbol
    assert costs[-50:].mean() < costs[:50].mean() - 0.2
    held = make_dynamic(LINE * 6, rate=0.01, segment=10, decay=1)[0]  # pulled back to where it came from
    assert costs.mean() < held.mean() < plain.nats_per_symbol
    assert all(np.array_equal(weights[name], weight) for name, weight in model.weights.items())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Windows(0), "the windows have 0 symbols: expected 1 or more; 256 is usual"),
        (lambda: Windows(9, 0), "the number of windows to draw is 0: expected 1 or more; 2,000 is usual"),
        (lambda: Windows(9, 9, -1), "the random state is -1: expected a whole number, 0 or more"),
        (lambda: Dynamic(rate=-1), "the dynamic rate is -1: expected a number from 0 to 1; 0.0005 is usual"),
        (lambda: Dynamic(decay=2), "the dynamic decay is 2: expected a share from 0 to 1; 0.001 is usual"),
        (lambda: Dynamic(segment=0), "a segment has 0 symbols: expected 1 to 4,096; 20 is usual"),
    ],
)
def test_numbers_out_of_range(make, message):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == message


def test_texts_and_models_that_do_not_fit(model):
    for text, protocol, message in (
        ("abc", Windows(3), "the text has 3 symbols: expected more than the 3 of a window"),
        ("a", Dynamic(), "the text has 1 symbols: expected 2 or more, for each is predicted from the last"),
    ):
        with pytest.raises(ValueError) as error:
            model.evaluate(text, protocol=protocol)
        assert str(error.value) == message
    with pytest.raises(ValueError) as error:
        Ensemble({"a": model, "b": model}).evaluate("abc", protocol=Dynamic())
    assert str(error.value) == "a mixture does not learn from the text: expected one model for dynamic evaluation"


def test_one_network_reads_several_texts_and_begins_anew_for_each(model, make_dynamic, monkeypatch):
    made, measure = [], adapting.measure_gradients
    monkeypatch.setattr(adapting, "measure_gradients", lambda *given: made.append(given) or measure(*given))
    first = make_dynamic(LINE * 3)
    make_dynamic(LINE[::-1] * 2)
    assert np.array_equal(make_dynamic(LINE * 3), first)
    make_dynamic(LINE, rate=1e-3)
    assert len(made) == 2, "one for each setting"


def test_no_weight_changes_by_more_than_thirty_rates(model):
    """Where a symbol comes that the network never writes, gradients are far beyond their usual size."""
    weights = {name: weight.copy() for name, weight in model.weights.items()}
    weights["dense/bias"][model.vocabulary.symbols.index("c")] = -30
    model, settings = replace(model, weights=weights), Dynamic(rate=1e-4, decay=0.0)
    network, ids = adapting.AdaptingNetwork(model, settings), model.vocabulary.encode("the cat " * 3)
    network.learn(ids[:20], ids[1:21])
    changes = [np.abs(now.numpy() - before.numpy()).max() for now, before in zip(network._variables, network._trained)]
    assert max(changes) == pytest.approx(30 * settings.rate, rel=1e-3)
