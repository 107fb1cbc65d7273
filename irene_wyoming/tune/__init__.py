"""Finds settings of a wake word from a household's own recordings."""
