"""No option is without effect: it changes the outcome, or one line refuses it."""

import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from commands import LEAVES

from shakegen.cli import main
from shakegen.cli.options import long_flag

VALUES = {
    "against": "minutes", "alphabet": "e", "beam_width": 3, "between": ("a", "b"), "bias": -2.0, "by": "line",
    "clip_norm": 0.1, "corpus": "other.txt", "count": 2, "decay": 0.1, "draws": 3, "encoding": "utf-16", "end": "s",
    "evaluations": "evaluation.json", "find": "line-position", "forbid_pattern": "[^e]", "from_epoch": 2, "layer": 2,
    "learning_rate": 0.2, "length": 7, "length_penalty": 1, "loss": "training", "min_length": 25, "min_p": 0.3,
    "mix": "ngram:poem.txt", "model": "other.h5", "models": "other.h5", "no_copy": 2, "no_repeat_ngram": 1,
    "normalize": "text8", "on_unknown": "skip", "out": "out.html", "particles": 3, "perplexity": 1e8, "position": 2,
    "random_state": 5, "rate": 0.1, "repetition_penalty": 1e9, "repetition_window": 2, "require": "st", "seed": "Thou",
    "seed_file": "other.txt", "seeds": "other.txt", "segment": 9, "shown": 5, "signal": "f", "split": "validation",
    "starts": 40, "steps": 30, "target": "more", "template": "seed.txt", "temperature": 0.3, "temperature_from": 0.1,
    "temperature_to": 3, "temperatures": "0.2,3", "text_file": "other.txt", "top": 1, "top_k": 2, "top_p": 0.3,
    "typical": 0.2, "units": 3, "weight": 5.5, "windows": 9,
}  # fmt: skip
# Where an option changes only when or how text appears, or where it needs symbols that the model does not know, or has
# not written there. Dynamic evaluation compiles for seconds; test_protocols.py has it.
UNSEEN = {"stream", "raw", "on_unknown", "lines", "sentences", "quiet", "dynamic"}
SAMPLE = "sample --model char.h5 --seed Shall --length 30 --random-state 1"
CALLS = [
    SAMPLE,
    f"{SAMPLE} --stop T",
    f"{SAMPLE} --count 2",
    f"{SAMPLE.replace('30', '20')} --require t --end s",
    "sample --model char.h5 --random-state 1 --between Shall summer --length 9",
    "sample --model char.h5 --random-state 1 --template form.txt --length 12",
    f"{SAMPLE} --length 300 --no-copy 2 --corpus poem.txt --repetition-penalty 2",
    f"{SAMPLE} --beam-width 3 --stochastic",
    "sample --model char.h5 --seed Shall --length 30 --temperature 0",
    "sample --model char.h5 --seed Shall --length 30 --beam-width 3 --count 2",
    "sample --model char.h5 --seed Shall --length 30 --interactive",
    "sample --model char.h5 --seed-file seed.txt --length 30 --random-state 1",
    "sample --model word.h5 --seed Shall --length 30 --random-state 1",
    "complete --model autocomplete.h5 com",
    "complete --model autocomplete.h5 --interactive com",
    "complete --model autocomplete.h5 -",
    "compress other.txt --model char.h5",
    "compress - --model char.h5",
    "decompress packed.shk --model char.h5",
    "connectivity --model autocomplete.h5 lovely",
    "connectivity --model autocomplete.h5 lovely --json",
    "connectivity --model autocomplete.h5 lovely --out page.html",
    "connectivity --model autocomplete.h5 lovely --out page.svg",
    "connectivity --model char.h5 lovely",
    "corpora show poem.txt",
    "evaluate char.h5 poem.txt",
    "evaluate word.h5 poem.txt",
    "evaluate autocomplete.h5 poem.txt",
    "info char.h5",
    "lab cliff --starts 60 --steps 60 --json",
    "lab gates char.h5 lovelymoretemperate --json",
    "lab gates char.h5 --text-file poem.txt --json",
    "lab gates char.h5 --text-file poem.txt --find line-position --json",
    "lab gates char.h5 --text-file poem.txt --units 1,2 --json",
    "lab gates autocomplete.h5 lovelymoretemperate --json",
    "novelty char.h5 --corpus poem.txt --length 900 --seed Shall --lowercase --json",
    "novelty char.h5 --corpus poem.txt --length 60 --temperature 0",
    "novelty other.txt --corpus poem.txt",
    "plot char.h5",
    "score other.txt --model char.h5",
    "score other.txt --model char.h5 --model word.h5",
    "plot evaluation.json",
]


OTHER = "THOU art lovely, 2 summer's days.\nOr a rough wind\n"


@pytest.fixture(scope="module")
def packed(made_once, tmp_path_factory):
    """That text, compressed by char.h5."""
    folder = tmp_path_factory.mktemp("packed")
    (folder / "other.txt").write_text(OTHER)
    words = "compress", folder / "other.txt", "--model", made_once / "char.h5", "--out", folder / "packed.shk"
    CliRunner().invoke(main, [str(word) for word in words])
    return folder / "packed.shk"


@pytest.fixture
def outcome_of(shakegen, all_kinds, evaluation, packed):
    """All that a call gives: exit code, output, and the files that it writes."""
    Path("other.txt").write_text(OTHER)
    Path("seed.txt").write_text("Shall")
    Path("form.txt").write_text("Shall {} summer {:4}")
    Path("evaluation.json").write_text(evaluation)
    shutil.copy("char.h5", "other.h5")
    shutil.copy(packed, "packed.shk")

    def call(*arguments):
        before = set(Path().iterdir())
        result = shakegen(*arguments, input="com\n")
        assert result.exit_code in (0, 1), result.stderr
        written = {path.name: path.read_bytes() for path in sorted(set(Path().iterdir()) - before)}
        for name in written:
            Path(name).unlink()
        return result.exit_code, result.stdout, result.stderr, written

    return call


