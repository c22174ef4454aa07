"""How a network is trained: by one process, or by several, on one machine or many."""

from shakegen.training.workers.channel import TeamError
from shakegen.training.workers.cluster import Cluster
from shakegen.training.workers.rendezvous import join
from shakegen.training.workers.strategy import Strategy
from shakegen.training.workers.team import Team

__all__ = ["Cluster", "Strategy", "Team", "TeamError", "join"]
