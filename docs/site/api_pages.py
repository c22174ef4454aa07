"""Pages of the Python API, one for each folder of the package, from the docstrings of its public names."""

import importlib
import inspect

from public_names import find_homes, list_public_names


def write_api_pages() -> dict[str, str]:
    """The pages, in Markdown, by their file names; modules without names of their own have none."""
    pages: dict[str, list[str]] = {}
    for module, names in list_public_names().items():
        page = ".".join(module.split(".")[:2])
        pages.setdefault(page, [] if page == module else [f"# {page}\n"]).append(write_module(module, names, page))
    return {f"{page}.md": "\n".join(sections) for page, sections in pages.items()}


def write_module(module: str, names: list[str], page: str) -> str:
    homes, place = find_homes(), importlib.import_module(module)
    ordered = sorted(names, key=lambda name: inspect.isclass(getattr(place, name)))  # functions first
    content = "\n".join(describe(module, name, homes[module, name]) for name in ordered)
    return (
        f"{'#' if page == module else '##'} {module}\n\n"
        f"```{{eval-rst}}\n.. automodule:: {module}\n\n.. currentmodule:: {module}\n\n{content}\n```\n"
    )


def describe(module: str, name: str, home: str) -> str:
    """The directive for one name, or, where another page describes it, a link there."""
    if home != f"{module}.{name}":
        return f".. py:data:: {name}\n   :no-index:\n\n   The same as :py:obj:`{home}`.\n"
    value = getattr(importlib.import_module(module), name)
    if inspect.isclass(value):
        bases = "   :show-inheritance:\n" * (value.__bases__ != (object,))
        return f".. autoclass:: {name}\n   :members:\n{bases}"
    return f".. auto{'function' if callable(value) else 'data'}:: {name}\n"
