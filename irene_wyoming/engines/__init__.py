"""Engines that hear: what they promise (base), where they are found (registry), where they run (worker).

The leaves in wake/ and asr/ are reached by entry point only. May import: audio, errors; a leaf also its ML library.
"""
