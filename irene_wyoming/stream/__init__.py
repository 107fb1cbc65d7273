"""Asyncio fan-out: one capture or one conversion, many readers. May import: audio, errors."""
