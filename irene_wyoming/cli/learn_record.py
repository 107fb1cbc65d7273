"""Records a word from the microphone several times, for ``irene-wyoming learn-wake``."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import numpy as np

from irene_wyoming.app import scores, source
from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import SPEECH, Quality
from irene_wyoming.config.model import Config
from irene_wyoming.errors import AudioError
from irene_wyoming.learn.augment import Samples
from irene_wyoming.learn.examples import Example, example

TIMES = 10
LISTEN_S = 3.0
"""Seconds of each recording: time to say the word, and some quiet around it."""


def record(config: Config, device: str | None, phrase: str) -> list[Example]:
    """Ask for the word until it was said TIMES times.

    :raises CaptureError: the microphone cannot be opened, or breaks.
    """
    return asyncio.run(recorded(config, device, phrase))


async def recorded(config: Config, device: str | None, phrase: str) -> list[Example]:
    mic = config.mic
    if device is not None:
        mic = replace(mic, source=replace(mic.source, kind="auto", device=device))
    found: list[Example] = []
    async with aclosing(speech(scores.of_source(source.source(mic, Quality.MEDIUM)))) as sound:
        while len(found) < TIMES:
            print(f"{len(found) + 1} of {TIMES}: say {phrase!r} now", flush=True)
            piece = await gathered(sound, round(LISTEN_S * SPEECH.rate))
            try:
                found.append(example(f"recording {len(found) + 1}", piece))
            except AudioError as error:
                print(f"once more: {error}", flush=True)
    return found


async def speech(sound: scores.Audio) -> AsyncGenerator[Samples, None]:
    """Give the sound as samples at 16 kHz, mono, full scale 1."""
    converter: Converter | None = None
    async with aclosing(sound) as chunks:
        async for form, pcm in chunks:
            if converter is None or converter.source != form:
                converter = Converter(form, SPEECH)
            yield np.frombuffer(converter.push(pcm), "<i2").astype(np.float32) / np.float32(32_768)


async def gathered(sound: AsyncGenerator[Samples, None], frames: int) -> Samples:
    pieces: list[Samples] = []
    while sum(map(len, pieces)) < frames:
        pieces.append(await anext(sound))
    return np.concatenate(pieces)
