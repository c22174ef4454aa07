"""Keras's own callbacks do in our runs what they do under `fit`, or are refused."""

import csv
import importlib.util
import inspect
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import keras
import numpy as np
import pytest
import tensorflow as tf

from shakegen.network.build import build, named_weights
from shakegen.network.config import Config
from shakegen.study.autocomplete.corpus import AutocompleteCorpus
from shakegen.text import reading
from shakegen.text.corpus import Corpus
from shakegen.text.windows import ShuffledWindows
from shakegen.training import train
from shakegen.training.optimizer import make_optimizer
from shakegen.training.recipe import Recipe

SMALL = {"batch_size": 8, "seq_length": 20, "verbose": False}
CONFIG = Config("rnn", units=6)
PLAIN = Config("rnn", units=6, layers=1, dropout=0)
OPTIONS = {"epochs": 3, "schedule": "constant", "batch_size": 8, "seq_length": 20}
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
def corpus():
    poem = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n" * 15
    return Corpus.from_text(poem, split=(0.8, 0.2, 0))


@pytest.fixture
def both(corpus):
    """A function that gives callbacks to a run of ours and to Keras's `fit` on the same batches: what each saw."""

    def ours(callbacks, options):
        watch = Watch()
        train(corpus, PLAIN, callbacks=[*callbacks, watch], verbose=False, **options)
        return watch

    def theirs(callbacks, options):
        recipe, watch = Recipe(**options), Watch()
        batches = ShuffledWindows(corpus.train, recipe.seq_length, recipe.batch_size, recipe.random_state)
        network = build(PLAIN, len(corpus.vocabulary))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        optimizer = make_optimizer(recipe)
        optimizer.ema_momentum = recipe.average_weights  # ours may be less at first
        network.compile(optimizer, loss, jit_compile=False)
        pairs = [batches.pair(number) for number in range(3 * batches.steps)]
        data = tf.data.Dataset.from_tensor_slices(tuple(map(np.stack, zip(*pairs, strict=True))))
        ids = corpus.validation[None].astype(np.int32)
        held_out = tf.data.Dataset.from_tensors((ids[:, :-1], ids[:, 1:]))
        network.fit(data, epochs=3, steps_per_epoch=batches.steps, validation_data=held_out, verbose=0,
                    callbacks=[*callbacks, watch])  # fmt: skip
        return watch

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


