"""`shakegen sample` where something must come: templates, bridges, texts that contain or end with something."""

import json

import pytest

from shakegen.model import LanguageModel
from shakegen.network.config import Config
from shakegen.sampling import Form
from shakegen.sampling.constraints import Forbid
from shakegen.text.vocabulary import Vocabulary

CALLS = {
    "--require ab --require c --length 12": ("", Form.containing(["ab", "c"], length=12), {}),
    "--seed xy --end ab --length 20 --min-length 9": ("xy", Form.containing((), "ab", 20, 9), {}),
    "--seed xy --require c --end ab --length 9": ("xy", Form.containing("c", "ab", 9), {}),
    "--between xy ab --length 9 --temperature 1.5": ("xy", Form.between("ab", 9), {"temperature": 1.5}),
    "--between xy ab --length 9 --min-length 5": ("xy", Form.between("ab", 9, 5), {}),
    "--template form.txt --length 9 --forbid q": (
        "", Form.template("dear {[a-c]+} {:3}ab{:2}", 9), {"constraints": [Forbid("q")]}
    ),
    "--template form.txt --seed xy": ("xy", Form.template("dear {[a-c]+} {:3}ab{:2}", 12), {}),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "expected"), CALLS.items())
def test_options_are_those_of_python(write, random_model, tmp_path, arguments, expected):
    (tmp_path / "form.txt").write_text("dear {[a-c]+} {:3}ab{:2}")
    seed, form, options = expected
    options = {"temperature": 0.8, **options}
    text = random_model().fill(form, seed, random_state=1, particles=9, **options)[0].text
    result = write(*arguments.split(), "--particles", 9)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (0, f"{seed}{text}\n", 1)


def test_several_texts_have_weights(write, random_model):
    texts = random_model().fill(Form.between("ab", 9), "xy", 3, particles=4, temperature=0.8, random_state=1)
    arguments = ("--between", "xy", "ab", "--length", 9, "--particles", 4, "--count", 3)
    lines = [json.loads(line) for line in write(*arguments, "--json").stdout.splitlines()]
    assert lines == [{"seed": "xy", **one._asdict()} for one in texts]
    result = write(*arguments)
    assert result.stdout == "\n---\n".join(f"xy{one.text}" for one in texts) + "\n"
    assert result.stderr.splitlines()[1:] == [
        "Among several texts, each counts in proportion to exp(weight):",
        *(
            f"{number}: weight {one.log_weight:.4f}, log-probability {one.log_probability:.4f}"
            for number, one in enumerate(texts, 1)
        ),
    ]


@pytest.mark.parametrize("place", ["{:3}", "{:20-}"])
def test_a_length_that_no_place_of_a_template_takes_is_refused(write, tmp_path, place):
    (tmp_path / "form.txt").write_text(f"xy{place}z")
    result = write("--template", "form.txt", "--length", 12)
    assert (result.exit_code, result.stderr) == (
        1, "Error: --length has no effect on this template, which gives the lengths of its places: leave it out\n"
    )  # fmt: skip


def test_a_dash_between_which_a_text_is_written_is_itself(shakegen, random_weights):
    vocabulary, config = Vocabulary("-abc"), Config(units=4)
    LanguageModel(config, vocabulary, random_weights(config, 4)).save("models/dash.h5")
    result = shakegen("sample", "--between", "-", "ab", "--length", 5, input="c")
    assert (result.exit_code, result.stdout[0]) == (0, "-")


def test_texts_that_came_to_a_dead_end_are_counted(write, random_model):
    options = {"particles": 1, "temperature": 0.8, "random_state": 1, "constraints": [Forbid(patterns="[a-m]ab")]}
    missing = 8 - len(random_model().fill(Form.between("ab", 3), "xy", 8, **options))
    assert 0 < missing < 8
    arguments = ("--between", "xy", "ab", "--length", 3, "--particles", 1, "--count", 8, "--forbid-pattern", "[a-m]ab")
    line = f"{missing} of 8 texts came to a dead end: count them with a weight of 0, or try more --particles"
    for more in ((), ("--json",)):
        assert line in write(*arguments, *more).stderr.splitlines()
    assert write(*arguments, "--quiet").stderr == ""


def test_a_template_from_standard_input_ends_with_its_own_line_end(shakegen, all_kinds):
    arguments = ("sample", "--model", "char.h5", "--template", "-", "--random-state", 1, "--particles", 4)
    result = shakegen(*arguments, input="Shall {:3}\n{:4-6}\nlovely\n")
    assert result.exit_code == 0, result.stderr
    first, second, third = result.stdout.splitlines()
    assert first.startswith("Shall ")
    assert (len(first), third) == (9, "lovely")
    assert 4 <= len(second) <= 6
    line = json.loads(shakegen(*arguments, "--json", input="{:3}\n").stdout)
    assert line["text"].endswith("\n")
    assert shakegen(*arguments[:3], "--end", "\\n", "--length", 90, "--particles", 4).exit_code == 0


MISTAKES = {
    "--template and --between are both given: expected one of them": "--template x --between a b",
    "--template and --end are both given: expected one of them": "--template x --end a",
    "--between and --require are both given: expected one of them": "--between a b --require c",
    "--between and --seed are both given: expected one of them": "--between a b --seed c",
    "--interactive has no effect on a text that must come to something: leave it out": "--end a --interactive",
    "--beam-width has no effect on a text that must come to something: leave it out": "--end a --beam-width 2",
    "--stop has no effect on a text that must come to something: leave it out": "--end a --stop b",
    "--temperature-from has no effect on a text that must come to something: leave it out": (
        "--end a --temperature-from 1 --temperature-to 2"
    ),
    "the number of particles is 0: expected 1 to 1,000,000; 64 is usual": "--end a --particles 0",
    "the text must have 'abc', 3 symbols, but its length is 2: expected a larger length": "--require abc --length 2",
    "forbidding 'b' contradicts 'abc', which must be written: leave one of them out": "--end abc --forbid b",
    "the model never saw 'é' (U+00E9): use characters of its training text, or skip the unknown ones (--on-unknown "
    "skip)": "--require é",
    "no file form.txt: expected a text file, or - for standard input": "--template form.txt",
    "the end text is empty: expected one character or more": "--between a=",
}


@pytest.mark.parametrize(("message", "arguments"), MISTAKES.items())
def test_mistakes_get_one_line(write, message, arguments):
    result = write(*(["--between", "a", ""] if arguments.endswith("=") else arguments.split()))
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")
