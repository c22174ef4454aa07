"""`shakegen sample`: what goes to standard output, and one line for each mistake."""

import os
import re
import signal
import subprocess
import sys

import pytest
from commands import text_of
from terminal import open_terminal, read_all, type_in

from shakegen.model import LanguageModel
from shakegen.network.config import Config
from shakegen.text.vocabulary import Vocabulary


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], {"temperature": 0.8}),
        (["--temperature", 0.5], {"temperature": 0.5}),
        (["--top-k", 3], {"temperature": 0.8, "top_k": 3}),
        (["--top-p", 0.5, "--min-p", 0.1], {"temperature": 0.8, "top_p": 0.5, "min_p": 0.1}),
        (["--typical", 0.4], {"temperature": 0.8, "typical": 0.4}),
        (["--stop", "a", "--stop", "b", "--min-length", 3], {"temperature": 0.8, "stop": ("a", "b"), "min_length": 3}),
    ],
    ids=str,
)
def test_options_are_those_of_python(write, random_model, arguments, options):
    expected = random_model().sample("shall ", 12, random_state=1, **options)
    assert text_of(write("--seed", "shall ", *arguments)) == "shall " + expected
    assert text_of(write("--seed", "shall ", *arguments, "--stream")) == "shall " + expected


def test_beams_go_to_standard_output_and_scores_to_standard_error(shakegen, random_model):
    found = random_model().beams("ab", 12, width=6, count=2, no_repeat_ngram=2, length_penalty=1)
    random_model().save("models/small.h5")
    options = ("--count", 2, "--no-repeat-ngram", 2, "--length-penalty", 1)
    result = shakegen("sample", "--length", 12, "--seed", "ab", "--beam-width", 6, *options)
    assert text_of(result) == "\n---\n".join("ab" + text for text, _, _ in found)
    scores = "".join(
        f"{n}: score {score:.4f}, log-probability {log_probability:.4f}\n"
        for n, (_, score, log_probability) in enumerate(found, 1)
    )
    ranked = "The texts are ranked by log-probability / length^1, in nats; higher is better:\n"
    assert result.stderr == f"Model: models/small.h5\n{ranked}{scores}"


def test_stochastic_beams_are_distinct(write, random_model):
    expected = random_model().stochastic_beams("ab", 12, count=5, random_state=1)
    assert text_of(write("--seed", "ab", "--beam-width", 5, "--stochastic")).split("\n---\n") == [
        "ab" + text for text, _, _ in expected
    ]
    first = write("--seed", "ab", "--beam-width", 5, "--stochastic", "--count", 2, "--temperature", 1)
    assert text_of(first).split("\n---\n") == ["ab" + text for text, _, _ in expected[:2]]


def test_a_seed_from_a_file_or_standard_input(write, tmp_path):
    expected = text_of(write("--seed", "shall i"))
    (tmp_path / "seed.txt").write_bytes(b"\xef\xbb\xbfshall i\r\n")
    assert text_of(write("--seed-file", "seed.txt")) == expected
    assert text_of(write("--seed-file", "-", input="shall i\n")) == expected
    assert text_of(write("--seed", "-", input="shall i")) == expected


def test_a_seed_in_another_encoding(write, tmp_path):
    expected = text_of(write("--seed", "shall i"))
    (tmp_path / "seed.txt").write_bytes("shall i".encode("utf-16"))
    assert text_of(write("--seed-file", "seed.txt", "--encoding", "utf-16")) == expected
    assert text_of(write("--seed", "-", "--encoding", "utf-16", input="shall i".encode("utf-16"))) == expected


def test_a_line_end_that_is_meant_can_be_kept(shakegen):
    result = shakegen("sample", "--seed-file", "-", "--length", 3, input="shall i\n\n")
    assert result.stdout.startswith("shall i\n")


