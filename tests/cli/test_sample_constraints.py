"""`shakegen sample`: constraints, ends, temperatures and many texts are those of Python."""

import json
import re

import pytest
from commands import text_of

from shakegen.model import LanguageModel
from shakegen.network.config import Config
from shakegen.sampling.constraints import Forbid, NoCopy, NoRepeat, RepetitionPenalty
from shakegen.text.corpus import Corpus
from shakegen.text.vocabulary import Vocabulary

CONSTRAINTS = {
    "--forbid a --forbid bc": [Forbid(["a", "bc"])],
    "--forbid-pattern [a-m] --alphabet abcxyz": [Forbid(patterns="[a-m]", alphabet="abcxyz")],
    "--no-repeat-ngram 1": [NoRepeat(1)],
    "--repetition-penalty 4 --repetition-window 3": [RepetitionPenalty(4, 3)],
    "--no-copy 2 --corpus poem.txt": [NoCopy(Corpus.from_text("shall we hz in ru us a b c d e f g x y z"), 2)],
    "--no-copy 2 --corpus poem.txt --no-repeat-ngram 2": [
        NoRepeat(2), NoCopy(Corpus.from_text("shall we hz in ru us a b c d e f g x y z"), 2)
    ],
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "constraints"), CONSTRAINTS.items())
def test_constraints_are_those_of_python(write, shakegen, random_model, tmp_path, arguments, constraints):
    (tmp_path / "poem.txt").write_text("shall we hz in ru us a b c d e f g x y z")
    options = {"random_state": 1, "constraints": constraints}
    expected = random_model().sample("shall ", 12, 0.8, **options)
    assert expected != random_model().sample("shall ", 12, 0.8, random_state=1)
    assert text_of(write("--seed", "shall ", *arguments.split())) == "shall " + expected
    if "penalty" not in arguments:
        beams = ["shall " + text for text, _, _ in random_model().beams("shall ", 12, 3, constraints=constraints)]
        found = shakegen("sample", "--length", 12, "--seed", "shall ", "--beam-width", 3, *arguments.split())
        assert text_of(found) == beams[0]


def test_many_seeds_and_temperatures_are_lines_of_json(write, random_model, tmp_path):
    (tmp_path / "seeds.txt").write_text("shall i\n\nlove\n")
    seeds = ["shall i", "", "love"]
    expected = [
        {"seed": seed, "text": text, "temperature": temperature}
        for temperature in (0.4, 1.5)
        for seed, text in zip(seeds, random_model().samples(seeds, 12, temperature, 1), strict=True)
    ]
    options = ("--seeds", "seeds.txt", "--temperatures", "0.4,1.5")
    assert [json.loads(line) for line in text_of(write(*options, "--json")).split("\n")] == expected
    assert write(*options).stdout == "".join(
        f"--- temperature {text['temperature']:g}\n{text['seed']}{text['text']}\n" for text in expected
    )


def test_one_text_and_beams_in_json(write, shakegen, random_model):
    text = random_model().sample("ab", 12, 0.8, 1)
    assert json.loads(write("--seed", "ab", "--json").stdout) == {"seed": "ab", "text": text}
    (beam,) = random_model().beams("ab", 12, 3)
    found = shakegen("sample", "--length", 12, "--seed", "ab", "--beam-width", 3, "--json")
    assert json.loads(found.stdout) == {"seed": "ab", **beam._asdict()}


def test_a_temperature_that_changes(write, random_model):
    expected = random_model().sample("ab", 12, (0.2, 3), 1)
    assert text_of(write("--seed", "ab", "--temperature-from", 0.2, "--temperature-to", 3)) == "ab" + expected
    expected = random_model().sample("ab", 12, perplexity=3, random_state=1)
    assert text_of(write("--seed", "ab", "--perplexity", 3)) == "ab" + expected


def test_lines_and_sentences_end_a_text_that_may_be_long(shakegen, tmp_path, random_weights):
    vocabulary, config = Vocabulary("ab.\n"), Config(units=8)
    model = LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))
    model.save(tmp_path / "models" / "lines.h5")
    text = shakegen("sample", "--lines", 200, "--random-state", 1).stdout.removesuffix("\n")
    assert text.count("\n") == 200
    assert text.endswith("\n")
    text = shakegen("sample", "--sentences", 3, "--min-length", 2, "--random-state", 1).stdout.removesuffix("\n")
    assert len(re.findall(r"[^.]\.", text)) == 3
    assert re.search(r"[^.]\.$", text)
