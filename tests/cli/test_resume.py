"""The command that trains: how a run that is interrupted ends, and how one goes on."""

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from commands import FAST, command
from mistakes import fails

from shakegen.model import load, model_file


def test_ctrl_c_saves_the_model_and_says_how_to_go_on(tmp_path, poem_file):
    process = command(tmp_path, "train", poem_file, *FAST, "--epochs", 100_000, "--sample-length", 0)
    assert process.stderr.readline().startswith("epoch 1/100000: ")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    *epochs, empty, interrupted, took, saved, go_on = errors.splitlines()
    assert empty == ""
    assert all(line.startswith("epoch ") for line in epochs), "no line of TensorFlow's reaches the user"
    assert interrupted.startswith("Interrupted. Best epoch: ")
    assert took.startswith("Time: ")
    assert saved.startswith("Saved: models/poem-gru.h5, a gru of ")
    assert go_on == f"Go on with: shakegen train {poem_file} --out models/poem-gru.h5 --resume"
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


def test_runs_to_resume_are_looked_for_by_their_corpus(shakegen, poem_file, random_model):
    message = (
        f"no training run on {poem_file} in ./models to resume: name its file with --out, or start one without --resume"
    )
    assert fails(shakegen("train", poem_file, "--resume"), message)
    random_model().save("models/poem-gru.h5")
    assert fails(shakegen("train", poem_file, "--resume"), message)
    assert fails(
        shakegen("train", poem_file, "--resume", "--out", "models/poem-gru.h5"),
        "models/poem-gru.h5 holds no training run to resume: start from its weights with --finetune, or start a new "
        "run",
    )
    for notes in (["a", "b"], {"beam_width": [1]}, {"sample_length": "q"}):
        trained = random_model()
        trained.training = model_file.Training({"notes": notes, "recipe": {}}, {"weights/0": np.zeros(2)})
        trained.save("models/notes.h5", with_training=True)
        assert fails(
            shakegen("train", poem_file, "--resume", "--out", "models/notes.h5"),
            "the training run to resume has options that cannot be used: the file may be damaged; start a new run "
            "without --resume",
        )
    assert fails(
        shakegen("train", poem_file, "--resume", "--finetune", "models/poem-gru.h5"),
        "--resume and --finetune are both given: expected one of them",
    )


def test_a_run_is_found_by_any_path_to_its_text_and_others_are_named(shakegen, poem_file, poem):
    Path("other.txt").write_text("another text\n" * 99, encoding="utf-8")
    assert shakegen("train", "poem.txt", *FAST, "--quiet").exit_code == 0
    missing = (
        "no training run on other.txt in ./models to resume (models/poem-gru.h5 has one of a gru on poem.txt): name "
        "its file with --out, or start one without --resume"
    )
    assert fails(shakegen("train", "other.txt", "--resume", "--quiet"), missing)
    for epochs, place in enumerate(("poem.txt", "./poem.txt", poem_file), 3):
        assert shakegen("train", place, "--resume", "--epochs", epochs, "--quiet").exit_code == 0
        assert len(load("models/poem-gru.h5").history) == epochs
    poem_file.write_text(poem + "!", encoding="utf-8")
    before, after = (hashlib.sha256(text.encode()).hexdigest()[:12] for text in (poem, poem + "!"))
    assert fails(
        shakegen("train", "poem.txt", "--resume", "--epochs", 9, "--quiet"),
        f"the text is not that of the run in models/poem-gru.h5: poem has {len(poem) + 1:,} characters, sha256 "
        f"{after}…, the run's text had {len(poem):,} characters, sha256 {before}…; resume it with its own text, or "
        "start a new run, from its weights with --finetune",
    )
