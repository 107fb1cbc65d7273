"""Recorded speech that comes with the program: a wake word, a command, and a question."""
