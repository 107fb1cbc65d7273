"""The token that opens our servers to clients from networks that the configuration does not list."""

import secrets

from wyoming.event import Event

SHOWS_TOKEN = "authenticate"
"""Type of our own event in which a client shows the token, before any other. Other servers ignore it."""

TOKEN_CHARS = range(16, 257)
"""Characters that a token may have. Shorter ones can be guessed, one guess per connection."""


def show(token: str) -> Event:
    """Make the event with which a client shows the token."""
    return Event(SHOWS_TOKEN, {"token": token})


def shows(event: Event, token: str) -> bool:
    """Whether an event shows this token. The comparison takes constant time."""
    shown = event.data.get("token")
    return (
        event.type == SHOWS_TOKEN
        and isinstance(shown, str)
        and secrets.compare_digest(shown.encode(errors="replace"), token.encode())
    )
