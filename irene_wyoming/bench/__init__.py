"""Measurements: what the parts cost and do, beside what others use. They return rows and print nothing.

May import everything below, and what it compares with; nobody but the command line imports it.
"""
