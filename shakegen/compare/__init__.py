"""Comparisons of recurrent networks: the same text, order and budget for each. Begin with `comparison.Comparison`."""
