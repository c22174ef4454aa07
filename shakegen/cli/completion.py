"""The command that makes a shell complete all others."""

import click
from click import shell_completion

from shakegen.cli.group import main

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_SHAKEGEN_COMPLETE"  # click looks here for what a shell asks


@main.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell):
    """Print the script that lets SHELL complete with the Tab key.

    It completes commands, options and their values, files, and the names of corpora, models and cells. Add a line to
    the file that your shell reads when it starts:

    \\b
    bash, ~/.bashrc:                  eval "$(shakegen completion bash)"
    zsh, ~/.zshrc, after compinit:    eval "$(shakegen completion zsh)"
    fish, ~/.config/fish/config.fish: shakegen completion fish | source

    \\b
    shakegen completion bash
    """
    kind = shell_completion.get_completion_class(shell)
    click.echo(kind(main, {}, "shakegen", VARIABLE).source(), nl=False)
