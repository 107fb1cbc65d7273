"""sphinx: commands of a closed grammar with PocketSphinx, whose wheel carries an English model."""

from collections.abc import Mapping
from typing import Any

from irene_wyoming.checks import number
from irene_wyoming.engines.base import AsrEngine, EngineContext, EngineSpec, Option


def create(values: Mapping[str, Any], context: EngineContext) -> AsrEngine:
    """:raises ConfigError: a sentence or a pronunciation of the user's cannot be used."""
    from irene_wyoming.engines.asr.sphinx.engine import Sphinx

    return Sphinx(
        context.vocabulary,
        sentences=values["sentences"],
        pronunciations=values["pronunciations"],
        rejection=values["rejection"],
    )


def sentences(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError("expected a list of sentences, e.g. ['good night', '(open|close) the roof']")
    return tuple(value)


def pronunciations(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(
        isinstance(text, str) and text.strip() for pair in value.items() for text in pair
    ):
        raise ValueError("expected words with their phones, e.g. {zigbee: 'Z IH G B IY'}")
    return {word.strip().casefold(): " ".join(phones.upper().split()) for word, phones in value.items()}


SPEC = EngineSpec(
    name="sphinx",
    kind="asr",
    summary="English smart-home commands of a closed grammar; small enough for any Raspberry Pi.",
    url="https://github.com/cmusphinx/pocketsphinx",
    author="Carnegie Mellon University",
    requires=("pocketsphinx", "hassil", "home_assistant_intents"),
    install="pip install pocketsphinx hassil home-assistant-intents",
    create=create,
    finds_speech=True,  # and knows the noise by the silence before it
    options={
        "sentences": Option([], sentences, "further sentences, in hassil's template notation"),
        "pronunciations": Option({}, pronunciations, "words that it gets wrong, with their phones (ARPAbet)"),
        "rejection": Option(
            0.5, number("a confidence", 0, 1), "least confidence of a command, 0 to 1; below it the transcript is empty"
        ),
    },
)
