"""The engine of the page alone in a browser, for the tests of its numbers."""

from importlib import resources

import numpy as np

FILES = ("encoding.js", "engine.js", "sampling.js")
ALONG = """
const network = new Network(arguments[0]), states = network.read(arguments[1], undefined, arguments[2]);
const lists = one => Object.fromEntries(Object.entries(one).map(([name, values]) => [name, [...values]]));
const output = [...states.at(-1).logits.keys()].at(arguments[3]);
return {
  logits: states.map(state => [...state.logits]),
  first: [...network.start().logits],
  shown: states.map(state => network.shown(state).map(lists)),
  norms: [...network.connectivity(states, output)],
  output,
};
"""


def open_engine(browser, folder):
    """Open a page with the engine and nothing else."""
    sources = [resources.files("shakegen.export.page").joinpath(name).read_text("utf-8") for name in FILES]
    path = folder / "engine.html"
    path.write_text("<!DOCTYPE html><meta charset=utf-8>" + "".join(f"<script>{s}</script>" for s in sources), "utf-8")
    browser.get(path.as_uri())


def read_along(browser, description, ids, keep=False, output=0):
    """A network along a text: logits, those of the start, the values shown, and the connectivity of the last output."""
    found = browser.execute_script(ALONG, description, [int(k) for k in ids], keep, output)
    return {name: value if name in ("shown", "output") else np.array(value) for name, value in found.items()}
