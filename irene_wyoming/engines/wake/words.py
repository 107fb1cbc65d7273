"""The packaged wake words: their names in the order of the offer, and their phrases."""

from collections.abc import Iterable, Sequence

from irene_wyoming.errors import UnknownModel

PHRASES = {
    "okay_nabu": "Okay Nabu",
    "hey_jarvis": "Hey Jarvis",
    "alexa": "Alexa",
    "hey_mycroft": "Hey Mycroft",
    "hey_rhasspy": "Hey Rhasspy",
}


def chosen(wanted: Sequence[str], known: Iterable[str], engine: str) -> list[str]:
    """Check wanted words; returns each once.

    :raises UnknownModel: one is unknown; the message lists the known ones.
    :raises ValueError: the list is empty, which is the caller's mistake.
    """
    if not wanted:
        raise ValueError("a session listens for at least one word")
    known = list(known)
    for word in wanted:
        if word not in known:
            raise UnknownModel(f"{engine}: no wake word {word!r}; known: {', '.join(known)}")
    return list(dict.fromkeys(wanted))
