"""Snap: how far an open transcript is matched to what the home knows. ``snapping`` does it, and needs more loaded."""

from enum import StrEnum


class Snap(StrEnum):
    OFF = "off"
    """Transcripts stay as they are."""
    NAMES = "names"
    """A word that is nearly a name of the home becomes that name."""
    SENTENCES = "sentences"
    """Besides, a transcript that is nearly a sentence of the home becomes that sentence."""
