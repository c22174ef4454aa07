"""The command that trains: finetuning, the names of its files, and the model that it replaces, kept as `FILE~`."""

import os
from pathlib import Path

from mistakes import fails

from shakegen.model import load


def test_finetuning_from_the_shell(shakegen, poem_file, random_model):
    random_model().save("models/abc.h5")
    few = ["--epochs", 1, "--seq-length", 20, "--quiet"]
    assert shakegen("train", poem_file, "--finetune", "models/abc.h5", *few).exit_code == 0
    assert load("models/poem-gru.h5").config.units == 12
    assert fails(
        shakegen("train", poem_file, "--finetune", "models/poem-gru.h5", "--out", "models/poem-gru.h5", *few),
        "models/poem-gru.h5 is read, it would be overwritten: name another file with --out",
    )


def test_a_run_without_a_name_for_its_model_overwrites_none(shakegen, poem_file):
    few = ["--units", 4, "--layers", 1, "--epochs", 1, "--seq-length", 20, "--quiet"]
    names = [["poem-gru.h5"], ["poem-gru-2.h5", "poem-gru.h5"], ["poem-gru-2.h5", "poem-gru-3.h5", "poem-gru.h5"]]
    for expected in names:
        assert shakegen("train", poem_file, *few).exit_code == 0
        assert sorted(os.listdir("models")) == expected


def test_a_model_that_is_trained_anew_is_kept_and_one_that_is_resumed_is_not_copied(shakegen, poem_file):
    few = ["--units", 4, "--layers", 1, "--seq-length", 20, "--quiet", "--out", "m.h5"]
    assert shakegen("train", poem_file, *few, "--epochs", 1).stderr == ""
    first = Path("m.h5").read_bytes()
    again = shakegen("train", poem_file, *few, "--epochs", 1, "--random-state", 1)
    assert again.stderr == "m.h5 is there already: it is kept as m.h5~\n"
    assert shakegen("train", poem_file, *few, "--resume", "--epochs", 2).stderr == ""
    assert Path("m.h5~").read_bytes() == first


def test_samples_of_a_finetuned_network_know_the_letters_of_both_texts(shakegen):
    """What is shown after the last epoch is what the saved model writes."""
    few = ["--epochs", "1", "--units", "8", "--batch-size", "8", "--seq-length", "20"]
    Path("old.txt").write_text("abcdef " * 200, encoding="utf-8")
    Path("new.txt").write_text("XYZ " * 300, encoding="utf-8")
    assert shakegen("train", "old.txt", "--out", "old.h5", "--quiet", *few).exit_code == 0
    outcome = shakegen("train", "new.txt", "--finetune", "old.h5", "--out", "new.h5", *few, "--sample-seed", "X")
    model = load("new.h5")
    written = model.sample("X", 200, 0.8, random_state=0)
    assert f"X{written}" in outcome.stderr
