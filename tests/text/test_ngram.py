"""n-grams against the equations of Chen & Goodman (1998), written down as they stand."""

from collections import Counter

import numpy as np
import pytest

from shakegen.text import Corpus, ngram

V = 5


@pytest.fixture
def text(rng):
    """A text with structure: each symbol tends to follow from the two before it."""
    ids = [0, 1]
    while len(ids) < 400:
        ids.append(int(rng.choice(V)) if rng.random() < 0.3 else (2 * ids[-1] + ids[-2]) % V)
    return np.array(ids)


def naive(train, held_out, order):
    """Bits per symbol, by the recursion over contexts; `V` stands for what precedes the text."""
    padded = [V] * order + list(train)

    def grams(n):
        return Counter(tuple(padded[i - n + 1 : i + 1]) for i in range(order, len(padded)))

    def counts(n):
        if n == order:
            return grams(n)
        return Counter(gram[1:] for gram in grams(n + 1))

    def discounts(number):
        n1, n2, n3, n4 = (sum(c == k for c in number.values()) for k in (1, 2, 3, 4))
        share = n1 / max(n1 + 2 * n2, 1)
        pairs = (1, n1, n2), (2, n2, n3), (3, n3, n4)
        raw = [k - (k + 1) * share * more / few if few else k / 2 for k, few, more in pairs]
        return [min(max(value, 0.1), most) for value, most in zip(raw, (0.9, 1.9, 2.9))]

    tables = {n: counts(n) for n in range(1, order + 1)}
    taken = {n: discounts(table) for n, table in tables.items()}

    def probability(context, symbol):
        n = len(context) + 1
        lower = 1 / V if n == 1 else probability(context[1:], symbol)
        following = {gram[-1]: c for gram, c in tables[n].items() if gram[:-1] == context}
        if not following:
            return lower
        d = {s: taken[n][min(c, 3) - 1] for s, c in following.items()}
        left = following[symbol] - d[symbol] if symbol in following else 0
        return (left + sum(d.values()) * lower) / sum(following.values())

    history, bits = list(padded), []
    for symbol in held_out:
        bits.append(-np.log2(probability(tuple(history[len(history) - order + 1 :]), symbol)))
        history.append(int(symbol))
    return np.mean(bits)


def test_it_is_modified_kneser_ney(text):
    train, held_out = text[:300], text[300:330]
    bits = [each.mean() for each in ngram.predict(train, held_out, V, 4)]
    np.testing.assert_allclose(bits, [naive(train, held_out, n) for n in range(1, len(bits) + 1)], rtol=1e-12)
    assert len(bits) >= 3


@pytest.mark.parametrize("size", [7, 1 << 40, 1 << 58], ids=["small", "larger", "too large for a number and a place"])
def test_strings_are_numbered_in_their_order(size, rng):
    shorter, before = rng.integers(0, 8, 300), rng.choice([0, 1, size - 1, size], 300)
    expected = np.unique(shorter * (size + 1) + before, return_inverse=True)
    for found, wanted in zip(ngram.number_strings(shorter, before, size), expected, strict=True):
        assert found.tolist() == wanted.tolist()
    assert ngram.find_strings(expected[0], shorter, before, size).tolist() == expected[1].tolist()
    assert ngram.find_strings(expected[0], np.array([9]), np.array([0]), size) == len(expected[0])


@pytest.mark.parametrize("end", [[], [4, 4, 4, 0]], ids=["a known context", "a context never seen"])
def test_probabilities_of_all_symbols_add_up_to_one(text, end):
    train = np.concatenate([text[:200] % 4, end]).astype(int)
    bits = [np.concatenate(list(ngram.predict(train, np.array([symbol]), V, 2))) for symbol in range(V)]
    np.testing.assert_allclose(np.exp2(-np.array(bits)).sum(0), 1)


def test_the_best_order_is_that_of_the_source(rng):
    """Symbols that depend on the two before them, and on no other, are predicted best by trigrams."""
    rows = rng.dirichlet(np.full(3, 0.3), (3, 3))
    ids = [0, 0]
    for draw in rng.random(30_000):
        ids.append(int(np.searchsorted(np.cumsum(rows[ids[-2], ids[-1]])[:-1], draw)))
    ids = np.array(ids)
    bits = np.array([each.mean() for each in ngram.predict(ids[:25_000], ids[25_000:], 3, 8)])
    assert bits.argmin() == 2
    given = rows[ids[24_998:-2], ids[24_999:-1], ids[25_000:]]
    assert bits.min() == pytest.approx(-np.log2(given).mean(), abs=0.01)


