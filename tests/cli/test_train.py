"""The command that trains: what it shows and writes, and the texts that it refuses."""

import json
import re
import shlex
from pathlib import Path

import pytest
from commands import FAST, run_without
from mistakes import fails

from shakegen.cli import runs
from shakegen.model import load
from shakegen.model.hdf5_layout import SIGNATURE
from shakegen.text import load_corpus, xz
from shakegen.text.ngram import find_best


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--encoding", "latin-1"), " --encoding latin-1"),
        (("--lowercase", "--normalize", "text8"), " --lowercase --normalize text8"),
    ],
)
def test_commands_to_go_on_with_read_the_text_in_the_same_way(shakegen, poem_file, poem, options, named):
    poem_file.write_bytes((poem + "\xe9t\xe9\n").encode("latin-1" if "latin-1" in options else "utf-8"))
    told = shakegen("train", poem_file, *FAST, *options).stderr.splitlines()[-3:]
    assert told[1:] == [
        f"         shakegen evaluate models/poem-gru.h5 {poem_file}{named}",
        f"         shakegen train {poem_file}{named} --finetune models/poem-gru.h5 --out ...",
    ]
    assert shakegen(*shlex.split(told[1])[1:]).exit_code == 0


def test_of_standard_input_nothing_is_told_that_would_read_it_again(shakegen, poem):
    told = shakegen("train", "-", *FAST, input=poem).stderr.splitlines()
    assert told[-1] == 'Now try: shakegen sample --model models/stdin-gru.h5 --seed "..."'


def test_train_then_sample_then_info(shakegen, poem_file, poem):
    trained = shakegen("train", poem_file, *FAST, "--sample-length", 30)
    assert trained.exit_code == 0
    assert trained.stdout == ""
    assert [line[:10] for line in trained.stderr.splitlines() if line.startswith("epoch")] == [
        "epoch 1/2:",
        "epoch 2/2:",
    ]
    assert trained.stderr.splitlines()[-3:] == [
        'Now try: shakegen sample --model models/poem-gru.h5 --seed "..."',
        f"         shakegen evaluate models/poem-gru.h5 {poem_file}",
        f"         shakegen train {poem_file} --finetune models/poem-gru.h5 --out ...",
    ]
    sampled = shakegen("sample", "--seed", "Shall", "--length", 40, "--random-state", 1)
    assert sampled.exit_code == 0
    assert sampled.stdout.startswith("Shall")
    assert len(sampled.stdout) == 5 + 40 + 1
    assert sampled.stdout == shakegen("sample", "--seed", "Shall", "--length", 40, "--random-state", 1).stdout
    info = json.loads(shakegen("info", "models/poem-gru.h5", "--json").stdout)
    model = load("models/poem-gru.h5")
    assert f"\nSaved: models/poem-gru.h5, a gru of {model.parameters:,} weights\n" in trained.stderr
    corpus = load_corpus(poem_file)
    packed = xz.measure(corpus)["validation"]
    assert f"\nFor comparison: {find_best(corpus)} there, xz -9 {packed:.3f}.\n" in trained.stderr
    assert info["parameters"] == model.parameters == sum(w.size for w in model.weights.values())
    assert info["vocabulary"] == "".join(sorted(set(poem)))
    assert info["corpus"]["length"] == len(poem)
    assert info["validation_bits_per_character"] == model.validation_bits
    shown = shakegen("info", "models/poem-gru.h5").stdout
    assert f"\ncell{'gru':>31}\n" in shown
    assert f"{model.validation_bits:.3f}" in shown
    assert f"\nparameters{model.parameters:>{22 + len(f'{model.parameters:,}')},}\n" in shown
    assert "\nreset after" in shown
    assert re.search(r"^dropout +0 to 0\.5, by epochs, weights and text$", shown, re.MULTILINE)
    assert not {"depth", "activation"} & {line.split()[0] for line in shown.splitlines()}, "for other cells"
    assert (info["epochs"], info["minutes"]) == (2, round(model.history[-1]["seconds"] / 60, 2))


def test_every_kind_of_network_can_be_trained_and_sampled(shakegen, poem_file):
    kinds = {
        "nlstm": ["--depth", 3, "--learn-initial-state"],
        "gru": ["--reset-before", "--layers", 2, "--residual"],
        "rnn": ["--activation", "relu", "--embedding", 5, "--dropout", 0.1],
    }
    for cell, options in kinds.items():
        trained = shakegen("train", poem_file, *FAST, "--epochs", 1, "--quiet", "--cell", cell, *options)
        assert (trained.exit_code, trained.output) == (0, f"models/poem-{cell}.h5\n")
        sampled = shakegen("sample", "--model", f"models/poem-{cell}.h5", "--seed", "Shall", "--length", 20)
        assert len(sampled.stdout) == 5 + 20 + 1


