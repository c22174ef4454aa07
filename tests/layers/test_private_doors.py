"""A TensorFlow without the private names that the compiled loop needs: Keras's loop runs, and one warning says so."""

import subprocess
import sys

CODE = """
import sys, warnings
import numpy as np
import keras
import tensorflow
sys.modules[{module!r}] = None  # importing it fails
from shakegen.layers import GRU, LSTM

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for ours, theirs in ((LSTM, keras.layers.LSTM), (GRU, keras.layers.GRU)):
        ours, theirs = ours(4), theirs(4)
        x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
        ours.build(x.shape), theirs.build(x.shape)
        ours.set_weights(theirs.get_weights())
        assert np.array_equal(ours(x, training=True), theirs(x, training=True))
print(*[str(one.message) for one in caught if "compiled loop" in str(one.message)], sep="\\n")
assert "shakegen.layers.recurrence" not in sys.modules
"""


def test_without_them_keras_s_loop_runs_and_one_warning_says_so():
    code = CODE.format(module="tensorflow.compiler.tf2xla.ops")
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == (
        "this TensorFlow lacks private names that the compiled loop of shakegen's layers needs (import of "
        "tensorflow.compiler.tf2xla.ops halted; None in sys.modules); Keras's own loop runs instead, "
        "and training is slower\n"
    )