def test_picking_and_typing_in_a_pipe(shakegen, random_model, tmp_path):
    random_model().save(tmp_path / "models" / "small.h5")
    draft, text, answers = random_model().draft("ab"), "", []
    for pick in (2, 1):
        offers = draft.likeliest()
        answers.append(str(pick) if pick > 1 else "")
        text += offers[pick - 1][0]
        draft.write(offers[pick - 1][0])
    answers = [*answers, "hello", "=5", "= you"]
    result = shakegen("sample", "--seed", "ab", "--interactive", input="\n".join(answers) + "\n")
    assert text_of(result) == "ab" + text + "hello you"
    assert "the model never saw '5' (U+0035)" in result.stderr
    wide = ("sample", "--seed", "ab", "--interactive", "--encoding", "latin-1")
    assert "the model never saw 'é'" in shakegen(*wide, input="é\n".encode("latin-1")).stderr
    assert f"1 {offers[0][0]!r} {offers[0][1]:.0%}  2 " in result.stderr


def test_on_a_terminal_symbols_are_offered_at_every_key(tmp_path, random_model):
    random_model().save(tmp_path / "models" / "small.h5")
    draft = random_model().draft("ab")
    first, offers = draft.likeliest()[0][0], draft.likeliest()
    draft.write(first)
    third = draft.likeliest()[2][0]
    keys = ["\t", "3", "x", "\x7f", "\x1b[B", "é", "y", "\x04"]
    out, shown = type_in(tmp_path, ["sample", "--seed", "ab", "--interactive"], keys)
    assert out == f"ab{first}{third}y\n"
    assert shown[0] == "ab| " + "  ".join(
        f"{n} {text.replace(' ', '␣')} {p:.0%}" for n, (text, p) in enumerate(offers, 1)
    )
    one, two = f"ab{first}", f"ab{first}{third}"
    texts = [line.split("|")[0] for line in shown if "never saw" not in line]
    assert texts == ["ab", one, two, f"{two}x", two, two, two, f"{two}y"]
    assert sum("the model never saw 'é' (U+00E9)" in line for line in shown) == 1


def test_a_line_of_offers_fits_the_terminal_and_splits_none(tmp_path, word_model):
    word_model.save(tmp_path / "models" / "words.h5")
    seed = "Shall I compare thee to a summer's day? Thou art more lovely and more temperate"
    _, shown = type_in(tmp_path, ["sample", "--seed", seed, "--interactive"], ["\t"] * 3 + ["\x04"])
    for line in shown:
        assert len(line.rstrip()) < 80
        assert re.fullmatch(r"[^|]*\| (\d [^|]+? \d+%  )+\d [^|]+? \d+%\s*", line)


def test_a_line_fits_in_a_narrow_terminal_though_standard_output_is_none(tmp_path, random_model):
    random_model().save(tmp_path / "models" / "small.h5")
    keys = ["\t"] * 3 + ["\x04"]
    _, shown = type_in(tmp_path, ["sample", "--seed", "ab" * 40, "--interactive"], keys, columns=50)
    assert len(shown) == 4
    assert max(len(line.rstrip()) for line in shown) == 49


def test_what_was_drawn_before_a_dead_end_is_written(write, random_model):
    result = write("--seed", "ab", "--no-repeat-ngram", 1, "--length", 500)
    assert result.exit_code == 1
    assert sorted(result.stdout) == sorted(["\n", *random_model().vocabulary.symbols, *"ab"])
    assert result.stderr.splitlines()[-1].startswith("Error: ")


def test_python_s_warnings_of_a_pattern_are_not_the_user_s(write):
    assert write("--forbid-pattern", "[[x]").exit_code == 0


@pytest.mark.parametrize(
    ("written", "read"), [(r"\n", "\n"), ("\n", "\n"), (r"b\ta", "b\ta"), (r"\\n", r"\n"), (r"\x", r"\x")]
)
def test_a_stop_text_may_be_a_line_end_in_any_shell(shakegen, tmp_path, random_weights, written, read):
    vocabulary, config = Vocabulary("\n\t\\xabn"), Config(units=8)
    model = LanguageModel(config, vocabulary, random_weights(config, len(vocabulary)))
    model.save(tmp_path / "models" / "lines.h5")
    options = ("--length", 500, "--random-state", 1)
    expected = model.sample("a", 500, 0.8, 1, stop=read)
    assert len(expected) < 500
    assert shakegen("sample", "--seed", "a", *options, "--stop", written).stdout == f"a{expected}\n"


