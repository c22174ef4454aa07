"""The old name of `shakegen.training.workers`, and of `join`."""

from shakegen.training.workers import Cluster, Team, TeamError, join as joined

__all__ = ["Cluster", "Team", "TeamError", "joined"]
