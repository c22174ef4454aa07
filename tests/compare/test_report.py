"""Comparisons: what comes of them, as figures, tables and pages."""

import csv
import json
import re
import statistics
from dataclasses import replace

import numpy as np
import pytest
from comparisons import plan, records

from shakegen.compare import report
from shakegen.compare.summary import Row, Summary
from shakegen.compare.table import columns, compact
from shakegen.network.config import Config
from shakegen.training.recipe import Recipe


def finished(record, validation, test, steps=(10, 20), took=60.0, memory=2**30):
    history = [
        {"epoch": n, "loss": 2.0 / n, "val_loss": 3.0 / n, "steps": step, "seconds": took * n / len(steps)}
        for n, step in enumerate(steps, 1)
    ]
    figures = {"validation": {"bits_per_character": validation, "accuracy": 0.5}, "history": history, "seconds": took}
    figures["epochs"] = len(steps)
    figures |= {"test": {"bits_per_character": test, "accuracy": 0.25}, "peak_memory_bytes": memory, "sample": "<b>oh"}
    figures |= {"training_characters_per_second": 12_345.0, "sampling_characters_per_second": 1_234_567.0}
    return replace(record, state="finished", figures=figures)


def outcome():
    """Two runs of a gru, one of an lstm and one that diverged, two of a network that failed."""
    of = plan("gru", "lstm", "rnn:dropout=0", repeats=2, settings={"units": 9})
    found = records("gru", "lstm", "rnn:dropout=0", repeats=2, settings={"units": 9})
    found[0], found[3] = finished(found[0], 2.0, 2.5), finished(found[3], 2.1, 2.75, steps=(15, 25, 26), took=90.0)
    found[1] = finished(found[1], 3.0, 3.5, memory=None)
    found[4] = replace(found[4], state="diverged", reason="too fast")
    found[2], found[5] = (replace(found[n], state="failed", reason="out of memory") for n in (2, 5))
    rows = [
        Row(entry.name, Config(entry.cell, 9), 1234567, 1000, [found[n], found[n + 3]])
        for n, entry in enumerate(of.entries)
    ]
    return Summary({"name": "abc", "length": 1000, "sha256": "0", "split": [0.9, 0.05, 0.05]}, of, rows)


def test_figures_are_means_and_standard_deviations_over_the_runs_that_finished():
    gru, lstm, rnn = outcome().rows
    found = gru.figures["test_bits_per_character"]
    assert (found.mean, found.spread) == (statistics.fmean([2.5, 2.75]), statistics.stdev([2.5, 2.75]))
    assert gru.figures["minutes"].values == {0: 1.0, 1: 1.5}
    assert gru.figures["peak_memory_mib"].values == {0: 1024.0, 1: 1024.0}
    assert (lstm.figures["validation_bits_per_character"].mean, lstm.figures["minutes"].spread) == (3.0, None)
    assert lstm.figures["peak_memory_mib"].mean is None
    assert rnn.figures["test_bits_per_character"].mean is None
    assert [row.failures for row in (gru, lstm, rnn)] == [
        [],
        ["1 of 2 diverged: too fast"],
        ["2 of 2 failed: out of memory"],
    ]


def test_the_table_has_a_row_for_each_and_says_which_failed():
    cells = {column.title: list(column.long) for column in columns(outcome())}
    assert cells["cell"] == ["gru", "lstm", "rnn:dropout=0"]
    assert cells["finished runs"] == ["2", "1 of 2, diverged", "0 of 2, failed"]
    assert cells["bits/char, validation"] == ["2.0 ± 0.6", "3.000", "-"]  # 0.05 × 12.706, Student's t of one freedom
    assert cells["bits/char, test"] == ["2.6 ± 1.6", "3.500", "-"]
    assert cells["bits/char, test, difference to gru"] == ["-", "+1.000", "-"]
    assert cells["epochs"] == ["2 ± 6", "2.0", "-"]
    assert cells["parameters"] == ["1,234,567"] * 3
    assert cells["characters/s, sampling"] == ["1,234,567", "1,234,567", "-"]
    assert cells["minutes"] == ["1.25", "1.00", "-"]
    assert cells["peak memory, MiB"] == ["1,024", "-", "-"]


def test_numbers_in_short_keep_three_digits(rng):
    assert [compact(value) for value in (0, 640, 999.4, 999.6, 12_345, 99_949, 99_951, 1e6, 2.5e9, 3e12)] == [
        *("0", "640", "999", "1.00k", "12.3k", "99.9k", "100k", "1.00M", "2.50G", "3000G"),
    ]
    for value in 10 ** rng.uniform(2, 9, 200):
        shown = compact(value)
        number = float(shown.rstrip("kMG")) * {"k": 1e3, "M": 1e6, "G": 1e9}.get(shown[-1], 1)
        assert abs(number / value - 1) <= 0.0051
        assert len(shown) <= 5


