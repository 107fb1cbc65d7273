"""Composition: the only room that knows all others.

One module per server builds it from the bottom up and closes it in reverse. May import: everything below. This module
imports nothing, so that the front loads no engine.
"""
