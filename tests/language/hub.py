"""The hub's side of a test: Home Assistant's sentence matcher with its templates and the names of a home."""

from functools import cache
from typing import Any

from hassil import Intents, recognize_best
from hassil.intents import SlotList, TextSlotList
from hassil.recognize import RecognizeResult
from home_assistant_intents import get_intents

from irene_wyoming.language.vocabulary import Vocabulary


@cache
def intents(language: str) -> Intents:
    return Intents.from_dict(get_intents(language) or {})


class Hub:
    """Understands texts as a hub with these names does. The person stands in the first area."""

    def __init__(self, vocabulary: Vocabulary, language: str = "en") -> None:
        self._language = language
        self._context: dict[str, Any] = {"area": vocabulary.areas[0]} if vocabulary.areas else {}
        entities = ((name, domain) for name in vocabulary.names for domain in name.domains)
        self._lists: dict[str, SlotList] = {
            # No name is a template here, just as in Home Assistant.
            "area": TextSlotList.from_tuples(((each, each) for each in vocabulary.areas), allow_template=False),
            "floor": TextSlotList.from_tuples(((each, each) for each in vocabulary.floors), allow_template=False),
            "name": TextSlotList.from_tuples(
                ((each, each, {"domain": domain}) for name, domain in (*entities,) for each in name.all_written),
                allow_template=False,
            ),
        }

    def understands(self, text: str) -> RecognizeResult | None:
        return recognize_best(
            text,
            intents(self._language),
            slot_lists=self._lists,
            intent_context=self._context,
            best_metadata_key="hass_custom_sentence",
            best_slot_name="name",
        )

    def entity(self, text: str) -> str | None:
        """The name that it finds in ``text``, as the home writes it."""
        found = self.understands(text)
        return None if found is None or "name" not in found.entities else str(found.entities["name"].value)
