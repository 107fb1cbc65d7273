"""Recommendations for languages and machines."""

import pytest

from irene_wyoming.models.catalogue import load
from irene_wyoming.models.recommend import TABLE, entry_of, recommend

PI_3, PI_5, PC = (4, 900), (4, 8_000), (8, 16_000)


@pytest.mark.parametrize(
    ("language", "machine", "engines"),
    [
        ("en", PI_3, ["guided"]),
        ("en-GB", (2, 512), ["guided"]),
        ("en", (4, 2_000), ["guided", "sherpa"]),
        ("en", PC, ["guided", "sherpa"]),
        ("de", PI_5, ["sherpa", "whisper"]),
        ("de", (1, 512), ["vosk"]),
        ("de-AT", (4, 1_900), ["sherpa", "vosk"]),
        ("ja", PC, ["sherpa", "whisper"]),
        ("tr", PC, ["whisper"]),
        ("tr", (1, 512), ["whisper"]),
    ],
)
def test_engines_by_language_and_machine(language: str, machine: tuple[int, int], engines: list[str]) -> None:
    assert [choice.engine for choice in recommend(language, *machine)] == engines


def test_every_language_and_machine_gets_something() -> None:
    for language in ("en", "de", "zh", "xx"):
        for cores in (1, 2, 4):
            for memory in (None, 100, 1_000, 4_000):
                for gpu in (False, True):
                    assert recommend(language, cores, memory, gpu=gpu)


def test_what_is_recommended_can_be_fetched_and_speaks_the_language() -> None:
    catalogue = load()
    for row in TABLE:
        for choice in row.choices:
            found = entry_of(choice, catalogue)
            assert (found is None) == (choice.model is None)
            assert found is None or all(found.speaks(language) for language in row.languages), choice
