"""Routing: which engine is asked next. Policies are pure; a router of engines is itself an engine.

May import: engines, audio, errors.
"""
