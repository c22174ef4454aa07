"""Several processes, on one machine or many, that train one network together."""

from shakegen.training.workers.channel import TeamError
from shakegen.training.workers.cluster import Cluster
from shakegen.training.workers.rendezvous import joined
from shakegen.training.workers.team import Team

__all__ = ["Cluster", "Team", "TeamError", "joined"]
