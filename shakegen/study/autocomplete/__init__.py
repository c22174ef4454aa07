"""Autocomplete: read characters, predict the word that each is part of, and measure how well."""