def test_quiet_training_by_a_file_of_options_prints_only_where_the_model_is(shakegen, poem_file):
    lines = (f"{flag[2:]} = {value}\n" for flag, value in zip(FAST[::2], FAST[1::2], strict=True))
    Path("run.toml").write_text("".join(lines) + 'cell = "lstm"\n', encoding="utf-8")
    options = ["--config", "run.toml", "--cell", "rnn", "-q", "-o", "deep/er/model.h5"]
    result = shakegen("train", poem_file, *options)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "deep/er/model.h5\n", "")
    assert (load("deep/er/model.h5").config.cell, load("deep/er/model.h5").config.units) == ("rnn", 8)
    resumed = shakegen("train", poem_file, *options, "--resume", "--units", 9)
    message = "the run to resume has units 8, not 9: leave that out, or start a new run without --resume "
    assert fails(resumed, f"{message}(epochs, minutes, learning rate and patience may change)")
    again = shakegen("train", poem_file, *options, "--resume")
    assert fails(again, "the run to resume has ended: 2 of 2 epochs are over (--epochs); give it more")


def test_the_sample_after_an_epoch_may_be_searched_for(shakegen, poem_file):
    trained = shakegen("train", poem_file, *FAST, "--sample-seed", "Shall", "--sample-length", 20, "--beam-width", 4)
    assert trained.exit_code == 0
    text = load("models/poem-gru.h5").beams("Shall", 20, width=4)[0].text
    assert f"\nShall{text}\n" in trained.stderr


def test_training_on_standard_input(shakegen, poem):
    result = shakegen("train", "-", *FAST, "--quiet", "--json", input=poem)
    assert (result.exit_code, result.stderr) == (0, "")
    model = load("models/stdin-gru.h5")
    assert model.corpus["length"] == len(poem)
    assert json.loads(result.stdout) == runs.summarise(model, Path("models/stdin-gru.h5"))


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


def test_output_folder_that_cannot_be_written_is_refused_before_training(shakegen, poem_file, tmp_path):
    (tmp_path / "models").write_text("a file")
    assert fails(
        shakegen("train", poem_file),
        "cannot write models/poem-gru.h5 (File exists): "
        "expected a file in a folder that has room and may be written to; try another place with --out",
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
    result = run_without("tensorflow", tmp_path, shlex.join(["train", "short.txt", *options]))
    assert (result.returncode, result.stderr, result.stdout) == (1, f"Error: {message}\n", "")


def test_options_without_effect_are_refused_before_a_file_is_touched(shakegen, poem_file):
    Path("a.h5").write_bytes(b"older")
    Path("a.h5~").write_bytes(b"oldest")
    result = shakegen("train", poem_file, "--out", "a.h5", "--beam-width", 2, "--temperature", 1)
    assert fails(result, "--temperature has no effect on a beam search: leave it out")
    assert (Path("a.h5").read_bytes(), Path("a.h5~").read_bytes()) == (b"older", b"oldest")


def test_no_sample_may_be_asked_for_of_words_that_are_completed(shakegen, poem_file):
    result = shakegen("train", poem_file, "--task", "autocomplete", "--sample-length", 0, "--batch-size", 0)
    assert fails(result, "the batch size given is 0: expected a whole number above 0")


def test_a_model_of_another_task_is_no_beginning(shakegen, poem_file, random_model):
    random_model().save("models/poem-gru.h5")
    assert fails(
        shakegen("train", poem_file, "--finetune", "models/poem-gru.h5", "--task", "autocomplete"),
        "the model to start from has task next, not autocomplete: leave that out, for its weights fit no other network",
    )


def test_a_refused_run_leaves_the_older_copy(shakegen, poem_file):
    Path("a.h5").write_bytes(SIGNATURE + b"older")
    Path("a.h5~").write_bytes(b"oldest")
    optimizers = "expected one of Keras's, such as adam, adamw, rmsprop or sgd"
    for wrong, message in {
        "--temperature=-1": "the temperature is -1.0: expected 0 (greedy) or more; 0.5 is careful, 1 is free",
        "--optimizer=adamm": f"there is no optimizer 'adamm': {optimizers}",
    }.items():
        assert fails(shakegen("train", poem_file, *FAST, "--out", "a.h5", wrong), message)
        assert Path("a.h5~").read_bytes() == b"oldest"


def test_the_copy_of_a_model_does_not_replace_the_one_to_start_from(shakegen, poem_file, random_model):
    random_model().save("m.h5")
    random_model(random_state=1).save("m.h5~")
    before = Path("m.h5~").read_bytes()
    assert fails(
        shakegen("train", poem_file, *FAST, "--finetune", "m.h5~", "--out", "m.h5"),
        "m.h5~ is read, it would be overwritten: name another file with --out",
    )
    assert Path("m.h5~").read_bytes() == before
