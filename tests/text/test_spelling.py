"""Unknown words are spelled by a proper code."""

import math

from hypothesis import given, strategies as st

from shakegen.text.spelling import Spelling
from shakegen.text.vocabulary import CODE_POINTS
from shakegen.text.word_vocabulary import tokenize


@given(st.lists(st.text(max_size=7), max_size=8), st.text(max_size=Spelling.ORDER))
def test_spelling_is_a_proper_code(known, context):
    """After any characters, the probabilities of all code points and of the end sum to 1."""
    code, context = Spelling(known), context.rjust(Spelling.ORDER, "\0")
    seen = {*"".join(known), ""}
    unseen = chr(next(k for k in range(CODE_POINTS) if chr(k) not in seen))
    total = sum(code.probability(character, context) for character in seen)
    total += (CODE_POINTS + 1 - len(seen)) * code.probability(unseen, context)
    assert math.isclose(total, 1, rel_tol=1e-9)


def test_words_like_those_known_are_spelled_in_less():
    code = Spelling(tokenize("shall i compare thee to a summer's day thou art more lovely and more temperate"))
    assert code.nats(" lovelier") < code.nats(" zqxjkvbw") < code.nats(" 床前明月光疑是地")
    uniform = len("zqxjkvbw!") * math.log(CODE_POINTS + 1)
    assert code.nats("zqxjkvbw") < uniform + 20
