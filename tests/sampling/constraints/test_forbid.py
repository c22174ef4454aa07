"""What is forbidden is never written, and the rest is drawn as by renormalising at each symbol."""

import itertools
import re

import numpy as np
import pytest
from ngrams import repeats
from scipy import stats

from shakegen.sampling import ancestral
from shakegen.sampling.constraints import (
    Constraint,
    DeadEnd,
    Forbid,
    NoRepeat,
    RepetitionPenalty,
    Rule,
    Rules,
    automata,
)

WORDS = ["a", "ba", "ab", " b", "c\n", None]


def markov(logits):
    """A step function whose logits depend on the last id alone."""

    def step(ids, state):
        return logits[ids].copy(), state

    return step


def draw(constraints, symbols, length, streams=1, seeds=None, random_state=1, **options):
    size = len(symbols)
    logits = np.random.default_rng(5).normal(size=(size, size)).astype(np.float32)
    logits[:, [k for k, text in enumerate(symbols) if text is None]] = -np.inf
    rules = Rules(constraints, symbols, seeds or [""] * streams)
    first = np.repeat(logits[:1], streams, axis=0)
    draws = ancestral(
        markov(logits), first, np.zeros((streams, 0)), length, random_state=random_state, rules=rules, **options
    )
    return np.array([ids.copy() for ids in draws]).T, logits


LENGTH = 4
LAWS = {
    "text": (Forbid("ab"), lambda text: "ab" not in text),
    "dead end": (Forbid(["ba", "bb", "bc"]), lambda text: "b" not in text),
    "pattern": (Forbid(patterns="a[^a]*a"), lambda text: text.count("a") < 2),
    "alphabet": (Forbid(alphabet="ac"), lambda text: set(text) <= set("ac")),
    "repeats": (NoRepeat(2), lambda text: not repeats(text, 2)),
    "penalty": (RepetitionPenalty(3, 2), lambda text: 1 / 3 if text[-1] in text[-3:-1] else 1),
}


@pytest.mark.parametrize(("constraint", "weigh"), LAWS.values(), ids=LAWS)
def test_texts_come_as_often_as_by_renormalising_at_each_symbol(constraint, weigh):
    streams, temperature = 2000, 0.8
    drawn, logits = draw([constraint], "abc", LENGTH, streams, temperature=temperature)
    expected = {}
    for text in itertools.product(range(3), repeat=LENGTH):
        share, before = 1.0, 0
        for end in range(LENGTH):
            prefix = "".join("abc"[k] for k in text[:end])
            weights = np.array([weigh(prefix + one) for one in "abc"]) * np.exp(logits[before].astype(float))
            if share:
                share *= weights[text[end]] ** (1 / temperature) / (weights ** (1 / temperature)).sum()
            before = text[end]
        expected[text] = share * streams
    counts = dict.fromkeys(expected, 0)
    for text in map(tuple, drawn.tolist()):
        counts[text] += 1
    assert not any(counts[text] for text, share in expected.items() if not share)
    often = [text for text, share in expected.items() if share > 5]
    rare = streams - sum(expected[text] for text in often), streams - sum(counts[text] for text in often)
    pairs = [(expected[text], counts[text]) for text in often] + ([rare] if rare[0] > 5 else [])
    assert sum((count - mean) ** 2 / mean for mean, count in pairs) < stats.chi2.ppf(0.9999, len(pairs) - 1)


def test_what_is_forbidden_is_not_in_100_000_symbols():
    constraints = [Forbid(["cab", "aaa"], patterns=["b[^b]{3}c"]), Forbid(alphabet="abcd")]
    drawn, _ = draw(constraints, "abcde", 100_000)
    text = "".join("abcde"[k] for k in drawn[0])
    assert not re.search("cab|aaa|b[^b]{3}c|e", text)
    assert set(text) == set("abcd")


@pytest.mark.parametrize("options", [{}, {"temperature": 0}, {"top_k": 2}, {"top_p": 0.9}, {"perplexity": 2}], ids=str)
def test_words_are_forbidden_across_their_borders(options):
    drawn, _ = draw([Forbid(["abb", "aa"], patterns=[r"\n ", "b{2}"])], WORDS, 500, 3, **options)
    for row in drawn:
        assert not re.search("abb|aa|\n |bb", "".join(WORDS[k] for k in row))


def test_what_begins_in_the_seed_is_forbidden_and_what_is_in_it_is_not():
    for seed in ("xcab", "abc"):
        drawn, _ = draw([Forbid(["bc", "ba", "c", "cab"])], "abc", 3, seeds=[seed])
        assert seed == "abc" or drawn[0][0] == 1
        assert not re.search("bc|ba|c|cab", ("b" if seed.endswith("b") else "") + "".join("abc"[k] for k in drawn[0]))


