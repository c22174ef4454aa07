"""Texts of a given form, by sequential Monte Carlo.

- `Form` says what is given and what is free: templates, bridges, texts that contain or end with something.
- `fill_form` draws texts of a form; `fill_slots` does it over ids, with any step function.
- `Contexts` is a small Markov chain that a network teaches; `Lookahead` tells with it how probable the given text is.
- `swarm` holds the particles and their weights.
"""

from shakegen.sampling.particles.filter import fill_slots
from shakegen.sampling.particles.form import Form, Place
from shakegen.sampling.particles.slot import Slot
from shakegen.sampling.particles.swarm import Filled
from shakegen.sampling.particles.writing import WeightedText, fill_form

__all__ = ["Filled", "Form", "Place", "Slot", "WeightedText", "fill_form", "fill_slots"]
