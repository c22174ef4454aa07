"""The options that say what may be written, and the constraints that they stand for."""

import click

from shakegen.cli.names import CorpusName
from shakegen.cli.options import READING, pack, refuse_idle, unescape
from shakegen.sampling.constraints import Constraint, Forbid, NoRepeat, RepetitionPenalty

OPTIONS = {
    "forbid": click.option("--forbid", multiple=True, help="Never write this string; \\n is a line end. May be given "
                           "several times."),
    "forbid_pattern": click.option("--forbid-pattern", multiple=True, help="Never write a match of this regular "
                                   "expression, such as [0-9]; no ^, $, \\b or look-around."),
    "alphabet": click.option("--alphabet", help="Write these characters only."),
    "no_repeat_ngram": click.option("--no-repeat-ngram", type=int, help="Write no n symbols in a row twice. The "
                                    "likeliest texts of a character-level network love to loop: try 8."),
    "repetition_penalty": click.option("--repetition-penalty", type=float, help="Divide the probability of the symbols "
                                       "written last by this; 1.5 is mild."),
    "repetition_window": click.option("--repetition-window", type=int, default=64, show_default=True, help="The number "
                                      "of symbols that count as written last."),
    "no_copy": click.option("--no-copy", type=int, help="Write no n characters in a row that stand in --corpus; 20 "
                            "keeps passages out."),
    "corpus": click.option("--corpus", multiple=True, type=CorpusName(), help="The text that --no-copy "
                           "keeps out: a file, a folder of them, or a name from `shakegen corpora "
                           "list`. May be given several times."),
    "lowercase": READING["lowercase"],
    "normalize": READING["normalize"],
}  # fmt: skip


def constraint_options(command):
    """The options of what may be written; the command gets them as one dictionary `constraints`."""
    return pack(command, "constraints", "Constraints", OPTIONS)


def make_constraints(
    encoding: str,
    mixes_text: bool,
    forbid,
    forbid_pattern,
    alphabet,
    no_repeat_ngram,
    repetition_penalty,
    repetition_window,
    no_copy,
    corpus,
    **reading,
) -> list[Constraint]:
    """The constraints that the options stand for.

    Args:
        encoding: of texts that they read.
        mixes_text: whether another text is read, too; then `reading` has an effect without `no_copy`.

    Raises:
        ValueError: an option is out of range, or has no effect.
        OSError: the corpus cannot be read.
    """
    made: list[Constraint] = []
    if forbid or forbid_pattern or alphabet is not None:
        alphabet = None if alphabet is None else unescape(alphabet)
        made.append(Forbid([unescape(text) for text in forbid], forbid_pattern, alphabet))
    made += NoRepeat.unless_zero(no_repeat_ngram or 0)
    if repetition_penalty is None:
        refuse_idle("without --repetition-penalty", "repetition_window")
    else:
        made.append(RepetitionPenalty(repetition_penalty, repetition_window))
    if no_copy is None:
        refuse_idle("without --no-copy", "corpus")
        if not mixes_text:
            refuse_idle("without --no-copy or --mix ngram:TEXT", "lowercase", "normalize")
    elif not corpus:
        raise ValueError("--no-copy is given without --corpus: expected the text that is not to be copied")
    else:
        made.append(read_corpus(corpus, no_copy, encoding=encoding, **reading))
    return made


def read_corpus(corpus, n: int, **reading) -> Constraint:
    from shakegen.model.copies import keep_from_copying
    from shakegen.sampling.constraints.copy_index import check_length
    from shakegen.text import catalog

    check_length(n)
    return keep_from_copying(catalog.load_corpus(corpus, **reading, split=(1, 0, 0)), n)