def test_interactive_ends_with_the_length_or_a_stop_text(shakegen, random_model, tmp_path):
    random_model().save(tmp_path / "models" / "small.h5")
    arguments = ("sample", "--seed", "ab", "--interactive")
    assert text_of(shakegen(*arguments, "--length", 3, input="x\ny\nz\nw\n")) == "abxyz"
    stopped = shakegen(*arguments, "--stop", "yz", "--min-length", 4, input="yz\nyz\nyz\n")
    assert text_of(stopped) == "abyzyz"


def test_on_a_terminal_the_text_appears_as_it_is_drawn_until_ctrl_c(tmp_path, random_model):
    random_model().save(tmp_path / "models" / "small.h5")
    ours, theirs = open_terminal()
    endless = [sys.executable, "-m", "shakegen", "sample", "--seed", "ab", "--length", str(10**12)]
    process = subprocess.Popen([*endless, "--random-state", "1"], cwd=tmp_path, stdout=theirs, stderr=subprocess.PIPE)
    shown = b""
    while len(shown) < 50:
        shown += os.read(ours, 50)
    os.close(theirs)
    process.send_signal(signal.SIGINT)
    read_all(ours)
    assert process.communicate(timeout=60)[1].endswith(b"\nInterrupted.\n")
    assert process.returncode == 130
    assert shown.decode().startswith("ab" + random_model().sample("ab", 40, temperature=0.8, random_state=1))


