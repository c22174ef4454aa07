"""The command that trains: what it shows and writes, how it ends, how it goes on."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from mistakes import fails

from shakegen.model import load, model_file

FAST = ["--units", 8, "--epochs", 2, "--seq-length", 20, "--batch-size", 8]


@pytest.fixture
def corpus(tmp_path, poem):
    path = tmp_path / "poem.txt"
    path.write_text(poem)
    return path


def test_train_then_sample_then_info(shakegen, corpus, poem):
    trained = shakegen("train", corpus, *FAST, "--sample-length", 30)
    assert trained.exit_code == 0
    assert trained.stdout == ""
    assert [line[:10] for line in trained.stderr.splitlines() if line.startswith("epoch")] == [
        "epoch 1/2:",
        "epoch 2/2:",
    ]
    assert trained.stderr.splitlines()[-3:] == [
        'Now try: shakegen sample --model models/poem-gru.h5 --seed "..."',
        f"         shakegen evaluate models/poem-gru.h5 {corpus}",
        f"         shakegen train {corpus} --finetune models/poem-gru.h5 --out ...",
    ]
    sampled = shakegen("sample", "--seed", "Shall", "--length", 40, "--random-state", 1)
    assert sampled.exit_code == 0
    assert sampled.stdout.startswith("Shall")
    assert len(sampled.stdout) == 5 + 40 + 1
    assert sampled.stdout == shakegen("sample", "--seed", "Shall", "--length", 40, "--random-state", 1).stdout
    info = json.loads(shakegen("info", "models/poem-gru.h5", "--json").stdout)
    model = load("models/poem-gru.h5")
    assert f"\nSaved: models/poem-gru.h5, a gru of {model.parameters:,} weights\n" in trained.stderr
    assert info["parameters"] == model.parameters == sum(w.size for w in model.weights.values())
    assert info["vocabulary"] == "".join(sorted(set(poem)))
    assert info["corpus"]["length"] == len(poem)
    assert info["validation_bits_per_character"] == model.validation_bits
    shown = shakegen("info", "models/poem-gru.h5").stdout
    assert f"\ncell{'gru':>31}\n" in shown
    assert f"{model.validation_bits:.3f}" in shown
    assert f"\nparameters{model.parameters:>{22 + len(f'{model.parameters:,}')},}\n" in shown
    assert "\nreset after" in shown
    assert re.search(r"^dropout +0\.4, or less in runs of less than 15 epochs$", shown, re.MULTILINE)
    assert not {"depth", "activation"} & {line.split()[0] for line in shown.splitlines()}, "for other cells"
    assert (info["epochs"], info["minutes"]) == (2, round(model.history[-1]["seconds"] / 60, 2))


def test_every_kind_of_network_can_be_trained_and_sampled(shakegen, corpus):
    kinds = {
        "nlstm": ["--depth", 3, "--learn-initial-state"],
        "gru": ["--reset-before", "--layers", 2, "--residual"],
        "rnn": ["--activation", "relu", "--embedding", 5, "--dropout", 0.1],
    }
    for cell, options in kinds.items():
        trained = shakegen("train", corpus, *FAST, "--quiet", "--cell", cell, *options)
        assert (trained.exit_code, trained.output) == (0, f"models/poem-{cell}.h5\n")
        sampled = shakegen("sample", "--model", f"models/poem-{cell}.h5", "--seed", "Shall", "--length", 20)
        assert len(sampled.stdout) == 5 + 20 + 1


def test_quiet_training_prints_only_where_the_model_is(shakegen, corpus):
    result = shakegen("train", corpus, *FAST, "--quiet", "--cell", "rnn", "--out", "deep/er/model.h5")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "deep/er/model.h5\n", "")
    assert load("deep/er/model.h5").config.cell == "rnn"


def test_the_sample_after_an_epoch_may_be_searched_for(shakegen, corpus):
    trained = shakegen("train", corpus, *FAST, "--sample-seed", "Shall", "--sample-length", 20, "--beam-width", 4)
    assert trained.exit_code == 0
    text = load("models/poem-gru.h5").beams("Shall", 20, width=4)[0].text
    assert f"\nShall{text}\n" in trained.stderr


def test_training_on_standard_input(shakegen, poem):
    assert shakegen("train", "-", *FAST, "--quiet", input=poem).exit_code == 0
    assert load("models/stdin-gru.h5").corpus["length"] == len(poem)


BAD_TEXTS = {
    "empty": (b"", "bad.txt is empty: expected some text to learn from"),
    "one character": (
        b"a" * 500,
        "bad.txt has only one distinct character, 'a' (U+0061): there is nothing to predict in it",
    ),
    "ten characters": (
        b"abcdefghij",
        "the training text has 9 characters, but a window of 64 and its next character need 65: "
        "try a longer text or shorter windows (--seq-length)",
    ),
    "utf-16": (
        "shall i compare thee".encode("utf-16"),
        "bad.txt has a zero byte (byte offset 3), so it is not utf-8 text: try --encoding utf-16",
    ),
}


@pytest.mark.parametrize(("raw", "message"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_texts_that_cannot_be_learned(shakegen, tmp_path, raw, message):
    (tmp_path / "bad.txt").write_bytes(raw)
    assert fails(shakegen("train", "bad.txt"), message)
    assert not list(tmp_path.glob("models/*"))


def test_output_folder_that_cannot_be_written_is_refused_before_training(shakegen, corpus, tmp_path):
    (tmp_path / "models").write_text("a file")
    assert fails(
        shakegen("train", corpus),
        "cannot write models/poem-gru.h5 (File exists): "
        "expected a file in a folder that has room and may be written to; try another place with --out",
    )


def command(tmp_path, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "shakegen", *map(str, arguments)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_save_the_model_and_say_how_to_go_on(tmp_path, corpus, number, code):
    process = command(tmp_path, "train", corpus, *FAST, "--epochs", 100_000, "--sample-length", 0)
    assert process.stderr.readline().startswith("epoch 1/100000: ")
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    interrupted, took, saved, go_on = errors.splitlines()[-4:]
    assert interrupted.startswith("Interrupted. Best epoch: ")
    assert took.startswith("Time: ")
    assert saved.startswith("Saved: models/poem-gru.h5, a gru of ")
    assert go_on == f"Go on with: shakegen train {corpus} --out models/poem-gru.h5 --resume"
    model = load(tmp_path / "models" / "poem-gru.h5", with_training=True)
    assert model.training.state["position"]["step"] >= model.history[-1]["steps"] > 0
    assert [p.name for p in (tmp_path / "models").iterdir()] == ["poem-gru.h5"]


def test_ctrl_c_before_the_training_begins_leaves_nothing(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "shakegen", "train", "-"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        process.stdin.write("more than a pipe holds " * 10_000)  # returns once it is being read
        process.stdin.flush()
        time.sleep(1)  # now it waits for more
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "\nInterrupted.\n"
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_no_log_line_of_tensorflow_reaches_the_user(tmp_path, corpus):
    process = command(tmp_path, "train", corpus, *FAST, "--quiet")
    assert process.communicate(timeout=120) == ("models/poem-gru.h5\n", "")
    assert process.returncode == 0


def test_a_run_goes_on_with_the_options_that_it_began_with(shakegen, tmp_path, poem):
    (tmp_path / "brief.txt").write_bytes(poem.replace("e", "é").encode("latin-1"))
    options = [
        "--encoding",
        "latin-1",
        "--split",
        "0.8,0.1,0.1",
        "--cell",
        "rnn",
        "--sample-seed",
        "Shall",
        "--temperature",
    ]
    assert shakegen("train", "brief.txt", *FAST, *options, 0, "--sample-length", 9).exit_code == 0
    first = load("models/brief-rnn.h5")
    resumed = shakegen("train", "brief.txt", "--resume", "--epochs", 3)
    assert resumed.exit_code == 0
    lines = resumed.stderr.splitlines()
    assert lines[0] == "Going on with models/brief-rnn.h5, after 2 epochs."
    assert lines[1].startswith("epoch 3/3: ")
    second = load("models/brief-rnn.h5")
    assert second.history[:2] == first.history
    assert second.corpus == first.corpus
    sample = "\n".join(lines[2:]).split("\n\n")[0]
    assert sample.startswith("Shall")
    assert len(sample) == len("Shall") + 9
    assert fails(
        shakegen("train", "brief.txt", "--resume"),
        "the run to resume has ended: 3 of 3 epochs are over (--epochs); give it more",
    )
    assert fails(
        shakegen("train", "brief.txt", "--resume", "--units", 9, "--epochs", 4),
        "the run to resume has units 8, not 9: leave that out, or start a new run without --resume "
        "(epochs, minutes, learning rate and patience may change)",
    )


def test_runs_to_resume_are_looked_for_by_their_corpus(shakegen, corpus, random_model):
    message = (
        f"no training run on {corpus} in ./models to resume: name its file with --out, or start one without --resume"
    )
    assert fails(shakegen("train", corpus, "--resume"), message)
    random_model().save("models/poem-gru.h5")
    assert fails(shakegen("train", corpus, "--resume"), message)
    assert fails(
        shakegen("train", corpus, "--resume", "--out", "models/poem-gru.h5"),
        "models/poem-gru.h5 holds no training run to resume: start from its weights with --finetune, or start a new "
        "run",
    )
    for notes in (["a", "b"], {"beam_width": [1]}, {"sample_length": "q"}):
        trained = random_model()
        trained.training = model_file.Training({"notes": notes, "recipe": {}}, {"weights/0": np.zeros(2)})
        trained.save("models/notes.h5", with_training=True)
        assert fails(
            shakegen("train", corpus, "--resume", "--out", "models/notes.h5"),
            "the training run to resume has options that cannot be used: the file may be damaged; start a new run "
            "without --resume",
        )
    assert fails(
        shakegen("train", corpus, "--resume", "--finetune", "models/poem-gru.h5"),
        "resume and finetune are both given: expected one of them",
    )


def test_a_run_is_found_by_any_path_to_its_text_and_others_are_named(shakegen, corpus, poem):
    Path("other.txt").write_text("another text\n" * 99, encoding="utf-8")
    assert shakegen("train", "poem.txt", *FAST, "--quiet").exit_code == 0
    missing = (
        "no training run on other.txt in ./models to resume (models/poem-gru.h5 has one of a gru on poem.txt): name "
        "its file with --out, or start one without --resume"
    )
    assert fails(shakegen("train", "other.txt", "--resume", "--quiet"), missing)
    for epochs, place in enumerate(("poem.txt", "./poem.txt", corpus), 3):
        assert shakegen("train", place, "--resume", "--epochs", epochs, "--quiet").exit_code == 0
        assert len(load("models/poem-gru.h5").history) == epochs
    corpus.write_text(poem + "!", encoding="utf-8")
    before, after = (hashlib.sha256(text.encode()).hexdigest()[:12] for text in (poem, poem + "!"))
    assert fails(
        shakegen("train", "poem.txt", "--resume", "--epochs", 9, "--quiet"),
        f"the text is not that of the run in models/poem-gru.h5: poem has {len(poem) + 1:,} characters, sha256 "
        f"{after}…, the run's text had {len(poem):,} characters, sha256 {before}…; resume it with its own text, or "
        "start a new run, from its weights with --finetune",
    )


def test_on_a_tiny_validation_text_the_training_loss_chooses(shakegen, poem):
    Path("tiny.txt").write_text(poem[:300], encoding="utf-8")
    result = shakegen("train", "tiny.txt", *FAST, "--epochs", 4, "--sample-length", 0)
    lines = result.stderr.splitlines()
    assert lines[0] == (
        "The validation text is too short to choose an epoch by (expected 40 characters or more): the epoch with the "
        "lowest training loss is kept."
    )
    history = load("models/tiny-gru.h5").history
    assert load("models/tiny-gru.h5").best_epoch["loss"] == min(entry["loss"] for entry in history)
    assert not any("val_loss" in entry for entry in history)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("one line\nand another\n", ("--split", "1,0,0"), "the training text has 21 characters, but a window of 64 "
         "and its next character need 65: try a longer text or shorter windows (--seq-length)"),
        ("one line\nand another\n", ("--level", "word", "--split", "1,0,0"), "the training text has 6 words, but a "
         "window of 64 and its next word need 65: try a longer text or shorter windows (--seq-length)"),
        ("a short line\n", ("--seq-length", "2"), "short has 13 characters, too few for the split 0.9,0.05,0.05: its "
         "validation text has 0 characters, and 2 are needed to predict one from the other; try a longer text, or "
         "--split 1,0,0"),
    ],
)  # fmt: skip
def test_a_text_that_is_too_short_is_refused_before_tensorflow_is_loaded(tmp_path, text, options, message):
    (tmp_path / "short.txt").write_text(text, encoding="utf-8")
    program = "import sys\nfrom shakegen.cli import main\ntry: main()\nfinally: print('tensorflow' in sys.modules)"
    command = [sys.executable, "-c", program, "train", "short.txt", *options]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr, result.stdout) == (1, f"Error: {message}\n", "False\n")


def test_finetuning_from_the_shell(shakegen, corpus, random_model):
    random_model().save("models/abc.h5")
    few = ["--epochs", 1, "--seq-length", 20, "--quiet"]
    assert shakegen("train", corpus, "--finetune", "models/abc.h5", *few).exit_code == 0
    assert load("models/poem-gru.h5").config.units == 12
    assert fails(
        shakegen("train", corpus, "--finetune", "models/poem-gru.h5", "--out", "models/poem-gru.h5", *few),
        "models/poem-gru.h5 is read, it would be overwritten: name another file with --out",
    )


def test_a_run_without_a_name_for_its_model_overwrites_none(shakegen, corpus):
    few = ["--units", 4, "--layers", 1, "--epochs", 1, "--seq-length", 20, "--quiet"]
    names = [["poem-gru.h5"], ["poem-gru-2.h5", "poem-gru.h5"], ["poem-gru-2.h5", "poem-gru-3.h5", "poem-gru.h5"]]
    for expected in names:
        assert shakegen("train", corpus, *few).exit_code == 0
        assert sorted(os.listdir("models")) == expected


def test_a_model_that_is_trained_anew_is_kept_and_one_that_is_resumed_is_not_copied(shakegen, corpus):
    few = ["--units", 4, "--layers", 1, "--seq-length", 20, "--quiet", "--out", "m.h5"]
    assert shakegen("train", corpus, *few, "--epochs", 1).stderr == ""
    first = Path("m.h5").read_bytes()
    again = shakegen("train", corpus, *few, "--epochs", 1, "--random-state", 1)
    assert again.stderr == "m.h5 is there already: it is kept as m.h5~\n"
    assert shakegen("train", corpus, *few, "--resume", "--epochs", 2).stderr == ""
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
