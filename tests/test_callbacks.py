import io
import sys

import keras
import pytest

from shakegen.callbacks import CompleteText, SampleText
from shakegen.streams import show
from shakegen.text.corpus import Corpus
from shakegen.text.windows import one_hot_windows


def textbook_model(size, dropout=0.0):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, size))
    hidden = keras.layers.Dropout(dropout)(keras.layers.LSTM(8)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(size, "softmax")(hidden))
    model.compile("adam", "categorical_crossentropy", jit_compile=False)
    return model


def losses(poem, *callbacks):
    corpus = Corpus.from_text(poem)
    data = one_hot_windows(corpus.train, corpus.vocabulary, length=8, stride=5, random_state=0)
    model = textbook_model(len(corpus.vocabulary), dropout=0.5)
    return model.fit(data, epochs=3, shuffle=False, verbose=0, callbacks=list(callbacks)).history["loss"]


@pytest.fixture(scope="module")
def usual_losses(poem):
    return losses(poem)


@pytest.mark.parametrize("options", [{}, {"beam_width": 4}, {"top_k": 3}], ids=str)
def test_a_run_with_samples_is_the_run_without_bit_for_bit(poem, usual_losses, capsys, options):
    sampler = SampleText(Corpus.from_text(poem).vocabulary, "Shall I", length=20, **options)
    assert losses(poem, sampler) == usual_losses
    printed = capsys.readouterr().out
    assert printed.count("Shall I") == 3
    assert len(printed) >= 3 * (len("Shall I") + 20)


@pytest.mark.parametrize("options", [{"temperature": 0.1}, {"beam_width": 3}, {"top_p": 0.2}], ids=str)
def test_samples_are_drawn_from_the_model_as_it_is_now(capsys, options):
    corpus = Corpus.from_text("abc" * 100)
    sampler = SampleText(corpus.vocabulary, "c", length=9, **options)
    model = textbook_model(3)
    data = one_hot_windows(corpus.ids, corpus.vocabulary, length=8, stride=1)
    model.optimizer.learning_rate = 0.1
    model.fit(data, epochs=4, shuffle=False, verbose=0, callbacks=[sampler])
    assert capsys.readouterr().out.endswith("cabcabcabc\n\n")


def test_seed_characters_outside_the_vocabulary_are_left_out():
    corpus = Corpus.from_text("abc" * 100)
    sampler = SampleText(corpus.vocabulary, "a€b", length=5)
    sampler.set_model(textbook_model(3))
    text = sampler.draw()
    assert text.startswith("a€b")
    assert set(text[3:]) <= set("abc")


def test_an_error_in_a_sample_is_reported_and_training_goes_on(poem, capsys):
    def broken(model):
        raise RuntimeError("no sample today")

    sampler = SampleText(Corpus.from_text(poem).vocabulary, source=broken)
    assert len(losses(poem, sampler)) == 3
    assert capsys.readouterr().err.count("RuntimeError: no sample today") == 3


def test_words_that_cannot_be_had_are_reported_and_training_goes_on(capsys):
    def broken(model):
        raise RuntimeError("no engine today")

    callback = CompleteText(broken, None, "to b", 20)
    callback.set_model(textbook_model(3))
    callback.on_epoch_end(0)
    assert callback.text is None
    printed = capsys.readouterr().err
    assert printed.startswith("CompleteText failed, training goes on:\nTraceback")
    assert printed.endswith("RuntimeError: no engine today\n\n")


def test_there_is_no_other_stream():
    with pytest.raises(ValueError) as error:
        SampleText(Corpus.from_text("abc").vocabulary, stream="stdin")
    assert str(error.value) == "the stream is 'stdin': expected 'stdout', 'stderr' or None"


@pytest.mark.parametrize("stream", ["stdout", "stderr", None])
def test_the_last_sample_can_be_had(capsys, stream):
    sampler = SampleText(Corpus.from_text("abc" * 9).vocabulary, "abc", length=5, stream=stream)
    assert sampler.text is None
    sampler.set_model(textbook_model(3))
    sampler.on_epoch_end(2)
    assert sampler.text == sampler.draw(2)
    printed = dict(zip(("stdout", "stderr"), capsys.readouterr()))
    assert printed == {name: f"{sampler.text}\n\n" if name == stream else "" for name in printed}
    sampler.source = None  # which cannot be called
    sampler.on_epoch_end(3)
    assert sampler.text is None


def test_text_that_the_terminal_cannot_print_becomes_question_marks():
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    show("naïve 床\udc80", terminal)
    assert terminal.buffer.getvalue() == b"na?ve ??\n"


def test_beams_and_stop_texts_are_those_of_the_writer(random_model):
    model = random_model()
    sampler = SampleText(
        model.vocabulary, "abc", 30, source=lambda _: model.engine, beam_width=5, stop=["e"], no_repeat_ngram=2
    )
    sampler.set_model(textbook_model(3))
    assert sampler.draw() == "abc" + model.beams("abc", 30, 5, stop=["e"], no_repeat_ngram=2)[0].text


BAD = {
    "the temperature is -1: expected 0 (greedy) or more; 0.5 is careful, 1 is free": {"temperature": -1},
    "the beam width is 0: expected 1 (greedy) or more; 10 is usual": {"beam_width": 0},
    "top-k is 0: expected a number of characters, 1 or more; 10 is usual": {"top_k": 0},
    "the n-gram that may not repeat is -1: expected 1 symbol or more; 8 is usual": {
        "beam_width": 2,
        "no_repeat_ngram": -1,
    },
    "the model can never write the stop text 'x': expected one of characters that it knows": {"stop": ["x"]},
}


@pytest.mark.parametrize(("message", "options"), BAD.items())
def test_bad_arguments_are_refused_when_the_callback_is_made(message, options):
    with pytest.raises(ValueError) as error:
        SampleText(Corpus.from_text("abc").vocabulary, **options)
    assert str(error.value) == message


def test_stdout_is_looked_up_when_a_sample_is_printed(monkeypatch):
    sampler = SampleText(Corpus.from_text("abc" * 9).vocabulary, "abc", length=1)
    sampler.set_model(textbook_model(3))
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    sampler.on_epoch_end(0)
    assert sys.stdout.getvalue().startswith("abc")


def test_on_a_terminal_a_sample_begins_on_a_line_of_its_own(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    sampler = SampleText(Corpus.from_text("abc" * 9).vocabulary, "abc", length=1)
    sampler.set_model(textbook_model(3))
    monkeypatch.setattr(sys, "stdout", Terminal())
    sampler.on_epoch_end(0)
    assert sys.stdout.getvalue().startswith("\nabc")


def test_ends_of_a_sample_may_come_from_an_iterator():
    corpus = Corpus.from_text("abc" * 100)
    sampler = SampleText(corpus.vocabulary, "c", length=60, stop=iter(["b"]), temperature=5, stream=None)
    sampler.set_model(textbook_model(3))
    for epoch in range(3):
        assert sampler.draw(epoch).find("b") == len(sampler.draw(epoch)) - 1 > 0
