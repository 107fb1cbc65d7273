"""Puts silence around recorded speech."""

LEAD_S, TAIL_S = 1.0, 1.5


def with_silence(pcm: bytes, lead_s: float = LEAD_S, tail_s: float = TAIL_S) -> bytes:
    """Put silence before and after 16 kHz 16 bit mono PCM."""
    return bytes(int(lead_s * 16_000) * 2) + pcm + bytes(int(tail_s * 16_000) * 2)
