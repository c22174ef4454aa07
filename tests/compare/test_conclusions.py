"""Sentences that are made from intervals."""

from dataclasses import replace

from comparisons import finish, plan, records

from shakegen.compare.conclusions import conclude
from shakegen.compare.measurement import Measurement
from shakegen.compare.summary import BaselineRow, Row, Summary
from shakegen.compare.tuning import Trial
from shakegen.network.config import Config
from shakegen.training.recipe import Recipe


def outcome(losses, **changes):
    """The outcome of networks with these test losses; None is a run that diverged."""
    repeats = len(next(iter(losses.values())))
    planned = plan(*losses, repeats=repeats, **changes)
    found = records(*losses, repeats=repeats, **changes)
    rows = []
    for number, (name, values) in enumerate(losses.items()):
        ended = [finish(record) for record in found[number :: len(losses)]]
        for record, value in zip(ended, values):
            record.figures["test"] = {"bits_per_character": value, "accuracy": 0.5}
        ended = [one if value else replace(one, state="diverged", figures={}) for one, value in zip(ended, values)]
        rows.append(Row(name, Config(units=9), 5, 5, ended))
    return Summary({"name": "abc", "length": 9, "split": [1]}, planned, rows)


def test_a_row_is_better_worse_or_cannot_be_told_apart():
    summary = outcome(
        {"gru": (2.0, 2.1, 2.2), "lstm": (2.1, 2.21, 2.3), "rnn": (1.8, 1.91, 2.0), "nlstm": (2, 2.2, 2.1)}
    )
    baseline = BaselineRow("5-gram", {"test_bits_per_character": Measurement({None: 3.0})})
    assert conclude(replace(summary, baselines=[baseline])) == [
        "gru is better than lstm by 0.103 ± 0.014 bits per character.",
        "rnn is better than gru by 0.197 ± 0.014 bits per character.",
        "nlstm cannot be told from gru with 3 runs: the difference is +0.00 ± 0.25 bits per character.",
        "gru is better than 5-gram by 0.90 ± 0.25 bits per character.",
        "Each of these 4 judgements is wrong 1 time in 20 by chance. The chance that at least one is wrong is larger.",
    ]


def test_a_difference_that_is_the_same_in_all_runs_is_one():
    summary = outcome({"gru": (2.0, 2.25, 2.5), "lstm": (2.25, 2.5, 2.75)})
    assert conclude(summary) == ["gru is better than lstm by 0.250 bits per character."]


def test_without_held_out_text_nothing_is_concluded():
    summary = outcome({"gru": (2.0, 2.1), "lstm": (2.1, 2.2)})
    for record in (record for row in summary.rows for record in row.records):
        record.figures.update(test=None, validation=None)
    assert conclude(summary) == ["There is neither validation nor test text: nothing tells these networks apart."]


def test_a_row_without_the_error_of_the_text_says_so():
    summary = outcome({"gru": (2.0, 2.1, 2.2)})
    for record in summary.rows[0].records:
        record.figures["test"]["blocks"] = {"bits_per_character": [2.0, 2.1, 2.2]}
        record.figures["validation"] = {"bits_per_character": 2.0 + record.random_state}
    packed = BaselineRow("xz -9", {"test_bits_per_character": Measurement({None: 3.0})})
    summary = replace(summary, baselines=[packed])
    assert conclude(summary) == [
        "gru is better than xz -9 by 0.90 ± 0.25 bits per character, for other random states only."
    ]
    assert summary.explain_errors() == (
        "± is half of a 95 % interval, for other random states and other text of this kind. That of valid.: for other "
        "random states only. Differences are paired by random state and by block of the text. The difference of xz -9: "
        "for other random states only."
    )


def test_one_run_of_each_concludes_nothing():
    assert conclude(outcome({"gru": (2.0,), "lstm": (1.0,)})) == [
        "One run of each network cannot tell them apart: repeat them with other random states."
    ]


def test_runs_that_diverged_are_named_and_their_pairs_left_out():
    assert conclude(outcome({"gru": (2.0, 2.1, 2.2), "lstm": (2.5, None, 2.72)})) == [
        "gru is better than lstm by 0.51 ± 0.13 bits per character.",
        "1 of 3 runs of lstm did not finish: its figures come from the others, and may flatter it.",
    ]


def test_a_busy_machine_shows_at_equal_time_only():
    patient = Recipe(minutes=1, patience=2)
    for match, recipe, said in (
        ("time", Recipe(minutes=1), True), ("time", patient, False), ("units", Recipe(epochs=1), False)
    ):  # fmt: skip
        summary = outcome({"gru": (2.0, 2.1)}, match=match, recipe=recipe)
        for record, epochs in zip(summary.rows[0].records, (5.0, 4.0)):
            record.figures["epochs"] = epochs
        sentence = (
            "The runs of gru got between 4 and 5 epochs in the same time: the machine was busy. Repeat them when it is "
            "not."
        )
        assert conclude(summary) == [sentence] * said


def test_one_run_that_is_left_has_the_error_of_the_text_alone_and_says_so():
    summary = outcome({"gru": (2.0, 2.1, 2.2), "lstm": (2.5, None, None)})
    for row, blocks in zip(summary.rows, ([2.0, 2.1, 2.2], [2.5, 2.7, 2.6])):
        for record in row.finished:
            record.figures["test"]["blocks"] = {"bits_per_character": blocks}
    assert summary.differences["lstm"].runs_error is None
    assert summary.differences["lstm"].error > 0
    assert "The figures of lstm, from one run: for other text only." in summary.explain_errors()
    assert "The difference of lstm, from one run: for other text only." in summary.explain_errors()


def test_runs_of_several_versions_are_doubted():
    summary = outcome({"gru": (2.0, 2.1)})
    for record, version in zip(summary.rows[0].records, ("0.2.0", "0.3.0")):
        record.figures["version"] = version
    assert conclude(summary) == ["The runs are of several versions of shakegen (0.2.0, 0.3.0), which may differ."]


def test_a_choice_at_the_edge_is_doubted():
    (gru,) = plan("gru").entries
    summary = replace(outcome({"gru": (2.0, 2.1)}), trials=[Trial(gru, "learning_rate", {0.003: 2.0, 0.006: 1.9})])
    assert conclude(summary) == [
        "The learning rate chosen is at the edge of those tried (0.006 for gru): try values beyond it."
    ]
