"""The page of the study: its sentences follow from the results."""

import argparse
import importlib.util
import json
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "study.py"


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("study", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_runs(*losses: float) -> list[dict]:
    return [{"test": {"cross_entropy": loss}} for loss in losses]


@pytest.mark.parametrize(
    ("gru", "lstm", "sentence"),
    [
        (
            (2.0, 2.1, 2.2), (2.2, 2.3, 2.41),
            "It holds here: gru − lstm, cross entropy, nats/position, -0.2033 ± 0.0143; 3 of 3 pairs of runs "
            "agree with the claim.",
        ),
        (
            (2.2, 2.3, 2.41), (2.0, 2.1, 2.2),
            "The opposite holds here: gru − lstm, cross entropy, nats/position, +0.2033 ± 0.0143; 0 of 3 pairs of runs "
            "agree with the claim.",
        ),
        (
            (2.0, 2.2), (2.1, 2.1),
            "These runs cannot tell: gru − lstm, cross entropy, nats/position, +0.0000 ± 1.2706; 1 of 2 pairs of runs "
            "agree with the claim.",
        ),
        (
            (2.0,), (2.1,),
            "These runs cannot tell: gru − lstm, cross entropy, nats/position, -0.1000; 1 of 1 pairs of runs "
            "agree with the claim.",
        ),
    ],
)  # fmt: skip
def test_a_conclusion_is_as_sure_as_the_runs_are(study, gru, lstm, sentence):
    results = {"gru": make_runs(*gru), "lstm": make_runs(*lstm)}
    assert study.compare(results, "gru", "lstm", "cross_entropy", -1, "*Claim.*") == f"- *Claim.* {sentence}"


def test_runs_of_other_options_are_no_results(study, tmp_path):
    options = argparse.Namespace(folder=tmp_path, corpus="a.txt", full=True, minutes=2, units=8, more=[])
    command = "train a.txt --task autocomplete --cell gru --minutes {}"
    rows = [[1.0] * (study.NEAR + 1)]
    result = {"test": {"cross_entropy": 2.0}, "history": [{"val_loss": 3.0}], "connectivity": {"connectivity": rows}}
    path = tmp_path / "gru-1.json"
    path.write_text(json.dumps(result | {"command": command.format(2)}), encoding="utf-8")
    found = study.carry_out(options, "gru", 1)["test"]
    assert found == {"cross_entropy": 2.0, "early": 3.0, "far": 1 / (study.NEAR + 1)}
    options.minutes = 5
    with pytest.raises(SystemExit) as end:
        study.carry_out(options, "gru", 1)
    assert str(end.value) == f"{path} is of `{command.format(2)}`, not of `{command.format(5)}`: name another --folder"


def test_far_connectivity_is_the_share_of_characters_beyond_the_near_ones(study):
    near, far = [0.0] * 5 + [1.0] * study.NEAR, [3.0] * 5 + [1.0] * study.NEAR
    assert study.measure_far([near]) == 0
    assert study.measure_far([near, far, [1.0], [0.0] * 30]) == pytest.approx(15 / (15 + study.NEAR) / 2)
