"""Keras's own callbacks see and do in our runs what they see and do under `fit`."""

import csv
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import keras
import numpy as np
import pytest
import tensorflow as tf
from small import PLAIN, SMALL

from shakegen.network.build import build
from shakegen.text.corpus import Corpus
from shakegen.text.windows import Passages
from shakegen.training import train
from shakegen.training.optimizer import make_optimizer
from shakegen.training.recipe import Recipe

OPTIONS = {"epochs": 3, "schedule": "constant", "batch_size": 8, "seq_length": 20, "passage": 1}
K = keras.callbacks
HOOKS = ("train_begin", "epoch_begin", "train_batch_begin", "train_batch_end", "test_begin", "test_end", "epoch_end",
         "train_end")  # fmt: skip


class Watch(K.Callback):
    """Notes what Keras's users see: each call, its number, the losses, the learning rate and whether a weight moved."""

    def __init__(self):
        super().__init__()
        self.calls, self.figures = [], []
        for hook in HOOKS:
            setattr(self, f"on_{hook}", lambda *given, hook=hook, **named: self.note(hook, *given, **named))

    def note(self, hook, number=None, logs=None):
        self.calls.append((hook, number if isinstance(number, int) else None))
        logs = {name: value for name, value in (logs or {}).items() if name in ("loss", "val_loss")}
        weight = float(np.sum(self.model.get_weights()[0]))
        self.figures.append([*logs.values(), float(self.model.optimizer.learning_rate), weight])


@pytest.fixture(scope="module")
def networks():
    """Networks as `fit` has them: tracing them again would take seconds."""
    return {}


@pytest.fixture
def both(corpus, networks):
    """A function that gives callbacks to a run of ours and to Keras's `fit` on the same batches: what each saw."""

    def ours(callbacks, options):
        watch = Watch()
        train(corpus, PLAIN, callbacks=[*callbacks, watch], verbose=False, **options)
        return watch

    def theirs(callbacks, options):
        recipe, watch = Recipe(**options), Watch()
        batches = Passages(corpus.train, recipe.seq_length, recipe.batch_size, recipe.random_state)
        if recipe not in networks:
            networks[recipe] = compile_network(recipe, batches)
        network, start = networks[recipe]
        for variable, value in start:
            variable.assign(value)
        pairs = [batches.pair(number) for number in range(3 * batches.steps)]
        data = tf.data.Dataset.from_tensor_slices(tuple(map(np.stack, zip(*pairs, strict=True))))
        ids = corpus.validation[None].astype(np.int32)
        held_out = tf.data.Dataset.from_tensors((ids[:, :-1], ids[:, 1:]))
        network.fit(data, epochs=3, steps_per_epoch=batches.steps, validation_data=held_out, verbose=0,
                    callbacks=[*callbacks, watch])  # fmt: skip
        return watch

    def compile_network(recipe, batches):
        """A network, and its variables and those of its optimizer with their values."""
        network = build(PLAIN, len(corpus.vocabulary))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        weights = network.count_params() / (batches.steps * batches.characters)
        optimizer = make_optimizer(recipe.fit_text(batches.steps, weights), network.trainable_variables)
        optimizer.ema_momentum = recipe.average_weights  # ours may be less at first
        network.compile(optimizer, loss, jit_compile=False)
        optimizer.build(network.trainable_variables)
        return network, [(variable, variable.numpy()) for variable in (*network.variables, *optimizer.variables)]

    def run(make, **options):
        options = {**OPTIONS, **options}
        seen = [use(make(name), options) for name, use in (("ours", ours), ("theirs", theirs))]
        assert seen[0].calls == seen[1].calls
        for own, expected in zip(seen[0].figures, seen[1].figures, strict=True):
            assert own == pytest.approx(expected, rel=1e-3, nan_ok=True)
        return seen[0]

    return run


