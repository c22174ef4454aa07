"""The command that makes a shell complete all others. click does the work: it asks the parameters of each command."""

import click
from click import shell_completion

from shakegen.cli.group import main

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_SHAKEGEN_COMPLETE"  # click finds here what a shell asks
BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' line
    for line in $(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete "$1"); do
        case "$line" in
            plain,*) COMPREPLY+=("${line#*,}") ;;
            dir,*) compopt -o filenames; COMPREPLY+=($(compgen -d -- "${line#*,}")) ;;
            file,*) compopt -o filenames; COMPREPLY+=($(compgen -f -- "${line#*,}")) ;;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


@shell_completion.add_completion_class
class BashComplete(shell_completion.BashComplete):
    """bash, with names and files side by side: click's own script shows files only where there are no names."""

    source_template = BASH


@main.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell):
    """Print the script that lets SHELL complete with the Tab key.

    It completes commands, options and their values, files, and the names of corpora, models and cells. Add a line to
    the file that your shell reads when it starts:

    \b
    bash 4.4 or newer, ~/.bashrc:      eval "$(shakegen completion bash)"
    zsh, ~/.zshrc, after compinit:     eval "$(shakegen completion zsh)"
    fish, ~/.config/fish/config.fish:  shakegen completion fish | source

    \b
    shakegen completion bash
    """
    kind = shell_completion.get_completion_class(shell)
    click.echo(kind(main, {}, "shakegen", VARIABLE).source(), nl=False)
