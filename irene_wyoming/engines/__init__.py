"""Engines that hear: what they promise (base), where they are found (registry), where they run (worker).

wake/ and asr/ hold a kit each, and one package per engine. Those packages are reached by entry point only.
May import: audio, errors; an engine's package also its ML library.
"""
