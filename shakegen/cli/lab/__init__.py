"""The commands of the lab, a module for each experiment."""

from shakegen.cli.lab import cliff, memory
from shakegen.cli.lab.group import lab

__all__ = ["cliff", "lab", "memory"]
