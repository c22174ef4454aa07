"""Recurrent networks compared: the same text, order and budget for each; `comparison.Comparison` begins one."""
