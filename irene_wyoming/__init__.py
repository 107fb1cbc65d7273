"""Wake word, speech-to-text and microphone servers that speak the Wyoming protocol.

This module imports nothing, so that a command loads only what it uses. ARCHITECTURE.md has the map.
"""
