"""The cost of the training loop: `train()`, with its batches, schedules and callbacks, against its bare step.

    python benchmarks/loop.py
    python benchmarks/loop.py --cell lstm --units 128 --layers 1

The bare step is the same compiled function of the same network, called again and again with one prepared batch. The
loop makes each batch from a text, sets learning rate and dropout, and calls the callbacks. Both figures are medians in
milliseconds a step. Their rounds take turns in one process.
"""

import itertools
import os
import statistics
import time

from measuring import make_parser

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--cell", default="gru")
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=40, help="of a round")
    arguments = parser.parse_args()

    import keras
    import numpy as np
    import tensorflow as tf

    from shakegen import Config
    from shakegen.text.corpus import Corpus
    from shakegen.training.beginning import begin
    from shakegen.training.trainer import Trainer
    from shakegen.training.workers import Strategy

    durations, ends = {"loop": [], "bare step": []}, []

    class Rounds(keras.callbacks.Callback):
        """Time some steps of the loop, then as many bare ones."""

        def on_train_batch_end(self, batch, logs=None):
            ends.append(time.perf_counter())
            if len(ends) < arguments.steps + 2:
                return
            durations["loop"] += [later - earlier for earlier, later in itertools.pairwise(ends)][1:]
            for _ in range(arguments.steps):
                began = time.perf_counter()
                float(trainer.run.learner._step(*ready))
                durations["bare step"].append(time.perf_counter() - began)
            ends.clear()
            self.model.stop_training = len(durations["loop"]) >= arguments.rounds * arguments.steps

    text = "".join(map(chr, np.random.default_rng(0).integers(32, 97, size=1 << 20)))
    config = Config(arguments.cell, units=arguments.units, layers=arguments.layers)
    beginning = begin(Corpus.from_text(text), config, checkpoint_every=0, epochs=1000)
    trainer = Trainer(beginning, time.monotonic(), Strategy())
    ready = *trainer.run.learner.prepare(0), tf.constant(1e-3)
    trainer.train([Rounds()], log_dir=None, verbose=False)
    medians = {name: 1000 * statistics.median(seconds) for name, seconds in durations.items()}
    print(" | ".join(f"{name} {median:.2f} ms" for name, median in medians.items()), end=" | ")
    print(f"bare step / loop {medians['bare step'] / medians['loop']:.3f}")


if __name__ == "__main__":
    main()
