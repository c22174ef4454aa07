"""Drawing a text, one id at a time, from any step function `(ids, state) → (logits, state)`. Only numpy.

A step function reads ids of shape (N,) in N streams and gives logits of shape (N, V) and the state. The first axis of
the state is the stream: rows may be copied, reordered and repeated. The function may overwrite the state that it is
given, and may reuse the memory of the state and of the logits at the next step.

- `ancestral` draws each id given those before it. Temperature 0 is greedy; top-k, top-p, min-p and typical truncate.
- `beam_search` looks for the likeliest texts. `stochastic_beam_search` draws distinct texts with known probabilities.
- `constraints` keep something out of a text, or weigh what may come next; `Rules` follow them in N streams.
- `particles` write texts of a given form: given texts and free places (`Form`); `fill_slots` does it for ids.
- `StopTexts` finds the end of a text; `until` ends a draw there. `StopAfter` is an end after lines or sentences.
- `TextGenerator` does all this for texts, given a vocabulary.
"""

from shakegen.sampling.ancestral import ancestral, check_draw
from shakegen.sampling.beam import Hypothesis, beam_search, check_beams, log_softmax
from shakegen.sampling.constraints import Rules
from shakegen.sampling.generator import ScoredText, TextGenerator
from shakegen.sampling.particles import Form, Slot, WeightedText, fill_slots
from shakegen.sampling.stochastic import stochastic_beam_search
from shakegen.sampling.stopping import StopAfter, StopTexts, check_min_length, until
from shakegen.sampling.truncation import Truncation

__all__ = [
    "Form",
    "Hypothesis",
    "Rules",
    "ScoredText",
    "Slot",
    "StopAfter",
    "StopTexts",
    "TextGenerator",
    "Truncation",
    "WeightedText",
    "ancestral",
    "beam_search",
    "check_beams",
    "check_draw",
    "check_min_length",
    "fill_slots",
    "log_softmax",
    "stochastic_beam_search",
    "until",
]
