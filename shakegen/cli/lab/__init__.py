"""The commands of the lab, a module for each experiment."""

from shakegen.cli.lab import cliff, cloze, gates, gradients, memory, start, timer
from shakegen.cli.lab.group import lab

__all__ = ["cliff", "cloze", "gates", "gradients", "lab", "memory", "start", "timer"]
