"""The memory of training, side by side with Keras's own layers: peak resident megabytes of a process.

    python benchmarks/memory.py                            # every cell at 256 units
    python benchmarks/memory.py --cells lstm --units 8 512

A network of one recurrent layer reads one-hot characters (65 of them, 64 windows of 100 in a batch), as in
`training.py`. Each contender is a process of its own. `imports` is the memory of TensorFlow and Keras before there is a
network. Figures in brackets leave out the pages of files, which hold the code of libraries: the system can drop these
pages, and processes share them. The other figures include XLA's compiler; a layer of 8 units shows little else.
"""

import argparse
import os

from measuring import make_parser, print_head, print_result, print_row, run_alone

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

BATCH, TIME, VOCABULARY, BATCHES, STEPS = 64, 100, 65, 8, 12
KINDS = {"rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM", "nlstm": "NLSTM"}
CONTENDERS = {"shakegen": ("shakegen", False), "keras": ("keras", False), "keras, jit_compile": ("keras", True)}


def resident(field):
    """Megabytes of this process: now (VmRSS), of files (RssFile), or the peak so far (VmHWM)."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(field))


def layer_of(library, cell, units):
    import keras

    if library == "keras" and cell != "nlstm":  # shakegen is not loaded
        return getattr(keras.layers, KINDS[cell])(units, return_sequences=True)
    from shakegen import layers

    if library == "keras":
        return keras.layers.RNN(layers.NLSTMCell(units), return_sequences=True)
    return getattr(layers, KINDS[cell])(units, return_sequences=True)


def train(library, jit, cell, units):
    """Train for some steps; print the resident megabytes before and at the peak, each followed by those of files."""
    import keras
    import numpy as np
    import tensorflow as tf

    characters = np.random.default_rng(0).integers(VOCABULARY, size=(BATCHES * BATCH, TIME + 1), dtype=np.int32)
    before, ids = (resident("VmRSS"), resident("RssFile")), keras.Input((TIME,), batch_size=BATCH, dtype="int32")
    hidden = layer_of(library, cell, units)(keras.ops.one_hot(ids, VOCABULARY))
    model = keras.Model(ids, keras.layers.Dense(VOCABULARY)(hidden))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=jit)
    data = tf.data.Dataset.from_tensor_slices((characters[:, :-1], characters[:, 1:])).batch(BATCH).cache().repeat()
    model.fit(data, steps_per_epoch=STEPS, verbose=0)
    print_result(*before, resident("VmHWM"), resident("RssFile"))


def measure(contender, cell, units):
    """Megabytes before and at the peak, as texts, of one contender in a process of its own."""
    words = "--contender", contender, "--cells", cell, "--units", units
    before, before_files, peak, peak_files = run_alone(__file__, *words)
    return [f"{whole:.0f} ({whole - files:.0f})" for whole, files in ((before, before_files), (peak, peak_files))]


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--cells", nargs="+", default=["rnn", "gru", "lstm", "nlstm"])
    parser.add_argument("--units", nargs="+", type=int, default=[256])
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        train(*CONTENDERS[arguments.contender], arguments.cells[0], arguments.units[0])
        return
    print_head("cell", "units", "imports", *CONTENDERS)
    for cell in arguments.cells:
        for units in arguments.units:
            pairs = [measure(contender, cell, units) for contender in CONTENDERS]
            print_row(cell, units, pairs[0][0], *(peak for _, peak in pairs))


if __name__ == "__main__":
    main()
