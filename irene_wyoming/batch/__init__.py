"""Whole recordings and files: an async API over the audio core, and its caches. May import: stream, audio, errors."""
