"""Attacks and loads that take minutes: ``python -m tests.attack --help``. What they found is in docs/benchmarks.md."""
