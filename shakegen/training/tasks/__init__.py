"""The tasks that a network can learn. Everything that differs between them is in one object for each."""

from shakegen.training.tasks.autocomplete import AutocompleteTask
from shakegen.training.tasks.next_symbol import NextSymbolTask
from shakegen.training.tasks.task import Measure, Task

TASKS: dict[str, Task] = {task.kind.task: task for task in (NextSymbolTask(), AutocompleteTask())}

__all__ = ["TASKS", "Measure", "Task", "get_task"]


def get_task(name: str) -> Task:
    """The task of a configuration, a corpus or a model, by its name there.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in TASKS:
        raise ValueError(f"there is no task {name!r}: expected one of {', '.join(TASKS)}")
    return TASKS[name]