@pytest.mark.parametrize("call", CALLS)
def test_an_option_changes_the_outcome_or_is_refused(outcome_of, call):
    usual = outcome_of(*call.split())
    assert usual[0] == 0, usual
    command = next(one for name, one in LEAVES.items() if f"shakegen {call} ".startswith(f"{name} "))
    for option in command.params:
        if not isinstance(option, click.Option) or option.name in UNSEEN:
            continue
        if {*option.opts, *option.secondary_opts} & {*call.split(), "--help"}:
            continue
        flag = long_flag(option, negative=option.default is True)
        values = []
        if not option.is_flag:
            value = usual[1].strip()[-3:-2] if flag in ("--stop", "--forbid") else VALUES[option.name]
            values = value if isinstance(value, tuple) else [value]
        code, out, said, files = outcome_of(*call.split(), flag, *values)
        assert (code, out, said, files) != usual, f"{flag} has no effect"
        if code:
            *before, last = said.splitlines()
            assert last.startswith("Error: ")
            assert not before or "--interactive" in call, "offers come before what cannot be read"


IDLE = {
    "--lowercase has no effect on a TEXT, which is read as it is: leave it out": "lab gates char.h5 x --lowercase",
    "--normalize has no effect on a TEXT, which is read as it is: leave it out": (
        "lab gates char.h5 x --normalize text8"
    ),
    "--encoding has no effect on a TEXT, which is read as it is: leave it out": (
        "lab gates char.h5 x --encoding latin-1"
    ),
    "--count has no effect on --units, which are all shown: leave it out": "lab gates char.h5 x --units 1 --count 3",
    "--random-state has no effect without --find: leave it out": "lab gates char.h5 x --random-state 3",
    "--units has no effect on a MODEL, which is not trained: leave it out": "lab gradients char.h5 --units 9",
    "--optimizer has no effect on a MODEL, which is not trained: leave it out": (
        "lab gradients char.h5 --optimizer adam"
    ),
    "--learning-rate has no effect on a MODEL, which is not trained: leave it out": (
        "lab gradients char.h5 --learning-rate 1"
    ),
    "--symbols has no effect on adding: leave it out": "lab memory --problem adding --symbols 3",
    "--spectral-radius has no effect without the start echo-state: leave it out": (
        "lab start --starts glorot --spectral-radius 1"
    ),
    "--batch-size has no effect on the read-out alone: leave it out": "lab start --optimizers read-out --batch-size 8",
    "--on-unknown has no effect on the task autocomplete, which reads every text as words of a to z: leave it out": (
        "connectivity x --model autocomplete.h5 --on-unknown error"
    ),
    "--stream has no effect on several texts, or with --json: leave it out": (
        "sample --model char.h5 --count 2 --stream"
    ),
    "--no-stream has no effect on a beam search: leave it out": "sample --model char.h5 --beam-width 2 --no-stream",
    "--min-length has no effect without --stop, --lines or --sentences: leave it out": (
        "sample --model char.h5 --min-length 0"
    ),
    "--min-length has no effect without --between or --end: leave it out": (
        "sample --model char.h5 --require a --min-length 0"
    ),
    "--particles has no effect without --template, --between, --require or --end: leave it out": (
        "sample --model char.h5 --particles 64"
    ),
    "--top-k has no effect on a text that must come to something: leave it out": (
        "sample --model char.h5 --end a --top-k 3"
    ),
    "--encoding has no effect on a --seed of the command line: leave it out": "sample --encoding utf-8",
    "--random-state has no effect at a temperature of 0: leave it out": "sample --temperature 0 --random-state 0",
    "--worker-wait has no effect on one process: leave it out": "train poem.txt --worker-wait 3",
    "--clip-norm has no effect beside --clip-value: leave it out": "train poem.txt --clip-value 1 --clip-norm 1",
    "--temperature has no effect on a beam search: leave it out": "train poem.txt --beam-width 2 --temperature 1",
    "--sample-seed has no effect with --sample-length 0: leave it out": (
        "train poem.txt --sample-length 0 --sample-seed x"
    ),
    "--beam-width has no effect on the task autocomplete, which does not write: leave it out": (
        "train poem.txt --task autocomplete --beam-width 2"
    ),
    "--lowercase has no effect on the task autocomplete, which reads every text as words of a to z: leave it out": (
        "compare poem.txt --task autocomplete --lowercase"
    ),
    "--depth has no effect beside --cell nlstm:depth=2: leave it out": "train poem.txt --cell nlstm:depth=2 --depth 3",
    "--learning-rate has no effect beside --tune, which chooses it: leave it out": (
        "compare poem.txt --tune learning-rate=0.1,0.2 --learning-rate 0.5"
    ),
    "--sample-length has no effect on the task autocomplete, unless it is 0: leave it out": (
        "train poem.txt --task autocomplete --sample-length 9"
    ),
    "--lowercase has no effect without --no-copy or --mix ngram:TEXT: leave it out": (
        "sample --model char.h5 --interactive --lowercase"
    ),
    "--depth is given, but no cell that is compared has it: leave it out": "compare poem.txt --cells gru,rnn --depth 3",
}  # fmt: skip


@pytest.mark.parametrize(("message", "call"), IDLE.items())
def test_options_without_effect_are_refused_by_name(shakegen, all_kinds, message, call):
    result = shakegen(*call.split())
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")
