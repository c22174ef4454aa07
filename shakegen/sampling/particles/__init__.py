from shakegen.sampling.particles.filter import Filled, fill_slots
from shakegen.sampling.particles.slot import Slot
