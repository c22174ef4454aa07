"""Keras's usual type of numbers, `floatx` in its settings, changes nothing in our networks, and rounds no id."""

import json
import os
import subprocess
import sys

PROGRAM = """
import json, sys
import keras
import numpy as np
from shakegen import AutocompleteCorpus, Config, Corpus, train
from shakegen.text.reading import from_bytes

assert keras.config.floatx() == sys.argv[1]
symbols = "".join(map(chr, range(0x4E00, 0x4E00 + 2500)))
letters = np.array(list("abcdefghijklmnop"))
names = " ".join("".join(letters[[k % 16, k // 16 % 16, k // 256]]) for k in range(2500))
options = {"epochs": 1, "batch_size": 8, "learning_rate": 0.02, "schedule": "constant", "verbose": False}
seen, dtypes = {}, set()

def note(epoch, logs):
    variables = [*watch.model.variables, *watch.model.optimizer.variables, *watch.model.outputs]
    dtypes.update(keras.backend.standardize_dtype(variable.dtype) for variable in variables)

watch = keras.callbacks.LambdaCallback(on_epoch_end=note)
for floatx in (sys.argv[1], "float64", "float32"):
    keras.config.set_floatx(floatx)
    found = []
    for corpus, config in (
        (Corpus.from_text(symbols * 2), Config("rnn", units=4, layers=1)),
        (AutocompleteCorpus.from_source(from_bytes(names.encode()), length=40), Config.study("rnn", units=4, layers=1)),
    ):
        model = train(corpus, config, callbacks=[watch], seq_length=40, **options)
        found += [model.history[0]["loss"], model.history[0]["val_loss"]]
        network = model.keras_model()
        assert {weight.dtype for weight in network.weights} == {"float32"} == {network.output.dtype}
        found.append(float(np.abs(network(np.arange(20)[None])).sum()))
    seen[floatx] = found
print(json.dumps([seen, sorted(dtypes)]))
"""


def test_ids_stay_whole_and_networks_have_32_bits(tmp_path):
    """With more symbols, and more words, than 16 bits can count."""
    (tmp_path / "keras.json").write_text(json.dumps({"floatx": "float16", "backend": "tensorflow"}))
    environment = {**os.environ, "KERAS_HOME": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAM, "float16"]
    result = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    seen, dtypes = json.loads(result.stdout.splitlines()[-1])
    assert set(dtypes) <= {"float32", "int32", "int64", "uint32"}
    assert seen["float16"] == seen["float64"] == seen["float32"]
