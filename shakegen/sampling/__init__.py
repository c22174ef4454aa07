"""Drawing a text, one id at a time, from any step function `(ids, state) → (logits, state)`. Only numpy.

A step function reads ids of shape (N,) in N streams and gives logits of shape (N, V) and the state, an array whose
first axis is the stream: rows may be copied, reordered and repeated. It may consume the state it is given, and reuse
the memory of the state and of the logits at the next step.

- `ancestral`: draw each id given those before it; greedy at temperature 0; truncated by top-k, top-p, min-p, typical.
- `beam_search`: look for the likeliest texts. `stochastic_beam_search`: distinct texts, drawn with known probabilities.
- `StopTexts`: where a text ends; `until` ends a draw there.
"""

from shakegen.sampling.ancestral import ancestral, check_draw
from shakegen.sampling.beam import Hypothesis, beam_search, check_beams, log_softmax
from shakegen.sampling.stochastic import apply_temperature, stochastic_beam_search
from shakegen.sampling.stopping import StopTexts, until
from shakegen.sampling.truncation import Truncation

__all__ = [
    "Hypothesis",
    "StopTexts",
    "Truncation",
    "ancestral",
    "apply_temperature",
    "beam_search",
    "check_beams",
    "check_draw",
    "log_softmax",
    "stochastic_beam_search",
    "until",
]
