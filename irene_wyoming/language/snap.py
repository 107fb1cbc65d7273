"""Snap: how far an open transcript is matched to the home. ``snapping`` does it, and loads more modules."""

from enum import StrEnum


class Snap(StrEnum):
    OFF = "off"
    """Transcripts stay as they are."""
    NAMES = "names"
    """A word that is nearly a name of the home becomes that name."""
    SENTENCES = "sentences"
    """Like NAMES, and a transcript that is nearly a sentence of the home becomes that sentence."""