TENSORBOARD = importlib.util.find_spec("tensorboard")
REFUSED = {
    "BackupAndRestore": (lambda folder: K.BackupAndRestore(folder / "a"), "a run makes checkpoints of its own: leave "
                         "it out, give `out`, and go on with `resume`"),
    "SwapEMAWeights": (lambda folder: K.SwapEMAWeights(), "there are no averaged weights: give `average_weights`, or "
                       "leave it out"),
    "TensorBoard": (lambda folder: K.TensorBoard(folder / "b"), "it needs the package tensorboard: install it, or "
                    "give `log_dir`, which does without"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_callbacks_that_cannot_serve_are_refused_at_once(corpus, tmp_path, name):
    make, reason = REFUSED[name]
    if name == "TensorBoard" and TENSORBOARD:
        train(corpus, PLAIN, callbacks=make(tmp_path), **{**SMALL, "epochs": 1})
        assert [*(tmp_path / "b" / "train").iterdir()]
        return
    with pytest.raises(ValueError) as error:
        train(corpus, PLAIN, callbacks=[K.History(), make(tmp_path)], **SMALL)
    assert str(error.value) == f"{name} cannot serve here: {reason}"


def test_swapped_weights_would_be_in_checkpoints(corpus):
    with pytest.raises(ValueError) as error:
        train(corpus, PLAIN, callbacks=K.SwapEMAWeights(swap_on_epoch=True), average_weights=0.9, **SMALL)
    assert str(error.value) == (
        "SwapEMAWeights cannot serve here: checkpoints would have swapped weights: leave out swap_on_epoch; averages "
        "are validated and kept"
    )


@pytest.mark.parametrize("wrong", [5, "EarlyStopping", [[K.EarlyStopping]]])
def test_other_things_are_no_callbacks(corpus, wrong):
    with pytest.raises(TypeError, match="expected callbacks of Keras, such as EarlyStopping"):
        train(corpus, PLAIN, callbacks=wrong, **SMALL)


def test_all_of_keras_s_callbacks_are_tried_here():
    """A new one fails this test, until another one shows what it does in our runs."""
    tried = {"Callback", "CallbackList", "CSVLogger", "EarlyStopping", "History", "LambdaCallback", "ProgbarLogger",
             "LearningRateScheduler", "ModelCheckpoint", "ReduceLROnPlateau", "RemoteMonitor", "TerminateOnNaN",
             "OrbaxCheckpoint"}  # fmt: skip
    # Keras itself asks for the package of OrbaxCheckpoint, when one is made.
    known = {name for name, one in vars(K).items() if inspect.isclass(one)}
    assert known == tried | REFUSED.keys()


def test_a_file_of_the_network_in_training_loads_again(poem, tmp_path):
    """In a process that imports the layers alone; so do the slots of its optimizer."""

    class Save(K.Callback):
        def __init__(self, name):
            super().__init__()
            self.path = tmp_path / name

        def on_train_end(self, logs=None):
            self.model.save(f"{self.path}.keras")
            slots = [slot for slot in self.model.optimizer.variables if slot.name != "momentum"]
            np.savez(self.path, self.model(np.arange(12).reshape(2, 6)), *slots)

    corpus = Corpus.from_text(poem)
    words = AutocompleteCorpus.from_source(reading.from_bytes(poem.encode()), length=20)
    once = {"batch_size": 8, "verbose": False, "epochs": 1}
    train(corpus, Config("gru", units=4, layers=1), callbacks=Save("usual"), **once)
    averaged = Config("nlstm", units=4, layers=1, variational_dropout=True)
    train(corpus, averaged, callbacks=Save("averaged"), average_weights=0.9, **once)
    train(words, Config.autocomplete("gru", units=4, layers=1), callbacks=Save("words"), **once)
    program = (
        "import warnings; warnings.simplefilter('error', UserWarning)\n"
        "import keras, numpy as np, shakegen.layers\n"
        "for name in ('usual', 'averaged', 'words'):\n"
        "    model, expected = keras.saving.load_model(f'{name}.keras'), np.load(f'{name}.npz').values()\n"
        "    found = [model(np.arange(12).reshape(2, 6)), *model.optimizer.variables]\n"
        "    assert all(np.allclose(*pair, atol=1e-5) for pair in zip(found, expected, strict=True))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


class RatesOfBatches(keras.callbacks.Callback):
    """Note the learning rate of every batch."""

    def on_train_begin(self, logs=None):
        self.rates = []

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


@pytest.fixture
def noisy(poem):
    """A text whose validation part is noise: a network soon gets worse at it."""
    noise = "".join(np.random.default_rng(0).permutation(list(poem[:300])))
    return Corpus.from_text(poem[:2000] + noise)


def test_model_checkpoint_keeps_the_weights_of_the_best_epoch(noisy, tmp_path):
    path = tmp_path / "best.weights.h5"
    keep = keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_best_only=True, save_weights_only=True)
    config = Config("rnn", units=16, dropout=0)
    model = train(noisy, config, epochs=6, learning_rate=2e-2, callbacks=[keep], **SMALL)
    network = model.keras_model()
    network.load_weights(path)
    for name, weight in named_weights(config, network).items():
        assert np.array_equal(weight, model.weights[name])


def test_a_rate_that_a_callback_reduces_stays_reduced_and_follows_the_schedule(poem):
    corpus, watch = Corpus.from_text(poem), RatesOfBatches()
    plain = train(corpus, CONFIG, epochs=4, callbacks=[watch], **SMALL)
    usual, steps = watch.rates, plain.history[0]["steps"]
    reduce = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.25, patience=1, min_delta=100, min_lr=0)
    reduced = train(corpus, CONFIG, epochs=4, callbacks=[watch, reduce], **SMALL)
    # No epoch is better by 100: the rate falls after each epoch but the first.
    factors = np.repeat([1, 1, 1 / 4, 1 / 16], steps)
    assert watch.rates == pytest.approx(usual * factors, rel=1e-5)
    assert reduced.history[-1]["learning_rate"] == pytest.approx(watch.rates[-1])


def test_a_run_that_goes_on_keeps_a_reduced_rate(poem):
    corpus, options = Corpus.from_text(poem), {"schedule": "constant", **SMALL}
    cut = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: halve(epoch, cut.model))
    model = train(corpus, CONFIG, epochs=2, callbacks=[cut], **options)
    assert model.training.state["position"]["rate_scale"] == 0.5
    watch = RatesOfBatches()
    model.training.state["recipe"]["epochs"] = 2
    train(corpus, resume=model, epochs=3, callbacks=[watch], verbose=False)
    assert watch.rates == pytest.approx([6e-3 / 4] * len(watch.rates), rel=1e-5)


def halve(epoch, model):
    model.optimizer.learning_rate = float(model.optimizer.learning_rate) / 2


def test_checkpoints_of_earlier_versions_know_of_no_reduced_rates(poem):
    corpus = Corpus.from_text(poem)
    model, whole = train(corpus, CONFIG, epochs=1, **SMALL), train(corpus, CONFIG, epochs=1, **SMALL)
    del model.training.state["position"]["rate_scale"]
    again, expected = (train(corpus, resume=one, epochs=2, verbose=False) for one in (model, whole))
    assert [entry["loss"] for entry in again.history] == [entry["loss"] for entry in expected.history]


def test_a_rate_of_zero_is_left_again(poem):
    watch = RatesOfBatches()
    warm_up = keras.callbacks.LearningRateScheduler(lambda epoch: 0.02 * epoch)
    model = train(Corpus.from_text(poem), CONFIG, epochs=3, schedule="constant", callbacks=[warm_up, watch], **SMALL)
    steps = model.history[0]["steps"]
    assert watch.rates == pytest.approx(np.repeat([0, 0.02, 0.04], steps), rel=1e-5)
