"""Likely names: the order of a home's names for engines that take only some.

The order is that of wyoming-faster-whisper, by what people talk about most: rooms with something in them and floors
first, then what is switched and played, then the rest.
"""

from irene_wyoming.language.spoken import why_unsayable
from irene_wyoming.language.vocabulary import Name, Vocabulary

FIRST = ("light", "switch", "fan", "media_player", "climate", "scene", "todo")
"""Domains that people talk about most, in this order."""


def likely_names(vocabulary: Vocabulary, language: str = "en") -> tuple[str, ...]:
    """All speakable names as the home writes them, each once, the most likely first; aliases follow their name.

    :param language: language in which they are said.
    """
    used = {name.area for name in vocabulary.names if name.area is not None}

    def rank(name: Name) -> int:
        if name.kind == "floor" or (name.kind == "area" and (not used or name.written in used)):
            return 0
        if name.kind == "area":
            return len(FIRST) + 1
        places = [FIRST.index(domain) for domain in name.domains if domain in FIRST]
        return 1 + min(places) if places else len(FIRST) + 2

    ordered = sorted(vocabulary.names, key=rank)
    written = dict.fromkeys(each for name in ordered for each in name.all_written)
    return tuple(each for each in written if not why_unsayable(each, language))