def test_callbacks_that_observe(both, tmp_path, capsys):
    posted = {"ours": [], "theirs": []}

    class Receive(BaseHTTPRequestHandler):
        def do_POST(self):
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            posted[self.path.strip("/")].append([content[name] for name in ("epoch", "loss", "val_loss")])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server, counts, histories = HTTPServer(("127.0.0.1", 0), Receive), {}, {}
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def make(name):
        (tmp_path / name).mkdir()
        counts[name], histories[name] = [], K.History()
        return [
            K.Callback(),
            histories[name],
            K.CallbackList([K.LambdaCallback(on_epoch_end=lambda epoch, logs: counts[name].append(epoch))]),
            K.LambdaCallback(on_train_batch_end=lambda batch, logs: counts[name].append(batch)),
            K.CSVLogger(tmp_path / name / "log.csv"),
            K.ModelCheckpoint(tmp_path / name / "e{epoch}-{val_loss:.2f}.weights.h5", save_weights_only=True),
            K.ModelCheckpoint(tmp_path / name / "best.keras", monitor="loss", save_best_only=True),
            K.RemoteMonitor(f"http://127.0.0.1:{server.server_port}", f"/{name}", send_as_json=True),
            K.ProgbarLogger(),
        ]

    both(make)
    server.shutdown()
    server.server_close()
    assert counts["ours"] == counts["theirs"]
    assert np.allclose(posted["ours"], posted["theirs"], rtol=1e-3)
    assert histories["ours"].epoch == histories["theirs"].epoch == [0, 1, 2]
    rows = {}
    for name in ("ours", "theirs"):
        lines = [*csv.DictReader((tmp_path / name / "log.csv").read_text().splitlines())]
        rows[name] = [[float(line[column]) for column in ("epoch", "loss", "val_loss")] for line in lines]
        header = (tmp_path / name / "log.csv").read_text().partition("\n")[0].split(",")
        assert len(header) == len(set(header))
    assert np.allclose(rows["ours"], rows["theirs"], rtol=1e-3)
    files = {name: sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("ours", "theirs")}
    assert files["ours"] == files["theirs"]
    assert len(files["ours"]) == 5


def test_early_stopping_and_a_rate_that_is_reduced(both):
    watch = both(lambda _: [
        K.ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=100), K.EarlyStopping(patience=1, min_delta=100)
    ])  # fmt: skip
    assert [number for hook, number in watch.calls if hook == "epoch_end"] == [0, 1]


def test_a_rate_that_is_scheduled(both):
    both(lambda _: [K.LearningRateScheduler(lambda epoch, rate: 0.01 / (1 + epoch))])


def test_terminate_on_nan_ends_a_run_in_good_order(both):
    def poison(epoch, logs):
        if epoch == 1:
            spoil.model.set_weights([np.full_like(weight, np.nan) for weight in spoil.model.get_weights()])

    spoil = K.LambdaCallback(on_epoch_end=poison)
    options = {**SMALL, "epochs": 5}
    corpus = Corpus.from_text("to be or not to be, that is the question\n" * 60)
    model = train(corpus, PLAIN, callbacks=[spoil, K.TerminateOnNaN()], **options)
    assert [entry["epoch"] for entry in model.history] == [1, 2]
    assert all(np.isfinite(weight).all() for weight in model.weights.values())
    with pytest.raises(RuntimeError, match="NaN or Inf loss"):
        train(corpus, PLAIN, callbacks=[spoil, K.TerminateOnNaN(raise_error=True)], **options)
    both(lambda _: [K.TerminateOnNaN()])


def test_averages_are_validated_as_by_swapping_them_in(both):
    both(lambda _: [K.SwapEMAWeights()], average_weights=0.1)


@pytest.mark.parametrize("hook", HOOKS[:-1])
def test_a_callback_may_end_a_run_anywhere(both, hook):
    """As under `fit`, an epoch that has begun has a batch, and is scored."""

    def make(_):
        stop = K.LambdaCallback()

        def end(number=None, logs=None):
            late = not isinstance(number, int) or number == 1
            stop.model.stop_training = stop.model.stop_training or late

        setattr(stop, f"on_{hook}", end)
        return [stop]

    both(make)