def test_orders_that_no_longer_help_are_not_tried(monkeypatch):
    tried = []
    monkeypatch.setattr(
        ngram, "predict", lambda *given: (tried.append(n) or np.full(9, abs(n - 3.0)) for n in range(9))
    )
    corpus = Corpus.from_text("abcdefghi" * 10, split=(80, 9, 1))
    order, bits = ngram.predict_parts(corpus, ["validation"])
    assert (order, tried, bits["validation"].tolist()) == (4, [0, 1, 2, 3, 4, 5], [0.0] * 9)


def test_the_validation_text_chooses_the_order_for_both_parts(text):
    symbols = "".join("abcde"[id] for id in text)
    corpus = Corpus.from_text(symbols, split=(300, 60, 40))
    order, bits = ngram.predict_parts(corpus)
    assert order == ngram.find_best(corpus).order
    assert {name: len(each) for name, each in bits.items()} == {"validation": 60, "test": 40}
    whole = list(ngram.predict(corpus.train, np.concatenate([corpus.validation, corpus.test]), V, order))[-1]
    assert np.array_equal(np.concatenate(list(bits.values())), whole)


def test_the_baseline_is_measured_on_validation_text_with_the_spelling_of_unknown_words():
    verse = "the cat sat on the mat and the dog sat on the log\n" * 30
    characters = Corpus.from_text(verse, split=(0.8, 0.1, 0.1))
    best = ngram.find_best(characters)
    size = len(characters.vocabulary)
    bits = [each.mean() for each in ngram.predict(characters.train, characters.validation, size, ngram.ORDERS)]
    assert best == (int(np.argmin(bits)) + 1, min(bits))
    words = Corpus.from_text(verse, level="word", vocabulary_size=5, split=(0.8, 0.1, 0.1))
    part = words.parts[1]
    assert part.spelling > 0
    least = part.spelling / np.log(2) / part.characters
    assert ngram.find_best(words).bits_per_character > least
    assert ngram.find_best(Corpus.from_text(verse, split=(1, 0, 0))) is None


@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_step_function_has_the_same_probabilities_and_they_sum_to_one(text, order):
    train, held_out = text[:300], text[300:]
    model = ngram.KneserNey(train, V, order)
    logits, state = model.prime(train, 2)
    bits = []
    for symbol in held_out:
        np.testing.assert_allclose(np.exp(logits).sum(axis=1), 1, rtol=1e-12)
        bits.append(-logits[0, symbol] / np.log(2))
        logits, state = model.step(np.array([symbol, 0]), state)
    assert np.mean(bits) == pytest.approx(list(ngram.predict(train, held_out, V, 4))[order - 1].mean(), rel=1e-12)
    read, state = [], model.start()
    for symbol in train:
        logits, state = model.step(np.array([symbol]), state)
        read.append(logits[0])
    for length in (0, 1, 7):
        before = read[length - 1] if length else np.log(model.probabilities(model.start().astype(int)))[0]
        np.testing.assert_allclose(model.prime(train[:length].tolist())[0][0], before, rtol=1e-12)


@pytest.mark.parametrize("wrong", [-1, V])
def test_the_step_function_refuses_ids_that_do_not_exist(text, wrong):
    model = ngram.KneserNey(text, V, 2)
    for read in (lambda: model.step(np.array([wrong]), model.start()), lambda: model.prime(np.array([wrong]))):
        with pytest.raises(ValueError) as error:
            read()
        assert str(error.value) == f"there is no id {wrong}: expected whole numbers from 0 to {V - 1}"


@pytest.mark.parametrize("most", [10, 1 << 60], ids=["both in one integer", "too large for it"])
def test_keys_are_sorted_with_their_places(rng, most):
    keys = rng.integers(0, most, 300)
    found, places = ngram.sort(keys)
    assert np.array_equal(found, np.sort(keys))
    assert np.array_equal(keys[places], found)
    assert sorted(places.tolist()) == list(range(300))


def test_of_orders_that_are_equally_good_the_bits_are_those_of_the_shortest():
    train, held_out = np.array([0, 1] * 50 + [3]), np.array([2, 2, 2, 0, 1, 0, 1, 0, 1])
    order, bits = ngram.choose(train, held_out, 4, 3)
    assert order == 2
    assert np.array_equal(bits, list(ngram.predict(train, held_out, 4, 2))[-1])
