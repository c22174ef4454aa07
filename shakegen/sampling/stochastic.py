"""Stochastic beam search: distinct texts, drawn without replacement, with known probabilities."""

import numpy as np

from shakegen.sampling.ancestral import Step, check_draw
from shakegen.sampling.beam import Beams, Hypothesis, check_beams, find_highest, log_softmax
from shakegen.sampling.constraints import Rules
from shakegen.sampling.stopping import StopTexts

LATE = 700.0  # the logarithm of a time beside which the first arrival is nothing; exp of a larger one overflows


def stochastic_beam_search(
    step: Step,
    logits: np.ndarray,
    state: np.ndarray,
    length: int,
    width: int,
    temperature: float = 1.0,
    random_state: int = 0,
    stops: StopTexts | None = None,
    min_length: int = 0,
    rules: Rules | None = None,
) -> list[Hypothesis]:
    """Draw distinct texts from the distribution of the network, without replacement (Kool et al. 2019).

    Each text's log-probability φ is perturbed by Gumbel noise; the `width` texts with the highest sums are a sample
    without replacement (the Gumbel-top-k trick). The noise is drawn top down: a prefix has the maximum of its
    continuations. So the search need not look at all texts.

    Args:
        step: the step function.
        logits: of the first id, shape (1, V).
        state: of one stream, as `step` returned it with these logits.
        length: the number of ids in a text, unless a stop text ends it.
        width: the number of texts to draw.
        temperature: above 0; divides the logits at every step.
        random_state: a whole number ≥ 0.
        stops: the stop texts; none by default.
        min_length: a stop text does not end a text before it has so many ids.
        rules: what may be written, for one stream; the distribution is renormalised at every step.

    Returns:
        `width` distinct texts, or all that are possible, in the order of the draw. The score is the perturbed
        log-probability. Let κ be the lowest score. Given κ, each other text was in the sample with probability
        1 - exp(-exp(φ - κ)), which gives importance weights.

    Raises:
        ValueError: an argument is out of range.
    """
    check_draw(length, temperature, random_state)
    check_beams(length, width, logits.shape[1])
    if not temperature:
        raise ValueError("the temperature is 0: expected a number above 0, for there is but one greedy text")
    random = np.random.default_rng(random_state)
    beams = Beams(step, logits, state, length, 1, stops, min_length, rules)
    log_probabilities, perturbed = np.zeros(1), -np.log(random.standard_exponential(1))
    while beams.read_last():
        weighed = beams.logits.astype(float)  # a copy: those of the step are not ours to change
        if rules:
            rules.weigh(weighed, weighed, every=True)
        totals = log_softmax(weighed, temperature)
        totals += log_probabilities[:, None]
        noisy = draw_below_maxima(totals, random.standard_exponential(totals.shape), perturbed)
        beams.freeze(totals, log_probabilities)
        beams.freeze(noisy, perturbed)
        top = find_highest(noisy.ravel(), width)
        if not len(top):
            break
        log_probabilities, perturbed = totals.ravel()[top], noisy.ravel()[top]
        beams.advance(*np.divmod(top, totals.shape[1]))
    return beams.hypotheses(perturbed, log_probabilities)


def draw_below_maxima(totals: np.ndarray, exponential: np.ndarray, maxima: np.ndarray) -> np.ndarray:
    """Gumbel variables with locations `totals`, shape (N, V), given that the maximum of row n is maxima[n].

    exp(-G) of a Gumbel variable G is an exponential one, a time of arrival. The first in a row arrives at
    exp(-maximum), and all others keep their distance to it. Kool et al. 2019, appendix B.3, have it in logarithms.

    Args:
        exponential: standard exponential variables, shape (N, V).
    """
    maxima = maxima[:, None]
    behind = maxima - totals
    late = behind > LATE if behind.max() > LATE else None
    times = np.exp(behind if late is None else np.minimum(behind, LATE))  # relative to the first arrival
    times *= exponential
    times -= times.min(axis=1, keepdims=True)
    noisy = maxima - np.log1p(times)
    return noisy if late is None else np.where(late, totals - np.log(exponential), noisy)
