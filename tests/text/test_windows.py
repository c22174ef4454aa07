import itertools
from pathlib import Path

import numpy as np
import pytest

from shakegen.text.corpus import Corpus
from shakegen.text.windows import RELEASE, Passages, Recoded, one_hot_windows

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


PASSAGES = pytest.mark.parametrize("passage", [1, 3])


@pytest.mark.parametrize("passage", [1, 3, 8])
@pytest.mark.parametrize("characters", [31, 32, 61, 90, 1000, 1700, 2400, 3001, 9000])
def test_passages_of_an_epoch_cover_the_text_and_overlap_only_at_its_ends(characters, passage):
    batches, cuts = Passages(np.arange(characters), length=30, batch_size=4, passage=passage), set()
    size = 30 * batches.passage
    passages = -(-(characters - 1) // size) + 1
    assert batches.passage == 1 or passages % batches.batch_size <= passages / 10
    for epoch in range(5):
        windows = [batches.batch(epoch * batches.steps + k)[:, :-1] for k in range(batches.steps)]
        read = np.bincount(np.concatenate(windows).ravel(), minlength=characters - 1)
        assert len(read) == characters - 1, "the last character is a target only"
        assert np.count_nonzero(read == 0) <= passages % batches.batch_size * size
        assert np.all(read[2 * size : -2 * size] <= 1)
        cuts |= {int(start) % 30 for start in windows[0][:, 0]}
    assert len(cuts) > 1 or characters < 60


@pytest.mark.parametrize("characters", range(9000, 40_000, 1234))
def test_a_short_text_has_shorter_passages_rather_than_that_much_is_left_out(characters):
    batches = Passages(np.arange(characters), 64, 32, passage=8)
    read = np.unique(np.concatenate([batches.batch(number)[:, :-1] for number in range(batches.steps)]))
    assert len(read) >= 0.85 * characters
    long = Passages(np.arange(100 * characters), 64, 32, passage=8)
    assert long.passage == 8


@PASSAGES
def test_every_epoch_has_another_order(passage):
    windows = Passages(np.arange(9000), length=30, batch_size=10, passage=passage)
    orders = [np.concatenate([windows.starts(epoch, k) for k in range(windows.steps)]) // 30 for epoch in range(3)]
    assert all(np.mean(a == b) < 0.1 for a, b in itertools.combinations([np.sort(orders[0]), *orders], 2))


def test_passages_go_on_where_the_batch_before_ended_and_begin_in_turn():
    windows = Passages(np.arange(5000), length=10, batch_size=6, passage=5)
    assert windows.carries_state
    before = None
    for number in range(3 * windows.steps):
        batch, begins = windows.batch(number), windows.begins(number)
        if number % windows.steps == 0:
            assert begins.all()
        else:
            assert begins.sum() in (1, 2)
            assert np.array_equal(batch[~begins, 0], before[~begins, -1])
        assert np.array_equal(windows.begins(number, slice(2, 4)), begins[2:4])
        before = batch


def test_over_the_epochs_passages_read_every_position():
    windows, read = Passages(np.arange(200), length=10, batch_size=3, passage=4), set()
    for number in range(300 * windows.steps):
        read |= set(windows.batch(number)[:, :-1].ravel().tolist())
    assert read == set(range(199))


@PASSAGES
def test_training_targets_are_the_inputs_one_further(passage):
    batches = Passages(np.arange(500, dtype=np.uint16), length=20, batch_size=8, passage=passage)
    inputs, targets = batches.pair(0)
    assert inputs.shape == targets.shape == (8, 20)
    assert inputs.size == batches.characters
    assert np.array_equal(targets, inputs + 1)
    assert np.array_equal(inputs, inputs[:, :1] + np.arange(20))


@PASSAGES
def test_any_batch_can_be_made_again_from_its_number(passage):
    forward, backward = (
        Passages(np.arange(700), length=20, batch_size=8, random_state=5, passage=passage) for _ in range(2)
    )
    numbers = range(3 * forward.steps)
    expected = [forward.batch(number) for number in numbers]
    for number in reversed(numbers):
        assert np.array_equal(backward.batch(number), expected[number])
    assert np.array_equal(forward.pair(7, slice(2, 5))[1], expected[7][2:5, 1:])
    others = Passages(np.arange(700), 20, 8, random_state=6, passage=passage)
    assert any(not np.array_equal(expected[number], others.batch(number)) for number in numbers)


@PASSAGES
@pytest.mark.parametrize("characters", [31, 59, 61, 62, 95])
def test_texts_of_only_a_few_windows_make_smaller_batches(passage, characters):
    batches = Passages(np.arange(characters), length=30, batch_size=64, passage=passage)
    assert batches.steps == 1
    for number in range(5):
        assert batches.batch(number).shape == (batches.batch_size, 31)


@PASSAGES
def test_a_memory_map_is_read_as_an_array_is_and_its_pages_are_given_back(passage, tmp_path):
    np.arange(40_000, dtype=np.uint16).tofile(tmp_path / "ids")
    mapped = np.memmap(tmp_path / "ids", np.uint16, "r")[:30_000]
    batches, same = (Passages(ids, 20, 8, passage=passage) for ids in (mapped, np.arange(30_000)))
    assert all(np.array_equal(batches.batch(number), same.batch(number)) for number in range(200))


def resident_bytes(path):
    """How much of a mapped file this process has in memory, as Linux counts it."""
    maps, own = Path("/proc/self/smaps").read_text(encoding="utf-8"), False
    for line in maps.splitlines():
        if "-" in line.split()[0]:
            own = line.endswith(str(path))
        elif own and line.startswith("Rss:"):
            return 1024 * int(line.split()[1])
    raise AssertionError(f"{path} is not mapped")


def test_what_was_read_of_a_memory_map_does_not_stay_in_memory(tmp_path):
    """After a release, only the page of the last window is there, be it of 4 KB or of megabytes."""
    np.zeros(1 << 24, np.uint16).tofile(tmp_path / "ids")
    windows = Passages(np.memmap(tmp_path / "ids", np.uint16, "r"), 64, 1, 0)
    for number in range(4 * RELEASE + 1):
        windows.batch(number)
        if number % RELEASE == RELEASE - 1:
            read = resident_bytes(tmp_path / "ids")
        elif number and number % RELEASE == 0:
            assert resident_bytes(tmp_path / "ids") <= read / 2


def test_a_recoded_text_is_the_text_in_other_ids(rng):
    ids, table = rng.integers(5, size=1000).astype(np.uint8), np.array([3, 1, 4, 0, 9])
    recoded = Recoded(ids, table)
    assert len(recoded) == 1000
    assert np.array_equal(recoded[10:200][np.arange(50)], table[ids[10:60]])
    assert np.array_equal(Passages(recoded, 20).batch(3), table[Passages(ids, 20).batch(3)])


def test_no_tuner_is_waited_for_when_a_dataset_is_left():
    corpus = Corpus.from_text("abcdefghij" * 40)
    assert one_hot_windows(corpus.ids, corpus.vocabulary).options().autotune.enabled is False


def test_arguments_out_of_range():
    corpus = Corpus.from_text("abcdefghij")
    with pytest.raises(ValueError) as error:
        one_hot_windows(corpus.ids, corpus.vocabulary, length=10)
    assert str(error.value) == (
        "the text has 10 characters, but a window of 10 and its next character need 11: "
        "try a longer text or shorter windows (`length`)"
    )
    with pytest.raises(ValueError) as error:
        Passages(corpus.train, length=100)
    assert str(error.value) == (
        "the training text has 9 characters, but a window of 100 and its next character need 101: "
        "try a longer text or shorter windows (`seq_length`)"
    )
    with pytest.raises(ValueError) as error:
        one_hot_windows(corpus.ids, corpus.vocabulary, length=0)
    assert str(error.value) == "the window length is 0: expected 1 character or more"
    with pytest.raises(ValueError) as error:
        one_hot_windows(corpus.ids, corpus.vocabulary, length=3, targets="first")
    assert str(error.value) == "targets is 'first': expected 'last' or 'all'"
    with pytest.raises(ValueError) as error:
        one_hot_windows(corpus.ids, corpus.vocabulary, length=3, stride=0)
    assert str(error.value) == "the stride is 0: expected 1 or more"
    with pytest.raises(ValueError) as error:
        Passages(corpus.ids, length=3, batch_size=0)
    assert str(error.value) == "the batch size is 0: expected 1 window or more"
