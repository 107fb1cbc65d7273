"""Attacks and loads that take minutes: ``python -m tests.attack --help``. docs/benchmarks.md has their results."""
