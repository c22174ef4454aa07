import numpy as np
import pytest

from shakegen.text import Corpus
from shakegen.windows import TrainingWindows, one_hot_windows

TEXT = "the quick brown fox jumps over the lazy dog and runs away\n"


def texts_of(corpus, dataset):
    """Each window and its target of a dataset as text, decoded from one-hot."""
    pairs = []
    for windows, targets in dataset.as_numpy_iterator():
        assert set(np.unique(windows)) == {0, 1}
        assert np.all(windows.sum(axis=-1) == 1)
        assert np.all(targets.sum(axis=-1) == 1)
        for window, target in zip(windows.argmax(-1), targets.argmax(-1), strict=True):
            pairs.append((corpus.vocabulary.decode(window), corpus.vocabulary.decode(np.atleast_1d(target))))
    return pairs


@pytest.mark.parametrize("stride", [1, 3, 50])
def test_textbook_windows_are_cut_every_stride_characters(stride):
    corpus = Corpus.from_text(TEXT)
    dataset = one_hot_windows(corpus.ids, corpus.vocabulary, length=8, stride=stride, batch_size=4)
    starts = range(0, len(TEXT) - 8, stride)
    assert texts_of(corpus, dataset) == [(TEXT[s : s + 8], TEXT[s + 8]) for s in starts]
    assert len(dataset) == -(-len(starts) // 4)


def test_targets_at_all_positions_are_the_window_one_further():
    corpus = Corpus.from_text(TEXT)
    dataset = one_hot_windows(corpus.ids, corpus.vocabulary, length=8, stride=3, targets="all")
    assert texts_of(corpus, dataset) == [(TEXT[s : s + 8], TEXT[s + 1 : s + 9]) for s in range(0, len(TEXT) - 8, 3)]


def test_shuffling_keeps_every_window_and_changes_with_each_pass():
    corpus = Corpus.from_text(TEXT)
    in_order = texts_of(corpus, one_hot_windows(corpus.ids, corpus.vocabulary, length=8))
    dataset = one_hot_windows(corpus.ids, corpus.vocabulary, length=8, random_state=3)
    first, second = texts_of(corpus, dataset), texts_of(corpus, dataset)
    assert sorted(first) == sorted(second) == sorted(in_order)
    assert first != second
    again = one_hot_windows(corpus.ids, corpus.vocabulary, length=8, random_state=3)
    assert texts_of(corpus, again) == first


def test_training_windows_lie_end_to_end_and_never_repeat_within_an_epoch():
    ids = np.arange(1000)
    windows = TrainingWindows(ids, length=30, batch_size=4)
    offsets = set()
    for epoch in range(3):
        starts = windows.starts(epoch)
        assert np.array_equal(np.diff(np.sort(starts)), np.full(len(starts) - 1, 30))
        assert starts.min() >= 0
        assert starts.max() + 31 <= len(ids)
        offsets.add(starts.min() % 30)
    assert len(offsets) > 1


def test_training_targets_are_the_inputs_one_further():
    windows = TrainingWindows(np.arange(500, dtype=np.uint16), length=20, batch_size=8)
    inputs, targets = next(windows.dataset().as_numpy_iterator())
    assert inputs.shape == targets.shape == (8, 20)
    assert np.array_equal(targets, inputs + 1)
    assert np.array_equal(inputs, inputs[:, :1] + np.arange(20))


def test_any_batch_can_be_made_again_from_its_number():
    forward, backward = (TrainingWindows(np.arange(700), length=20, batch_size=8, random_state=5) for _ in range(2))
    numbers = range(3 * forward.steps)
    expected = [forward.batch(number) for number in numbers]
    for number in reversed(numbers):
        assert np.array_equal(backward.batch(number), expected[number])
    assert not np.array_equal(expected[0], TrainingWindows(np.arange(700), 20, 8, random_state=6).batch(0))


@pytest.mark.parametrize("characters", [31, 61, 62, 95])
def test_texts_of_only_a_few_windows_make_smaller_batches(characters):
    windows = TrainingWindows(np.arange(characters), length=30, batch_size=64)
    assert windows.steps == 1
    assert windows.batch(0).shape == (windows.batch_size, 31)


def test_arguments_out_of_range():
    corpus = Corpus.from_text("abcdefghij")
    with pytest.raises(ValueError) as error:
        one_hot_windows(corpus.ids, corpus.vocabulary, length=10)
    assert str(error.value) == (
        "the text has 10 characters, but a window of 10 and its next character need 11: "
        "try a longer text or shorter windows (--seq-length)"
    )
    with pytest.raises(ValueError) as error:
        TrainingWindows(corpus.train, length=100)
    assert str(error.value) == (
        "the training text has 9 characters, but a window of 100 and its next character need 101: "
        "try a longer text or shorter windows (--seq-length)"
    )
    with pytest.raises(ValueError) as error:
        one_hot_windows(corpus.ids, corpus.vocabulary, length=0)
    assert str(error.value) == "the window length is 0: expected 1 character or more"
    with pytest.raises(ValueError) as error:
        one_hot_windows(corpus.ids, corpus.vocabulary, length=3, targets="first")
    assert str(error.value) == "targets is 'first': expected 'last' or 'all'"
    with pytest.raises(ValueError) as error:
        one_hot_windows(corpus.ids, corpus.vocabulary, length=3, stride=0)
    assert str(error.value) == "stride 0 and batch size 64: expected 1 or more of each"
    with pytest.raises(ValueError) as error:
        TrainingWindows(corpus.ids, length=3, batch_size=0)
    assert str(error.value) == "the batch size is 0: expected 1 window or more"