BAD = {
    "--length-penalty has no effect without --beam-width: leave it out": ["--length-penalty", 0],
    "--stochastic has no effect without --beam-width: leave it out": ["--stochastic"],
    "--top-k has no effect on a beam search: leave it out": [
        "--beam-width", 3, "--top-k", 2
    ],
    "--temperature has no effect on a beam search without --stochastic: leave it out": [
        "--beam-width", 3, "--temperature", 1
    ],
    "--length-penalty has no effect with --stochastic, whose probabilities it would change: leave it out": [
        "--beam-width", 3, "--stochastic", "--length-penalty", 1
    ],
    "--interactive and --beam-width are both given: expected one of them": ["--interactive", "--beam-width", 3],
    "--repetition-penalty has no effect on a beam search without --stochastic: leave it out": [
        "--beam-width", 3, "--repetition-penalty", 2
    ],
    "the beam width is -1: expected 1 (greedy) or more; 10 is usual": ["--beam-width", -1, "--stochastic"],
    "--seeds has no effect on a beam search: leave it out": ["--beam-width", 3, "--seeds", "x"],
    "--forbid has no effect with --interactive: leave it out": ["--interactive", "--forbid", "x"],
    "--perplexity has no effect with --interactive: leave it out": ["--interactive", "--perplexity", 3],
    "--temperature and --perplexity are both given: expected one of them": ["--temperature", 1, "--perplexity", 3],
    "--seeds and --seed are both given: expected one of them": ["--seed", "a", "--seeds", "x"],
    "one of --temperature-from and --temperature-to is given: expected both, or neither": ["--temperature-from", 1],
    "the temperature goes along (0.0, 1.0): expected two numbers above 0, such as 0.4 and 1.2": [
        "--temperature-from", 0, "--temperature-to", 1
    ],
    "--temperature-to is reached at the end of the length: give --length, too": [
        "--temperature-from", 1, "--temperature-to", 2, "--lines", 2
    ],
    "the temperatures are '1,x': expected numbers such as 0.4,0.7,1": ["--temperatures", "1,x"],
    "the perplexity is 1.0: expected a number above 1; 2 is careful, 8 is free for characters": ["--perplexity", 1],
    "the number of lines is 0: expected 1 or more": ["--lines", 0],
    "the model can never write the end of lines: expected one of characters that it knows": ["--lines", 1],
    "--no-copy is given without --corpus: expected the text that is not to be copied": ["--no-copy", 5],
    "--corpus has no effect without --no-copy: leave it out": ["--corpus", "sonnets"],
    "the length of a copy is 1: expected 2 to 1,000 characters; 20 keeps passages out": [
        "--no-copy", 1, "--corpus", "sonnets"
    ],
    "--repetition-window has no effect without --repetition-penalty: leave it out": ["--repetition-window", 5],
    "the pattern '^a' has an anchor, such as ^, $ or \\b: expected characters, classes, groups, | and repetitions": [
        "--forbid-pattern", "^a"
    ],
    "forbidding 'a', 'b' and the alphabet 'ab' leaves nothing to write: every text would soon come to something "
    "forbidden": ["--forbid", "a", "--forbid", "b", "--alphabet", "ab"],
    "--raw has no effect with --json: leave it out": ["--json", "--raw"],
    "--random-state has no effect with --interactive: leave it out": ["--interactive", "--random-state", 3],
    "--seed and --seed-file are both given: expected one of them": ["--seed", "a", "--seed-file", "x"],
    "--interactive reads standard input itself: give the seed with --seed TEXT or in a file": [
        "--interactive", "--seed", "-"
    ],
    "no file none.txt: expected a text file, or - for standard input": ["--seed-file", "none.txt"],
    ".. is a folder: expected a text file": ["--seed-file", ".."],
    "models/small.h5/a: Not a directory": ["--seed-file", "models/small.h5/a"],
    "the count is 4: expected 1 to as many texts as the beam is wide, 3": ["--beam-width", 3, "--count", 4],
    "the count is 5: expected 1 to as many texts as the beam is wide, 3": [
        "--beam-width", 3, "--count", 5, "--stochastic"
    ],
    "the beam width is 0: expected 1 (greedy) or more; 10 is usual": ["--beam-width", 0],
    "the beam width is 30: expected at most 27, the number of texts of length 1 over 27 symbols": [
        "--beam-width", 30, "--length", 1
    ],
    "the temperature is 0: expected a number above 0, for there is but one greedy text": [
        "--beam-width", 3, "--stochastic", "--temperature", 0
    ],
    "the length penalty is -1.0: expected 0 (none) to 100; 1 ranks by the mean": [
        "--beam-width", 3, "--length-penalty", -1
    ],
    "the n-gram that may not repeat is -1: expected 1 symbol or more; 8 is usual": [
        "--beam-width", 3, "--no-repeat-ngram", -1
    ],
    "top-k is 0: expected a number of characters, 1 or more; 10 is usual": ["--top-k", 0],
    "top-p is 0.0: expected a share above 0 and up to 1; 0.9 is usual": ["--top-p", 0],
    "min-p is 1.5: expected a share above 0 and up to 1; 0.05 is usual": ["--min-p", 1.5],
    "typical is nan: expected a share above 0 and up to 1; 0.95 is usual": ["--typical", "nan"],
    "a stop text is empty: expected one character or more": ["--stop", ""],
    "the model can never write the stop text 'é': expected one of characters that it knows": ["--stop", "é"],
    "the model never saw 'é' (U+00E9): use characters of its training text, or skip the unknown ones "
    "(--on-unknown skip)": ["--seed", "é"],
    "the temperature is nan: expected 0 (greedy) or more; 0.5 is careful, 1 is free": ["--temperature", "nan"],
}  # fmt: skip


@pytest.mark.parametrize(("message", "arguments"), BAD.items())
def test_mistakes_get_one_line(shakegen, random_model, tmp_path, message, arguments):
    random_model().save(tmp_path / "models" / "small.h5")
    result = shakegen("sample", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")


def test_a_seed_file_that_is_no_text(shakegen, tmp_path):
    (tmp_path / "seed.txt").write_bytes("naïve café".encode("latin-1"))
    result = shakegen("sample", "--seed-file", "seed.txt")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: seed.txt is not utf-8 text (byte offset 2): try --encoding ")