def test_json_and_csv_have_all_numbers(tmp_path):
    summary = outcome()
    found = json.loads(json.dumps(summary.to_dict()))
    assert (found["match"], found["repeats"], found["epochs"]) == ("units", 2, 1)
    assert found["rows"][0]["figures"]["test_bits_per_character"]["values"] == [2.5, 2.75]
    assert [run["state"] for run in found["rows"][1]["runs"]] == ["finished", "diverged"]
    summary.save_csv(tmp_path / "table.csv")
    with open(tmp_path / "table.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["gru", "lstm", "rnn:dropout=0"]
    assert float(rows[0]["test_bits_per_character_spread"]) == statistics.stdev([2.5, 2.75])
    assert (rows[1]["finished"], rows[1]["test_bits_per_character_spread"], rows[2]["minutes"]) == ("1", "", "")


def test_it_says_what_was_compared():
    summary = outcome()
    assert summary.describe() == (
        "Text: abc, 1,000 characters, split 0.9, 0.05, 0.05. The networks have equally many units, and learn for 1 "
        "epoch each, with random states 0 to 1."
    )
    timed = replace(summary, plan=plan("gru", match="time", recipe=Recipe(minutes=2.5)))
    assert timed.describe().endswith("The networks learn for 2.5 minutes each, with random state 0.")


def test_curves_of_equal_points_are_put_together_point_by_point():
    one, other = np.array([[1.0, 4], [2, 3]]), np.array([[1.5, 6], [3, 5]])
    x, y = report.align([one, other])
    assert (x.tolist(), y.tolist()) == ([1.25, 2.5], [[4, 3], [6, 5]])


def test_other_curves_are_read_where_all_are_and_at_their_ends(rng):
    lines = [(rng.normal(), rng.normal()) for _ in range(3)]
    counts = (5, 3, 4)
    xs = [np.sort(rng.uniform(0, 10, count)) for count in counts]
    x, y = report.align([np.stack([of, a + b * of], axis=1) for of, (a, b) in zip(xs, lines)])
    assert np.all(np.diff(x) > 0)
    inner = x[:-1]
    assert np.all(inner >= max(of[0] for of in xs))
    assert np.all(inner < min(of[-1] for of in xs))
    for row, of, (a, b) in zip(y, xs, lines):
        assert np.allclose(row, np.append(a + b * inner, a + b * of[-1]))


def test_the_curves_show_every_network_that_learned_against_steps_and_minutes():
    figure = report.curves(outcome())
    assert figure.title == "Learning curves (lines: means of the runs; bands: from the lowest to the highest)"
    assert [panel.x_label for panel in figure.panels] == ["steps", "minutes"]
    for panel in figure.panels:
        assert [(curve.series, curve.label) for curve in panel.curves] == [
            (name, part) for part in ("validation", "training") for name in ("gru", "lstm")
        ]
        assert [curve.band is not None for curve in panel.curves] == [True, False, True, False]
    lstm = figure.panels[0].curves[1]
    assert list(lstm.x) == [10, 20]
    assert np.allclose(lstm.y, np.array([3.0, 1.5]) / np.log(2))


def test_the_legend_calls_best_what_the_table_has():
    """The lowest point of a mean curve is not the mean of the lowest points."""
    summary = outcome()
    (table,) = (column.long for column in columns(summary) if column.title == "bits/char, validation")
    drawn = [curve for panel in report.curves(summary).panels for curve in panel.curves if curve.label == "validation"]
    notes = {curve.series: curve.note for curve in drawn}
    assert notes == {name: f"best {cell} bits per character" for name, cell in zip(("gru", "lstm"), table)}
    assert [curve.mark for curve in drawn] == [None, 1, None, 1]  # the runs of the gru have best epochs of their own


def test_the_page_says_how_all_networks_learned_and_how_the_samples_were_drawn():
    summary = outcome()
    settings = dict(report.list_settings(summary))
    assert (settings["random states"], settings["temperature of the samples"]) == ("0, 1", 0.8)
    assert settings["dropout"] == "0 to 0.5, by epochs, weights and text"
    assert settings["weight decay"] == "0 to 0.5, by weights and text"
    assert settings["learning rate"] == 0.01
    rows = [replace(row, config=replace(row.config, dropout=0.1 * n)) for n, row in enumerate(summary.rows)]
    settings = dict(report.list_settings(replace(summary, rows=rows)))
    assert [settings[f"dropout of {row.name}"] for row in rows] == ["0", "0.1", "0.2"]


@pytest.mark.parametrize("width", [1280, 390])
def test_the_table_has_room_on_a_screen_and_scrolls_on_a_phone(browser, tmp_path, width):
    report.save(outcome(), tmp_path / "report.html")
    browser.get((tmp_path / "report.html").as_uri())
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        room, table, page = browser.execute_script(
            "const box = document.querySelector('.scroll');"
            "return [box.clientWidth, box.scrollWidth, document.documentElement.scrollWidth]"
        )
        assert page <= width
        assert (table <= room) == (width == 1280)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_page_has_the_table_the_curves_and_the_samples(tmp_path):
    report.save(outcome(), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for shown in (
        "<td>2.6 ± 1.6</td>",
        "lstm: 1 of 2 diverged: too fast",
        "Learning curves",
        "<pre>&lt;b&gt;oh</pre>",
    ):
        assert shown in page
    assert set(re.findall(r"https?://[^/]+", page)) <= {"http://www.w3.org"}  # names of SVG, which nothing fetches
    report.save(outcome(), tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").read_bytes().startswith(b"<?xml")


def test_where_nothing_was_learned_there_is_a_page_and_no_image(tmp_path):
    summary = outcome()
    summary = replace(summary, rows=summary.rows[2:])
    report.save(summary, tmp_path / "report.html")
    assert "rnn:dropout=0: 2 of 2 failed: out of memory" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError) as error:
        report.save(summary, tmp_path / "curves.png")
    assert str(error.value) == (
        f"there are no curves for {tmp_path / 'curves.png'}: no run got as far as the end of an epoch"
    )
