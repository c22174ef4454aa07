"""A setting is chosen for each network by the validation text alone."""

from dataclasses import replace

import pytest
from comparisons import by_characters, finish, plan

from shakegen.compare import runs
from shakegen.compare.comparison import Comparison
from shakegen.compare.plan import Entry
from shakegen.compare.record import Text, plan_records
from shakegen.compare.tuning import Trial, collect_trials

RATES = (0.003, 0.006, 0.01)
TUNED = {"tune": ("learning_rate", RATES), "repeats": 5}


def end(record, loss):
    """A record as if its run had ended with this loss on validation text; None: it diverged."""
    done = finish(record)
    if loss is None:
        return replace(done, state="diverged", reason="too fast", figures={})
    return replace(done, figures=done.figures | {"validation": {"bits_per_character": loss, "accuracy": 0.5}})


def try_out(of, losses):
    trials = of.try_out()
    text = {"places": ["a.txt"], "reading": {}, "shape": {}}
    planned = plan_records(trials, trials.configs(by_characters), text, {"sha256": "0"}, {"seed": None, "length": 9})
    return [end(record, loss) for record, loss in zip(planned, losses, strict=True)]


def test_each_network_gets_the_value_with_the_lowest_validation_loss_and_the_test_text_is_not_looked_at():
    of = plan("gru", "lstm:learning-rate=0.5", "rnn", **TUNED)
    records = try_out(of, [2.1, 2.0, 2.2, 1.0, None, 2.5, 2.4])
    for record in records:  # the test text would choose otherwise, if it could be read
        record.figures["test"] = None
    trials = collect_trials(of, records)
    assert [(trial.entry.name, trial.chosen) for trial in trials] == [("gru", 0.006), ("rnn", 0.01)]
    assert [trial.at_edge for trial in trials] == [False, True]
    chosen = of.choose(trial.chosen for trial in trials)
    assert [entry.name for entry in chosen.entries] == [
        "gru:learning_rate=0.006", "lstm:learning_rate=0.5", "rnn:learning_rate=0.01"
    ]  # fmt: skip
    assert (chosen.tune, chosen.repeats, chosen.make_recipe(chosen.entries[0], 2).learning_rate) == (None, 5, 0.006)


def test_where_all_diverge_the_first_value_stays():
    of = plan("gru", **TUNED)
    (trial,) = collect_trials(of, try_out(of, [None] * 3))
    assert trial.chosen == RATES[0]
    assert not trial.at_edge


@pytest.mark.parametrize(
    ("values", "edge"), [((0.0, 0.2), False), ((0.1, 0.2), True), ((0.2, 0.1), True), ((0.1, 0.0, 0.2), False)]
)
def test_no_dropout_is_no_edge_for_there_is_none_below(values, edge):
    (gru,) = plan("gru").entries
    first_is_best = dict(zip(values, (2.0, 2.1, 2.2)))
    assert Trial(gru, "dropout", first_is_best).at_edge is edge


def test_a_run_of_each_network_serves_both_its_choice_and_its_repeats(tmp_path, poem_file):
    of = plan("gru", "lstm:learning-rate=0.5", **TUNED, settings={"units": 3})
    assert of.runs == (3 + 1) + 2 * 4
    comparison = Comparison(Text([str(poem_file)], {}, {"split": [0.8, 0.1, 0.1]}), of, tmp_path)
    for record, loss in zip(comparison.records, (2.3, 2.0, 2.1, 1.9), strict=True):
        end(record, loss).write(tmp_path)
    chosen = [Entry.parse("gru:learning-rate=0.006"), Entry.parse("lstm:learning-rate=0.5")]
    for repeat in range(1, 5):
        for entry, first in zip(chosen, comparison.records[1::2], strict=True):
            what = first.what | {"recipe": of.make_recipe(entry, repeat).to_dict()}
            end(replace(first, name=f"{entry.file_name}-{repeat}", what=what), 1.0).write(tmp_path)
    summary = comparison.carry_out(lambda *told: pytest.fail(f"a run that is there is done again: {told}"))
    assert [[run.name for run in row.records] for row in summary.rows] == [
        [f"{entry.file_name}-{repeat}" for repeat in range(5)] for entry in chosen
    ]
    assert summary.describe().endswith(
        "with random states 0 to 4. The validation text chose the learning rate of each tuned network among 3 runs "
        "with random state 0; the best of these is its first repeat, too, which flatters it a little."
    )
    assert summary.to_dict()["trials"] == [
        {
            "name": "gru", "setting": "learning_rate", "chosen": 0.006,
            "tried": [{"value": value, "validation": loss} for value, loss in zip(RATES, (2.3, 2.0, 2.1))],
        }
    ]  # fmt: skip


def test_the_runs_that_come_later_are_counted(tmp_path, monkeypatch):
    of = plan("gru", **TUNED)
    left = []
    monkeypatch.setattr(runs, "run_worker", lambda record, folder, quiet: end(record, 2.0))
    planned = [replace(record, state="running", figures={}) for record in try_out(of, [2.0] * 3)]
    runs.carry_out(planned, tmp_path, lambda number, record, after: left.append((number, after)), before=1, later=4)
    assert left == [(1, 6), (1, 6), (2, 5), (2, 5), (3, 4), (3, 4)]
