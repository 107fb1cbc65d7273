"""Which engine is asked next. Policy is pure; a router of engines is itself an engine.

May import: engines, audio, errors.
"""
