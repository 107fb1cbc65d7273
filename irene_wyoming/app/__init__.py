"""Composition: the only place that knows everything.

One module per server, built from the bottom up, closed in reverse. May import: everything below. Nothing is imported
here, so that the front does not pay for an engine.
"""
