"""Options from a file: `--config run.toml`, for commands with many options."""

import tomllib
from pathlib import Path

import click

from shakegen.checks import suggest
from shakegen.cli.options import CONFIG

FLAG = (bool,), "true or false"
KINDS: dict[click.ParamType, tuple[tuple[type, ...], str]] = {
    click.INT: ((int,), "a whole number"),
    click.FLOAT: ((int, float), "a number"),
}
TEXT = (str,), "a text in quotation marks"


def read_config(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """Let the options of a file stand where the command line has none.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not TOML, a key is not the long name of an option, or a value is of another kind.
    """
    if path is None or ctx.resilient_parsing:
        return
    keys = list_keys(ctx.command)
    values: dict[str, object] = {}
    named: dict[str, str] = {}
    for key, value in read_toml(path).items():
        if key not in keys:
            wanted = suggest(key, keys, "expected the long name of one, without its dashes")
            raise ValueError(f"{path}: {key} is no option of `{ctx.command_path}`: {wanted}")
        option, on = keys[key]
        name, converted = option.name or "", convert(value, option, ctx, f"{path}: {key}")
        if name in named:
            raise ValueError(f"{path}: {named[name]} and {key} are both given: expected one of them")
        named[name] = key
        values[name] = converted is on if option.is_flag else converted
    ctx.meta[CONFIG], ctx.default_map = str(path), values


def read_toml(path: Path) -> dict:
    """The keys and values of a TOML file; raises OSError or ValueError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise FileNotFoundError(f"no file {path}: expected a TOML file with options, such as epochs = 10") from None
    except ValueError as error:
        raise ValueError(f"{path} is not TOML: {error}") from None


def list_keys(command: click.Command) -> dict[str, tuple[click.Option, bool]]:
    """The options of a command that a file may have, by key; and whether `true` turns them on, or off."""
    keys: dict[str, tuple[click.Option, bool]] = {}
    for option in command.params:
        if isinstance(option, click.Option) and not option.is_eager:
            keys |= {flag[2:]: (option, True) for flag in option.opts if flag.startswith("--")}
            keys |= {flag[2:]: (option, False) for flag in option.secondary_opts}
    return keys


def convert(value, option: click.Option, ctx: click.Context, place: str):
    """A value as the option has it; raises ValueError, with its place, if it is of another kind."""
    kinds, wanted = FLAG if option.is_flag else KINDS.get(option.type, TEXT)
    if type(value) not in kinds:
        raise ValueError(f"{place} is {value!r}: expected {wanted}")
    try:
        return option.type.convert(value, option, ctx)
    except click.BadParameter as error:
        raise ValueError(f"{place} is not usable: {error.message}") from None


config_option = click.option(
    "--config", type=click.Path(path_type=Path), is_eager=True, expose_value=False, callback=read_config,
    help="Read options from this TOML file: their long names, as in batch-size = 64. The command line wins.",
)  # fmt: skip
