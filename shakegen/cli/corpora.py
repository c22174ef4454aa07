"""Commands about texts to learn from."""

import click

from shakegen.cli.group import main
from shakegen.cli.help import Commands
from shakegen.cli.names import CorpusName
from shakegen.cli.options import corpus_argument, corpus_options, json_option
from shakegen.cli.tables import print_json, table

SHOWN = 100  # characters of the alphabet, the most frequent ones; --json has all


@main.group(cls=Commands, invoke_without_command=True)
@click.pass_context
def corpora(context):
    """List, fetch and describe texts to learn from.

    `shakegen corpora` alone is `shakegen corpora list`.

    \b
    shakegen corpora list
    shakegen corpora show my.txt
    """
    if context.invoked_subcommand is None:
        context.invoke(corpora_list)


@corpora.command("list")
@json_option
def corpora_list(as_json):
    """List the named texts; a missing one is fetched at first use.

    \b
    shakegen corpora list
    shakegen corpora list --json
    """
    from shakegen.text import named

    listed = [
        {"name": name, "bytes": text.size, "here": named.is_here(name), "title": text.title}
        for name, text in named.NAMED.items()
    ]
    if as_json:
        print_json({"corpora": listed})
        return
    rows = [(one["name"], f"{one['bytes']:,} bytes", "yes" if one["here"] else "no", one["title"]) for one in listed]
    table(("name", "size", "here", "what"), rows)


@corpora.command("get")
@click.argument("name", type=CorpusName(files=False))
def corpora_get(name):
    """Fetch the text NAME, verify it, and print its path.

    It is kept in the cache folder of the platform, or in that of the variable SHAKEGEN_CACHE. The proxies of the
    variables http_proxy, https_proxy and no_proxy are used.

    \b
    shakegen corpora get text8
    """
    from shakegen.text import named

    click.echo(named.fetch_text(name, verify=True))


@corpora.command("path")
@click.argument("name", type=CorpusName(files=False))
def corpora_path(name):
    """Print the path of the text NAME, if it is here.

    \b
    wc "$(shakegen corpora path sonnets)"
    """
    from shakegen.text import named

    path = named.locate_text(name)
    if not named.is_here(name):
        raise FileNotFoundError(f"{name} is not here: fetch it with `shakegen corpora get {name}`")
    click.echo(path)


@corpora.command("show")
@corpus_argument
@corpus_options
@json_option
def corpora_show(corpus, reading, as_json):
    """Show the size, splits, alphabet and entropy of CORPUS.

    The entropy of order k is the cost, in bits/char, of predicting this very text from the last k characters alone,
    with its own counts. It is no mark for a network to beat: on text that was not counted, the same counts cost more.
    In a short text, the high orders are far too small: most contexts of five characters occur once, and the next
    character seems certain.

    The n-gram model is a baseline for a network. It counts the training text (at most its last 3,000,000 characters)
    and predicts the validation text (at most its first 1,000,000) by interpolated Kneser-Ney smoothing; the best n is
    shown. xz -9, a general compressor, has read the same training text.

    \b
    shakegen corpora show sonnets
    shakegen corpora show novels/*.txt --normalize text8 --json
    """
    from shakegen.text import catalog, ngram, statistics
    from shakegen.text.vocabulary import describe_character

    shown = statistics.describe(catalog.load_corpus(corpus, **reading))
    if as_json:
        print_json(shown)
        return
    number, bits = shown.pop("counts"), shown.pop("bits_per_character")
    best, packed = shown.pop("ngram"), shown.pop("xz_bits_per_character")
    for name, value in shown.items():
        shown_as = repr(value) if name.endswith("_line") else f"{value:,}" if isinstance(value, int) else value
        click.echo(f"{name.replace('_', ' '):24}{shown_as}")
    click.echo()
    table(("order", "bits/char, by this text's own counts"), [(n, f"{cost:.4f}") for n, cost in enumerate(bits)])
    if best and packed is not None:
        click.echo(f"\nOn the validation text {ngram.Baseline(**best)}, xz -9 {packed:.3f}.")
    click.echo()
    frequent = sorted(number.items(), key=lambda item: -item[1])
    rows = [(describe_character(c), f"{n:,}", f"{n / shown['characters']:.4%}") for c, n in frequent[:SHOWN]]
    table(("character", "count", "share"), rows)
    if len(frequent) > SHOWN:
        click.echo(f"and {len(frequent) - SHOWN:,} less frequent ones: --json shows all")
