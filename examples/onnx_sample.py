"""Write a text with ONNX Runtime alone: python onnx_sample.py MODEL.onnx "shall i"

MODEL.onnx, a model of characters, comes from `shakegen export MODEL --to onnx`. Only numpy and onnxruntime are needed.
"""

import json
import sys

import numpy as np
import onnxruntime

if len(sys.argv) != 3:
    sys.exit('Usage: python onnx_sample.py MODEL.onnx "shall i"')
path, seed = sys.argv[1:]
session = onnxruntime.InferenceSession(path)
about = session.get_modelmeta().custom_metadata_map
symbols, starts = json.loads(about["vocabulary"]), json.loads(about["start"])
states = {
    one.name: np.array([starts.get(one.name, [0.0] * one.shape[1])], np.float32) for one in session.get_inputs()[1:]
}
if unknown := set(seed) - set(symbols):
    sys.exit(f"The model does not know {', '.join(map(repr, sorted(unknown)))}: try another seed.")
rng, text, temperature = np.random.default_rng(1), seed, 0.6
ids = np.array([[symbols.index(character) for character in seed]])
while len(text) < 300:
    logits, *after = session.run(None, {"ids": ids, **states})
    states = dict(zip(states, after, strict=True))
    weights = np.exp((logits[0, -1] - logits[0, -1].max()) / temperature)
    ids = rng.choice(len(symbols), (1, 1), p=weights / weights.sum())
    text += symbols[ids[0, 0]]
print(text)
