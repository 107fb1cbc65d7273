"""Measurements: what the parts cost and do, beside what others use. They return rows and print nothing.

It may import everything below, and what it compares with. Only ``cli/bench`` imports it.
"""
