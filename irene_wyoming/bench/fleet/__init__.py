"""Measures several servers behind a real HAProxy with many clients, while servers die, restart, or are slow."""
