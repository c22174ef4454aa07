"""Constraints on what is written. A constraint weighs the symbols that may come next; the draw renormalises.

- `Forbid` keeps texts, patterns and characters out.
- `NoRepeat` and `RepetitionPenalty` look at what was written.
- `NoCopy` keeps passages of a corpus out.

To add one: a `Constraint` that `bind`s to a `Rule`, an automaton over ids.
"""

from shakegen.sampling.constraints.constraint import Constraint, DeadEnd, Rule, Rules
from shakegen.sampling.constraints.copy_index import CopyIndex
from shakegen.sampling.constraints.forbid import Forbid
from shakegen.sampling.constraints.no_copy import NoCopy
from shakegen.sampling.constraints.repeats import NoRepeat, RepetitionPenalty

__all__ = ["Constraint", "CopyIndex", "DeadEnd", "Forbid", "NoCopy", "NoRepeat", "RepetitionPenalty", "Rule", "Rules"]
