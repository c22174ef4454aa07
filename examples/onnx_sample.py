"""Write a text with ONNX Runtime alone, the same as `shakegen sample` with the same --temperature and --random-state.

MODEL, a model of characters, comes from `shakegen export MODEL --to onnx`. Only numpy and onnxruntime are needed.
(With 4,096 characters or more, `shakegen sample` draws in another way, and writes other texts.)
"""

import argparse
import json
import sys

import numpy as np
import onnxruntime

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model")
parser.add_argument("seed")
parser.add_argument("--length", type=int, default=200)
parser.add_argument("--temperature", type=float, default=1.0)
parser.add_argument("--random-state", type=int, default=0)
given = parser.parse_args()

session = onnxruntime.InferenceSession(given.model)
about = session.get_modelmeta().custom_metadata_map
symbols, starts = json.loads(about["vocabulary"]), json.loads(about["start"])
if not set(given.seed) <= set(symbols) or not given.seed:
    sys.exit(f"Error: the model cannot begin with {given.seed!r}: expected some of {''.join(filter(None, symbols))!r}")
names = [one.name for one in session.get_inputs()[1:]]
states = [np.array([starts.get(one.name, [0.0] * one.shape[1])], np.float32) for one in session.get_inputs()[1:]]
never = np.array([-np.inf if symbol is None else 0.0 for symbol in symbols])  # the unknown symbol has no text
rng, text = np.random.default_rng((given.random_state, 0)), given.seed
ids = [symbols.index(character) for character in text]
for _ in range(given.length):
    logits, *states = session.run(None, {"ids": np.array([ids]), **dict(zip(names, states, strict=True))})
    noise = -given.temperature * np.log(rng.standard_exponential(len(symbols)))  # of Gumbel's distribution
    ids = [int((logits[0, -1] + never + noise).argmax())]  # has the odds of softmax(logits / temperature)
    text += symbols[ids[0]]
print(text)
