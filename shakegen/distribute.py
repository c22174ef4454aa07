"""The old name of `shakegen.training.workers`, and of `join`."""

from shakegen.training.workers import Cluster, Team, TeamError
from shakegen.training.workers import join as joined

__all__ = ["Cluster", "Team", "TeamError", "joined"]
