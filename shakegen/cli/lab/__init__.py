"""The commands of the lab, a module for each experiment."""

from shakegen.cli.lab import gates, gradients, memory
from shakegen.cli.lab.group import lab

__all__ = ["gates", "gradients", "lab", "memory"]
