"""What Keras's callbacks save in our runs loads again: the weights of the best epoch, the network in training."""

import subprocess
import sys

import keras
import numpy as np
from small import SMALL

from shakegen.network.build import named_weights
from shakegen.network.config import Config
from shakegen.study.autocomplete.corpus import AutocompleteCorpus
from shakegen.text import reading
from shakegen.text.corpus import Corpus
from shakegen.training import train

K = keras.callbacks


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
    averaged = Config("nlstm", units=4, layers=1, variational_dropout=True, convolution=2)
    train(corpus, averaged, callbacks=Save("averaged"), average_weights=0.9, **once)
    train(words, Config.study("gru", units=4, layers=1), callbacks=Save("words"), **once)
    program = (
        "import warnings; warnings.simplefilter('error', UserWarning)\n"
        "import keras, numpy as np, shakegen.layers\n"
        "for name in ('usual', 'averaged', 'words'):\n"
        "    model, expected = keras.saving.load_model(f'{name}.keras'), np.load(f'{name}.npz').values()\n"
        "    found = [model(np.arange(12).reshape(2, 6)), *model.optimizer.variables]\n"
        "    assert all(np.allclose(*pair, atol=1e-5) for pair in zip(found, expected, strict=True))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_model_checkpoint_keeps_the_weights_of_the_best_epoch(noisy, tmp_path):
    path = tmp_path / "best.weights.h5"
    keep = keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_best_only=True, save_weights_only=True)
    config = Config("rnn", units=16, dropout=0)
    model = train(noisy, config, epochs=6, learning_rate=2e-2, callbacks=[keep], **SMALL)
    network = model.keras_model()
    network.load_weights(path)
    for name, weight in named_weights(config, network).items():
        assert np.array_equal(weight, model.weights[name])
