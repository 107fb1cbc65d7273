"""The token that opens a server of ours to clients from networks that it does not name."""

import secrets

from wyoming.event import Event

SHOWS_TOKEN = "authenticate"
"""Type of the event, ours, by which a client shows the token. It is the connection's first; others ignore it."""

TOKEN_CHARS = range(16, 257)
"""Shorter ones can be guessed, a connection a guess."""


def show(token: str) -> Event:
    """What a client sends first."""
    return Event(SHOWS_TOKEN, {"token": token})


def shows(event: Event, token: str) -> bool:
    """Whether it is this token that the event shows, in a time that tells nothing about it."""
    shown = event.data.get("token")
    return (
        event.type == SHOWS_TOKEN
        and isinstance(shown, str)
        and secrets.compare_digest(shown.encode(errors="replace"), token.encode())
    )
