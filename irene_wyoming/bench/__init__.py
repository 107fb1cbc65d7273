"""Measurements of the parts and of comparable software. They return rows and print nothing.

This room may import all rooms below, and the software for comparison. Only ``cli/bench`` imports it.
"""
