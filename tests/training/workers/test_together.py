"""Processes that train one network together do what one process does; what goes wrong with one ends all."""

import itertools
import json
import time

import numpy as np
import pytest
import workers

from shakegen.model import load
from shakegen.training import train
from shakegen.training.tasks.next_symbol import NextSymbolTask

PARTS = "Warning: parts that a batch is computed in: 1 before, 3 now. The run goes on, but not bit for bit.\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where one, two and three workers have left their models; in files, what the others said at the end."""
    folder = tmp_path_factory.mktemp("workers")
    for number in ("1", "2", "3", "devices"):
        (folder / number).mkdir()
    workers.stop_after("passages", 6, out=folder / "1" / "stopped.h5")
    addresses = workers.free_addresses(5)  # in one call: two might find the same port
    teams = {2: addresses[:2], 3: addresses[2:]}
    processes = {
        (count, index): workers.start(index, teams[count], workers.__file__, "together", folder)
        for count in teams
        for index in range(count)
    }
    processes["devices", 0] = workers.start(0, ["127.0.0.1:9"], workers.__file__, "alone", folder)
    for run in {*workers.OF_TWO, *workers.OF_THREE}:
        workers.train(run, out=folder / "1" / f"{run}.h5")
    until = time.monotonic() + 300
    while not (folder / "begun").exists() and time.monotonic() < until:
        time.sleep(0.1)
    processes[3, 1].kill()
    for (count, index), process in processes.items():
        output, errors = process.communicate(timeout=300)
        assert errors == (PARTS if (count, index) == (3, 0) else ""), "of three, the chief resumes a run of one"
        said = output
        for number, address in enumerate(teams.get(count, [])):
            said = said.replace(address, f"HOST:{number}")
        (folder / str(count) / f"said{index}.txt").write_text(said)
    return folder


def assert_same_run(one, other, rtol=1e-4, atol=1e-5):
    """That two runs learned the same, and came to the same weights, to rounding."""
    assert len(one.history) == len(other.history)
    for entry, same in zip(one.history, other.history, strict=True):
        for name in ("epoch", "steps", "learning_rate"):
            assert entry[name] == same[name]
        for name in ("loss", "val_loss"):
            assert entry[name] == pytest.approx(same[name], abs=atol)
    for arrays, others in ((one.weights, other.weights), (one.training.arrays, other.training.arrays)):
        assert arrays.keys() == others.keys()
        for name, array in arrays.items():
            difference = np.linalg.norm(array.astype(float) - others[name])
            assert difference <= rtol * np.linalg.norm(others[name]) + 1e-7, name


TRAINED = [(2, run) for run in workers.OF_TWO] + [(3, run) for run in workers.OF_THREE] + [("devices", "passages")]


@pytest.mark.parametrize(("count", "run"), TRAINED)
def test_several_workers_do_what_one_does(folder, count, run):
    together, alone = (load(folder / str(number) / f"{run}.h5", with_training=True) for number in (count, 1))
    assert alone.history[-1]["loss"] < alone.history[0]["loss"]
    tolerance = {"rtol": 0.03, "atol": 5e-3} if run == "bfloat16" else {}
    assert_same_run(together, alone, **tolerance)


@pytest.mark.parametrize("run", ["clipped", "passages"])
def test_every_window_is_read_by_exactly_one_worker(folder, run):
    corpus, recipe = workers.corpus_of(run), workers.recipe_of(run)
    batches = NextSymbolTask().make_batches(corpus, corpus.vocabulary, recipe)
    read = [json.loads((folder / "3" / f"{run}{index}.json").read_text()) for index in range(3)]
    for number in range(2 * batches.steps):
        together = list(itertools.chain.from_iterable(starts[number] for starts in read))
        assert together == batches.starts(*divmod(number, batches.steps)).tolist()
    sizes = [len(starts[0]) for starts in read]
    assert max(sizes) - min(sizes) == 1


def test_a_run_goes_on_with_any_number_of_workers(folder):
    alone = load(folder / "1" / "passages.h5", with_training=True)
    assert_same_run(load(folder / "3" / "resumed.h5", with_training=True), alone)
    stopped = load(folder / "2" / "stopped.h5", with_training=True)
    assert stopped.training.state["position"]["step"] == 5
    assert_same_run(train(workers.corpus_of("passages"), resume=stopped, verbose=False), alone)


def test_minutes_and_patience_end_the_run_of_all(folder):
    history = load(folder / "2" / "minutes.h5").history
    assert [entry["steps"] for entry in history] == [1]
    history = load(folder / "2" / "still.h5").history
    assert [entry["epoch"] for entry in history] == [1, 2]


def test_workers_with_other_options_part_and_say_which(folder):
    for index in (0, 1):
        assert (folder / "2" / f"said{index}.txt").read_text() == (
            "worker 1 (HOST:1) has seq length 21, worker 0 (HOST:0) 20: expected the same text, options and versions "
            "for all workers\n"
        )


def test_a_worker_that_is_killed_ends_the_others(folder):
    for index in (0, 2):
        assert (folder / "3" / f"said{index}.txt").read_text() == (
            "worker 1 (HOST:1) is gone, killed or cut off: start all workers anew, with `resume` to go on from the "
            "last checkpoint\n"
        )
    assert (folder / "3" / "said1.txt").read_text() == ""


def test_every_replica_has_random_numbers_of_its_own(folder):
    seeds = np.array(json.loads((folder / "devices" / "seeds.json").read_text()))
    assert np.all(seeds[:, 0, 0] != seeds[:, 1, 0])
    assert np.array_equal(seeds[:, 0, 1], seeds[:, 1, 1])
    assert seeds[:, :, 1].any(), "some were to be drawn"


def test_dropout_is_scaled_at_every_replica(folder):
    scales = np.array(json.loads((folder / "devices" / "scales.json").read_text()))
    assert scales.shape == (1, 2)
    assert np.all(scales == scales[0, 0])
    assert 0 < scales[0, 0] < 1


def test_keras_still_sums_gradients_after_clipping_them(folder):
    """When this fails, `shakegen.training.workers.replicas.sum_once` may go: a sum of 3 and -2, clipped to 1, is 1.

    Clipped first, these cancel out, and 3 and 3 are 2.
    """
    assert json.loads((folder / "devices" / "said0.txt").read_text()) == [5.0, 3.0]
