"""The memory study: networks that complete words, and the connectivity of their predictions."""
