"""The options that say what a text must come to, and the forms that they stand for."""

import click

from shakegen.cli.group import read_text, say_model
from shakegen.cli.options import is_given, options_from, pack, refuse_idle, refuse_several, unescape
from shakegen.cli.writing import write_texts
from shakegen.sampling import Form, TextGenerator

OPTIONS = {
    "template": click.option("--template", type=click.Path(allow_dash=True), help="File of a text to fill in, - for "
                             "standard input. Free places: {} within a line, {:40} or {:20-40} of a length, {[a-z ]+} "
                             "of a pattern; {{ is a brace."),
    "between": click.option("--between", nargs=2, help="Write what stands between two strings, --length characters or "
                            "from --min-length on."),
    "require": click.option("--require", multiple=True, help="The text contains this string; in a model of words, a "
                            "word begins with its space. May be given several times, in their order."),
    "end": click.option("--end", help="The text ends with this string, at its length or before."),
    "particles": options_from(TextGenerator.fill, {"particles": "The number of texts that grow side by side until one "
                                                   "is drawn. More are better."})[0],
}  # fmt: skip
FORMS = ("template", "between", "require", "end")


def form_options(command):
    """The options of what a text must come to; the command gets them as one dictionary `form`."""
    return pack(command, "form", "What must come", OPTIONS)


def has_form() -> bool:
    """Whether the text must come to something."""
    return any(map(is_given, FORMS))


def refuse_mixed_forms(idle: tuple[str, ...]) -> None:
    """Refuse options that contradict a form, or have no effect on it; `idle` are some that never have."""
    if not has_form():
        refuse_idle("without --template, --between, --require or --end", "particles")
        return
    for name in ("require", "end"):
        refuse_several("template", "between", name)
    refuse_several("between", "seed", "seed_file")
    refuse_idle("on a text that must come to something", *idle)
    if not is_given("between") and not is_given("end"):
        refuse_idle("without --between or --end", "min_length")


def make_form(options: dict, encoding: str, template, between, require, end) -> Form:
    """The form that the options stand for; takes `length` and `min_length` out of `options`.

    Raises:
        ValueError: the template cannot be read, or a length is out of range.
        OSError: the file cannot be read.
    """
    length, min_length = options.pop("length"), options.pop("min_length")
    if template is not None:
        text = read_text(template, encoding)
        form = Form.template(text, length)
        if length > 1 and form == Form.template(text, 1):
            refuse_idle("on this template, which gives the lengths of its places", "length")
        return form
    if between:
        return Form.between(unescape(between[1]), length, min_length if is_given("min_length") else None)
    end = None if end is None else unescape(end)
    return Form.containing([unescape(text) for text in require], end, length, min_length)


def fill(model, seed: str, form: Form, options: dict, raw: bool, as_json: bool, quiet: bool) -> None:
    """Write texts of a form and, unless that is to be quiet, how they are weighted."""
    texts = model.fill(form, seed, **{"temperature": 0.8, **options})
    say_model()
    count = options.get("count", 1)
    if len(texts) < count and not quiet:
        missing = f"{count - len(texts)} of {count} texts came to a dead end"
        click.echo(f"{missing}: count them with a weight of 0, or try more --particles", err=True)
    shown = texts if as_json else [one._replace(text=one.text.removesuffix("\n")) for one in texts]
    write_texts([{"seed": seed, **one._asdict()} for one in shown], raw, as_json)
    if len(texts) > 1 and not (quiet or as_json):
        click.echo("Among several texts, each counts in proportion to exp(weight):", err=True)
        for number, one in enumerate(texts, 1):
            click.echo(f"{number}: weight {one.log_weight:.4f}, log-probability {one.log_probability:.4f}", err=True)
