"""The commands of the lab, a module for each experiment."""

from shakegen.cli.lab import cloze, gates, gradients, memory
from shakegen.cli.lab.group import lab

__all__ = ["cloze", "gates", "gradients", "lab", "memory"]
