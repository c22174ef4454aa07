"""Worker processes for the tests: `start` starts them; run as a script, this file is one of them."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path

TEXT = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n" * 12
SMALL = {"epochs": 2, "batch_size": 8, "seq_length": 20, "verbose": False}
RUNS = {
    "clipped": (
        {"cell": "rnn", "units": 6, "layers": 1, "dropout": 0},
        {"optimizer": "sgd", "clip_norm": 0.05, "learning_rate": 3.0},
    ),
    "passages": (
        {"cell": "gru", "units": 5, "layers": 1, "learn_initial_state": True, "embedding": 3, "dropout": 0},
        {"passage": 3, "average_weights": 0.9, "weight_decay": 0.01, "batch_size": 7},
    ),
    "bfloat16": (
        {"cell": "gru", "units": 6, "layers": 1, "dropout": 0},
        {"mixed_precision": "bfloat16", "clip_value": 0.01},
    ),
    "still": (
        {"cell": "rnn", "units": 4, "layers": 1, "level": "word", "embedding": 3},
        {"optimizer": "sgd", "learning_rate": 1e-30, "patience": 1, "epochs": 5},
    ),
    "dropout": ({"cell": "rnn", "units": 4, "layers": 1}, {}),
    "words": ({"cell": "gru", "units": 6, "layers": 1, "embedding": 4, "task": "autocomplete", "dropout": 0}, {}),
}
OF_TWO, OF_THREE = ("bfloat16", "words"), ("clipped", "passages")


def corpus_of(run: str):
    from shakegen.study.autocomplete.corpus import AutocompleteCorpus
    from shakegen.text.corpus import Corpus
    from shakegen.text.reading import from_bytes

    if run == "words":
        return AutocompleteCorpus.from_source(from_bytes(TEXT.encode(), "poem"), 10, SMALL["seq_length"])
    return Corpus.from_text(TEXT, level=RUNS[run][0].get("level", "char"))


def recipe_of(run: str):
    from shakegen.training.recipe import Recipe

    options = {**SMALL, **RUNS[run][1]}
    del options["verbose"]
    return Recipe(**options)


def train(run: str, corpus=None, **options):
    """Train one of `RUNS`."""
    from shakegen.network.config import Config
    from shakegen.training import train

    config, recipe = RUNS[run]
    return train(corpus or corpus_of(run), Config(**config), **{**SMALL, **recipe, **options})


def stop_after(run: str, batches: int, **options) -> None:
    """Press Ctrl-C after this many batches of a run."""
    import keras
    import pytest

    from shakegen.training import Interrupted

    class PressCtrlC(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations.numpy() == batches:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        train(run, callbacks=[PressCtrlC()], **options)


def record_starts(corpus, starts: list):
    """The same corpus; each read of windows appends their starts to the list."""
    from dataclasses import replace

    import numpy as np

    class Ids(np.ndarray):
        def __getitem__(self, key):
            if isinstance(key, np.ndarray) and key.shape[1:] == (SMALL["seq_length"] + 1,):
                starts.append(key[:, 0].tolist())
            return super().__getitem__(key)

    return replace(corpus, ids=corpus.ids.view(Ids))


def free_addresses(count: int) -> list[str]:
    """Addresses on this machine with free ports. The system gives higher ones to programs that ask for any port."""
    addresses: dict[str, None] = {}
    while len(addresses) < count:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            addresses[f"127.0.0.1:{port}"] = None
    return [*addresses]


def start(index: int, addresses: list[str], *arguments, **options) -> subprocess.Popen:
    """Start a worker, a Python process with these arguments; TF_CONFIG gives it its index."""
    cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    environment = os.environ | {"TF_CONFIG": json.dumps(cluster), "TF_NUM_INTRAOP_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *map(str, arguments)], env=environment, **pipes, **options)


def main(folder: Path) -> None:
    """Be a worker: train, stop, and resume. Two workers then disagree about an option; of three, one is killed."""
    from shakegen.network.quiet import quiet_tensorflow
    from shakegen.training.workers import Cluster, TeamError, join

    with quiet_tensorflow():
        from keras.callbacks import LambdaCallback

    try:
        with join(Cluster.from_environment(os.environ), 120) as team:
            index, own = team.cluster.index, folder / f"{len(team)}"
            for run in OF_TWO if len(team) == 2 else OF_THREE:
                starts = []
                corpus = corpus_of(run) if run == "words" else record_starts(corpus_of(run), starts)
                train(run, corpus, team=team, out=own / f"{run}.h5")
                (own / f"{run}{index}.json").write_text(json.dumps(starts))
            if len(team) == 2:
                stop_after("passages", 5, team=team, out=own / "stopped.h5")
                train("still", team=team, out=own / "still.h5")
                train("dropout", team=team, epochs=None, minutes=1e-3, out=own / "minutes.h5")
                train("clipped", team=team, seq_length=20 + index)
            train("passages", team=team, resume=folder / "1" / "stopped.h5", out=own / "resumed.h5")
            begun = LambdaCallback(on_epoch_end=lambda epoch, logs: (folder / "begun").touch())
            train("clipped", team=team, epochs=10_000, callbacks=[begun])
    except TeamError as error:
        print(error)


def main_alone(folder: Path) -> None:
    """Train on two devices of one process, and print the weights that Keras's optimizer makes of their gradients."""
    from shakegen.network.quiet import quiet_tensorflow

    with quiet_tensorflow():
        import keras
        import tensorflow as tf

    from shakegen.layers.dropout import ScaledDropout
    from shakegen.training import checkpoint
    from shakegen.training.workers import Strategy

    device = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(device, [tf.config.LogicalDeviceConfiguration()] * 2)
    both = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    Strategy.distribute = lambda strategy: both  # as where there are two GPUs
    train("passages", out=folder / "devices" / "passages.h5")
    seeds = []

    class Seeds(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            scales = [one.scale.variable.value for one in self.model.layers if isinstance(one, ScaledDropout)]
            own = [[float(one) for one in both.experimental_local_results(scale)] for scale in scales]
            (folder / "devices" / "scales.json").write_text(json.dumps(own))
            for name, variable in checkpoint.variables(self.model).items():
                if name.startswith("random/"):
                    seeds.append([one.numpy().tolist() for one in both.experimental_local_results(variable.value)])

    train("dropout", callbacks=[Seeds()], epochs=6)
    (folder / "devices" / "seeds.json").write_text(json.dumps(seeds))
    with both.scope():
        weight, optimizer = keras.Variable([5.0]), keras.optimizers.SGD(1.0, global_clipnorm=1.0)
        optimizer.build([weight])
    weights = []
    for gradients in ([3.0], [-2.0]), ([3.0], [3.0]):
        own = both.experimental_distribute_values_from_function(lambda c, g=gradients: g[c.replica_id_in_sync_group])
        tf.function(lambda own=own: both.run(lambda one: optimizer.apply([one], [weight]), args=(own,)))()
        weights.append(float(weight.numpy()[0]))
    print(json.dumps(weights))


if __name__ == "__main__":
    {"alone": main_alone, "together": main}[sys.argv[1]](Path(sys.argv[2]))
