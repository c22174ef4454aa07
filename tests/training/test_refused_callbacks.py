"""Callbacks that cannot serve in our runs are refused at once, and all of Keras's are tried."""

import importlib.util
import inspect

import keras
import pytest
from small import PLAIN, SMALL

from shakegen.training import train

K = keras.callbacks
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
