"""The packaged wake words: their names in the order in which they are offered, and what a person says."""

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
    """``wanted``, each once.

    :raises UnknownModel: one is not known; names those that are.
    :raises ValueError: none is wanted, which is the caller's mistake.
    """
    if not wanted:
        raise ValueError("a session listens for at least one word")
    known = list(known)
    for word in wanted:
        if word not in known:
            raise UnknownModel(f"{engine}: no wake word {word!r}; known: {', '.join(known)}")
    return list(dict.fromkeys(wanted))
