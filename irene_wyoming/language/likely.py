"""Likely names: which names of a home an engine should lean towards, where it takes only so many.

The order is that of wyoming-faster-whisper, which counted what people talk about: rooms with something in them and
floors first, then what is switched and played, then the rest.
"""

from irene_wyoming.language.spoken import why_unsayable
from irene_wyoming.language.vocabulary import Name, Vocabulary

FIRST = ("light", "switch", "fan", "media_player", "climate", "scene", "todo")
"""Domains that people talk about most, in this order."""


def likely_names(vocabulary: Vocabulary, language: str = "en") -> tuple[str, ...]:
    """All names that can be said, as the home writes them, the most likely first, each once; aliases behind each name.

    :param language: in which they would be said.
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
