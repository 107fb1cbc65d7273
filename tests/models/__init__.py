"""Small real models for the tests, and the scripts that made them. README.md tells where they come from."""

from pathlib import Path

VOSK = Path(__file__).with_name("vosk-tiny")
"""English commands, for the vosk engine; it can be given a grammar."""

WHISPER = Path(__file__).with_name("whisper-tiny")
"""Likewise, for the whisper engine."""
