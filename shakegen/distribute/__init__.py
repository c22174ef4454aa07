"""Several processes, on one machine or many, that train one network together."""

from shakegen.distribute.channel import TeamError
from shakegen.distribute.cluster import Cluster
from shakegen.distribute.rendezvous import joined
from shakegen.distribute.team import Team

__all__ = ["Cluster", "Team", "TeamError", "joined"]
