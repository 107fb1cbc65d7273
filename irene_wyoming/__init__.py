"""Wake word, speech-to-text and microphone servers that speak the Wyoming protocol.

Nothing is imported here: a command pays only for what it uses. ARCHITECTURE.md has the map.
"""
