"""Texts of a form, written by a network."""

from collections.abc import Iterable
from typing import NamedTuple

from shakegen.checks import check_seed, is_number, is_whole
from shakegen.sampling.ancestral import check_draw
from shakegen.sampling.constraints import Constraint
from shakegen.sampling.particles.binding import bind_form, read_given
from shakegen.sampling.particles.filter import fill_slots
from shakegen.sampling.particles.form import Form

MOST = 10_000_000  # particles times the length of the longest text


class WeightedText(NamedTuple):
    """One text of particles.

    Attributes:
        text: the new text, without the seed.
        log_weight: an estimate of the probability that the network itself writes a text of this form after all that is
            given before the first place, in nats. Among several texts, each counts in proportion to exp(log_weight). A
            run in which all particles died gives no text; it counts as weight 0 in the mean.
        log_probability: of the text from the first place on, in nats.
    """

    text: str
    log_weight: float
    log_probability: float


def fill_form(
    generator,
    form: Form | str,
    seed: str = "",
    count: int = 1,
    particles: int = 64,
    temperature: float = 1.0,
    random_state: int = 0,
    on_unknown: str | None = None,
    constraints: Constraint | Iterable[Constraint] = (),
) -> list[WeightedText]:
    """Texts of a form, drawn from the network's distribution given that its text has the form, by particles.

    Args:
        form: a `Form`, or a template: a text with free places such as `{:40}`.
        seed: the text before.
        count: the number of texts. Text i depends only on `random_state` and i.
        particles: the texts that grow side by side for each of them. The draw becomes exact as their number grows;
            with the weights, averages become exact as the number of texts grows, for any number of particles.
        temperature: divides the logits; above 0. The distribution is that of the network at this temperature.
        random_state: determines the texts.
        on_unknown: as for `samples`; by default, unknown symbols of the form are refused. An unknown symbol of a
            given text costs nothing.
        constraints: what may be written, given texts included. The text is drawn given that nothing forbidden
            stands in it. A `RepetitionPenalty` weighs whole texts, after the temperature; then the weight of a text
            is no estimate of a probability.

    Returns:
        The texts, at most `count`: fewer if all particles came to a dead end now and then.

    Raises:
        UnknownCharacters, UnknownWords: a given text has unknown symbols and `on_unknown` is "error" or None.
        ValueError: a number is out of range, nothing has the form, or no text was found.
    """
    form = Form.template(form) if isinstance(form, str) else form
    vocabulary = generator.vocabulary
    check_particles(count, particles, temperature, random_state)
    check_seed(seed)
    if particles * form.longest > MOST:
        raise ValueError(
            f"{particles} particles over up to {form.longest:,} characters are too many: expected a product of at most "
            f"{MOST:,}"
        )
    bound = bind_form(form, vocabulary, seed, on_unknown)
    logits, state = generator._prime(seed + bound.lead, on_unknown)
    known = len(vocabulary.symbols)
    rules = read_given(generator._rules(constraints, [seed, ""]), bound, known)
    runs = fill_slots(
        generator._step, logits, state, bound.slots, particles, count, temperature, random_state, rules, known
    )
    found = [run for run in runs if run is not None]
    if not found:
        raise ValueError(
            f"no text of this form was found: all {particles} particles came to a dead end; expected a form that the "
            "model can write; try more particles, or ask for less"
        )
    texts = []
    for run in found:
        pieces = [bound.lead]
        for ids, pending, text in zip(run.places, bound.pending, bound.texts, strict=True):
            pieces += [vocabulary.decode(ids).removeprefix(pending), text]
        texts.append(WeightedText("".join(pieces), run.log_weight, run.log_probability))
    return texts


def check_particles(count: int, particles: int, temperature: float, random_state: int) -> None:
    """Check the numbers of a draw by particles.

    Raises:
        ValueError: a number is out of range.
    """
    check_draw(0, temperature, random_state, count)
    if not is_whole(particles, 1, 1_000_000):
        raise ValueError(f"the number of particles is {particles!r}: expected 1 to 1,000,000; 64 is usual")
    if not (is_number(temperature, 1e-3, 1e3)):
        raise ValueError(
            f"the temperature is {temperature!r}: expected 0.001 to 1000 where particles draw; 0.5 is careful, 1 is "
            "free"
        )