@pytest.mark.parametrize("options", [{}, {"temperature": 0}, {"top_p": 0.8}], ids=str)
def test_a_constraint_that_never_binds_changes_no_id(options):
    ruled, logits = draw([Forbid("x"), NoRepeat(200)], "abc", 150, 2, **options)
    start = np.repeat(logits[:1], 2, axis=0)
    plain = ancestral(markov(logits), start, np.zeros((2, 0)), 150, random_state=1, **options)
    assert np.array_equal(ruled.T, [ids.copy() for ids in plain])


def test_several_constraints_hold_together():
    drawn, _ = draw([Forbid("a"), Forbid("b")], "abc", 20)
    assert set(drawn[0]) == {2}


def test_a_dead_end_is_said():
    with pytest.raises(DeadEnd) as error:
        draw([NoRepeat(1), Forbid(alphabet="ab")], "abc", 5)
    assert str(error.value) == (
        "after 2 symbols nothing may follow under no 1 symbols in a row twice and the alphabet 'ab': expected "
        "constraints that leave a choice; relax one, or try another random state"
    )


IMPOSSIBLE = {
    "forbidding 'a', 'b' and the alphabet 'ab' leaves nothing to write: every text would soon come to something "
    "forbidden": lambda: draw([Forbid(["a", "b"], alphabet="ab")], "abc", 3),
    "forbidding the pattern 'a.*.' leaves nothing to write: every text would soon come to something forbidden":
        lambda: draw([Forbid(patterns="a.*.")], "abc", 3, seeds=["xa"]),
    "a forbidden text is empty: expected one character or more": lambda: Forbid(["a", ""]),
    "the pattern 'a*' matches the empty text, which every text has: expected one that needs a character":
        lambda: Forbid(patterns="a*"),
    "nothing is forbidden: expected texts, patterns or an alphabet": lambda: Forbid(alphabet=None),
}  # fmt: skip


@pytest.mark.parametrize(("message", "make"), IMPOSSIBLE.items())
def test_impossible_constraints_are_refused_before_anything_is_drawn(message, make):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == message


def test_constraints_that_need_much_memory_are_refused(monkeypatch):
    monkeypatch.setattr(automata, "MOST_CELLS", 11)
    with pytest.raises(ValueError) as error:
        Forbid("abc").bind("abc")
    assert str(error.value) == (
        "forbidding 'abc' needs 4 states over 3 symbols: expected at most 3 states; try something simpler"
    )


def test_a_constraint_of_ones_own():
    class Alternate(Constraint):
        def bind(self, symbols):
            return AlternateRule()

    class AlternateRule(Rule):
        def start(self, text):
            return 0

        def advance(self, state, drawn):
            return 1 - state

        def log_weights(self, state):
            return np.array([[0, -np.inf], [-np.inf, 0]][state], np.float32)

        def __str__(self):
            return "a and b in turn"

    drawn, _ = draw([Alternate()], "ab", 6)
    assert drawn[0].tolist() == [0, 1, 0, 1, 0, 1]
    with pytest.raises(TypeError) as error:
        Rules(["love"], "ab")
    assert str(error.value) == "a constraint is 'love': expected one of shakegen.sampling.constraints"


def test_a_forbidden_text_may_begin_in_the_seed_with_a_character_that_no_symbol_has():
    drawn, _ = draw([Forbid("éa")], ["a", "b"], 1, streams=40, seeds=["é"] * 40)
    assert set(drawn[:, 0].tolist()) == {1}


def test_a_symbol_without_a_text_parts_what_stands_around_it():
    rule = Forbid("ab").bind(["a", "b", None])
    after = rule.advance(rule.advance(rule.start(""), 0), 2)
    assert rule.allows(after, 1)
    assert not rule.allows(rule.start("a"), 1)


def test_a_single_constraint_needs_no_list(random_model):
    model = random_model()
    several = {"random_state": 2, "constraints": [Forbid("e")]}
    single = several | {"constraints": Forbid("e")}
    assert model.sample("ab", 30, **single) == model.sample("ab", 30, **several)
    assert model.beams("ab", 9, constraints=Forbid("e")) == model.beams("ab", 9, constraints=[Forbid("e")])


def test_a_match_may_begin_in_the_seed_with_a_character_that_no_symbol_has():
    for pattern, forbidden in (("éa", True), ("[^é]a", False)):
        rules = Rules(Forbid(patterns=pattern), ["a", "b"], ["é"])
        weighed = rules.weigh(np.zeros((1, 2)), np.empty((1, 2)), every=True)
        assert (weighed[0, 0] == -np.inf) == forbidden
