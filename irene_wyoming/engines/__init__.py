"""Engines for wake words and speech: their promises (base), their registry, and the thread that runs them (worker).

wake/ and asr/ have a kit each, and one package per engine. Those packages are reached by entry point only. May import:
audio, errors; an engine's package also its ML library.
"""
