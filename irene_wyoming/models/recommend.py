"""Recommends engines and models for a language and a machine: the table behind ``asr.default_provider: auto``."""

from collections.abc import Sequence
from dataclasses import dataclass

from irene_wyoming.models.catalogue import Entry
from irene_wyoming.tags import primary

EUROPEAN = (
    *("bg", "hr", "cs", "da", "nl", "en", "et", "fi", "fr", "de", "el", "hu", "it", "lv", "lt", "mt", "pl", "pt"),
    *("ro", "sk", "sl", "es", "sv", "ru", "uk"),
)
"""The languages that Parakeet v3 understands."""

EAST_ASIAN = frozenset(("zh", "ja", "ko", "yue"))
ENGLISH = frozenset(("en",))
EVERY = frozenset[str]()
"""In a row of the table: any language."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One engine with one model."""

    engine: str
    model: str | None
    """The model's name in the catalogue; None: the engine carries its model."""
    why: str


@dataclass(frozen=True, slots=True)
class Row:
    """The choices for some languages on machines of at least some size."""

    languages: frozenset[str]
    cores: int
    memory_mb: int
    choices: tuple[Choice, ...]
    gpu: bool = False
    """True: this row needs a GPU."""

    def suits(self, language: str, cores: int, memory_mb: int, *, gpu: bool) -> bool:
        spoken = not self.languages or language in self.languages
        return spoken and cores >= self.cores and memory_mb >= self.memory_mb and (gpu or not self.gpu)


GUIDED = Choice("guided", None, "built in: knows the home's commands and names, and needs no download")
PARAKEET_V2 = Choice(
    "sherpa", "sherpa-onnx-nemo-parakeet-tdt-0.6b-v2-int8", "the most exact English model that a CPU runs at once"
)
PARAKEET_V3 = Choice(
    "sherpa", "sherpa-onnx-nemo-parakeet-tdt-0.6b-v3-int8", "25 European languages, 11.6 % of words wrong on FLEURS"
)
MOONSHINE_BASE = Choice(
    "sherpa", "sherpa-onnx-moonshine-base-en-quantized-2026-02-27", "English sentences beyond commands, 110 MB"
)
SENSE_VOICE = Choice(
    "sherpa",
    "sherpa-onnx-sense-voice-zh-en-ja-ko-yue-int8-2024-07-17",
    "Chinese, Japanese, Korean; many times faster than Whisper",
)
WHISPER_SMALL = Choice("whisper", "small", "nearly every language; wants a fast machine")
WHISPER_BASE = Choice("whisper", "base", "nearly every language; seconds on a Raspberry Pi 4")
WHISPER_TINY = Choice("whisper", "tiny", "nearly every language in the least memory")


def kroko(language: str) -> Choice:
    name = f"sherpa-onnx-streaming-zipformer-{language}-kroko-2025-08-06"
    return Choice("sherpa", name, "small, and tells what it understands while the person speaks")


def vosk(name: str) -> Choice:
    return Choice("vosk", name, "fits into 300 MB, and decodes while the person speaks")


VOSK_SMALL = {
    "de": "vosk-model-small-de-0.15",
    "es": "vosk-model-small-es-0.42",
    "fr": "vosk-model-small-fr-0.22",
    "it": "vosk-model-small-it-0.22",
    "nl": "vosk-model-small-nl-0.22",
    "pl": "vosk-model-small-pl-0.22",
    "pt": "vosk-model-small-pt-0.3",
}

TABLE: Sequence[Row] = (
    Row(ENGLISH, 2, 3_500, (GUIDED, PARAKEET_V2)),  # commands at once, everything else by a strong model
    Row(ENGLISH, 4, 1_800, (GUIDED, MOONSHINE_BASE)),  # a Pi 4 or 5 with 2 GB
    Row(ENGLISH, 1, 0, (GUIDED,)),  # a Pi 3, 512 MB: what fits
    Row(EVERY, 2, 6_000, (WHISPER_SMALL,), gpu=True),  # a GPU makes Whisper the best choice for the rest
    Row(
        frozenset(EUROPEAN), 2, 3_500, (PARAKEET_V3, WHISPER_BASE)
    ),  # its author distrusts v3 outside English: Whisper behind it
    *(Row(frozenset((tag,)), 2, 900, (kroko(tag), vosk(VOSK_SMALL[tag]))) for tag in ("de", "es", "fr")),
    *(Row(frozenset((tag,)), 1, 0, (vosk(name),)) for tag, name in VOSK_SMALL.items()),
    Row(EAST_ASIAN, 2, 1_500, (SENSE_VOICE, WHISPER_BASE)),
    Row(EVERY, 4, 6_000, (WHISPER_SMALL,)),
    Row(EVERY, 2, 1_800, (WHISPER_BASE,)),
    Row(EVERY, 1, 0, (WHISPER_TINY,)),
)
"""The table of recommendations, best first; the first row that fits is taken."""


def recommend(language: str, cores: int, memory_mb: int | None, *, gpu: bool = False) -> tuple[Choice, ...]:
    """Recommend engines and models, the first choice first.

    :param language: a tag such as ``de`` or ``de-AT``.
    :param memory_mb: megabytes of memory; None: unknown, which counts as enough.
    """
    family = primary(language)
    enough = 1_000_000 if memory_mb is None else memory_mb
    return next(row.choices for row in TABLE if row.suits(family, cores, enough, gpu=gpu))


def entry_of(choice: Choice, catalogue: Sequence[Entry]) -> Entry | None:
    """The catalogue entry to fetch for a choice; None: nothing."""
    found = (known for known in catalogue if (known.engine, known.name) == (choice.engine, choice.model))
    return next(found, None)
