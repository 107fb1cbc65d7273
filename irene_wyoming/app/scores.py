"""Runs the wake word engines on live audio and gives their scores, moment by moment."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace

import numpy as np

from irene_wyoming.app import engines
from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.audio.meter import Meter
from irene_wyoming.capture.base import Source
from irene_wyoming.config.model import Config
from irene_wyoming.engines.base import Score, WakeEngine
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import ConfigError
from irene_wyoming.routing.wake import WakeRouter
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording
from irene_wyoming.wire.listen import listening as listening_to

CHUNK_S = 0.08

Audio = AsyncGenerator[tuple[AudioFormat, bytes], None]


@dataclass(frozen=True, slots=True)
class Moment:
    """The scores of one chunk of audio."""

    at_s: float
    """The chunk's end, seconds since the start."""
    level_dbfs: float
    """Level of the last second, dBFS."""
    scores: Mapping[str, float]
    """The highest score of each word within the chunk; words without a step in it are left out."""
    heard: Sequence[str]
    """Words that a server with these settings would have reported."""


async def of_recording(recording: Recording, *, realtime: bool) -> Audio:
    """Give a recording, at the pace of speech or as fast as it is taken, and a second of silence."""
    form = recording.format
    size = round(CHUNK_S * form.rate) * form.frame_bytes
    pcm = recording.pcm + bytes(form.rate * form.frame_bytes)
    started = time.monotonic()
    for start in range(0, len(pcm), size):
        if realtime:
            await asyncio.sleep(started + form.seconds(start) - time.monotonic())
        yield form, pcm[start : start + size]


async def of_server(address: Address) -> Audio:
    """Give the audio of a microphone server.

    :raises ServerUnavailable: nobody answers there.
    :raises ProtocolError: it breaks off, or sends no audio.
    """
    async with listening_to(address) as chunks:
        async for chunk in chunks:
            yield chunk.format, chunk.pcm


async def of_source(source: Source) -> Audio:
    """Give the audio of this machine's microphone.

    :raises CaptureError: it cannot be opened, or breaks.
    """
    async with source.open() as capture:
        async for chunk in capture:
            yield chunk.format, chunk.pcm


class Listener:
    """Runs engines on one stream."""

    def __init__(self, worker: Worker, loaded: Sequence[WakeEngine], config: Config, words: Sequence[str]) -> None:
        """:param words: words to listen for; empty: all known ones.
        :raises ConfigError: a word is unknown.
        """
        self._worker = worker
        self._router = WakeRouter(loaded)
        self._settings = config.wake.models
        infos = {info.name: info for info in self._router.models()}
        for word in words:
            if word not in infos:
                raise ConfigError(f"{word!r}: no such wake word; known are {', '.join(infos)}")
        self.thresholds: dict[str, float] = {}
        """The threshold of each word that is listened for."""
        for word in words or infos:
            owner = next(e for e in loaded if any(info.name == word for info in e.models()))
            own = self._settings[word].threshold if word in self._settings else None
            for_all = config.wake.providers[owner.name].options.get("threshold")
            recommended = infos[word].threshold
            self.thresholds[word] = next((t for t in (own, for_all, recommended) if t is not None), 0.5)

    async def moments(self, audio: Audio) -> AsyncGenerator[Moment, None]:
        """Listen until the audio ends, and close it."""
        scores: list[Score] = []
        meter = Meter(SPEECH.rate)
        frames = 0
        converter: Converter | None = None
        session = await self._worker.obtain(self._router.session, list(self.thresholds), self._settings, scores.append)
        try:
            async with aclosing(audio):
                async for form, pcm in audio:
                    if converter is None or converter.source != form:
                        converter = Converter(form, SPEECH, Quality.MEDIUM)
                    speech = converter.push(pcm)
                    hits = await self._worker.run(session.push, speech)
                    meter.push(np.frombuffer(speech, "<i2"))
                    frames += SPEECH.frames(len(speech))
                    highest: dict[str, float] = {}
                    for score in scores:
                        highest[score.word] = max(score.score, highest.get(score.word, 0.0))
                    scores.clear()
                    yield Moment(frames / SPEECH.rate, meter.level_dbfs, highest, [hit.model for hit in hits])
        finally:
            self._worker.discard(session)


@asynccontextmanager
async def listening(config: Config, provider: str | None, words: Sequence[str]) -> AsyncIterator[Listener]:
    """Load the engines of a configuration as the server does.

    :param provider: the only one to use; None: all.
    :raises EngineUnavailable: no engine can be loaded.
    :raises ConfigError: a word or the provider is unknown.
    """
    server = config.wake
    if provider is not None:
        if provider not in engines.order(server):
            raise ConfigError(f"{provider!r}: no such provider; enabled are {', '.join(engines.order(server))}")
        server = replace(server, default_provider=provider, fallback_providers=())
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(Worker("wake"))
        loaded: list[WakeEngine] = await engines.load("wake", server, engines.context(config), worker)
        for engine in loaded:
            stack.push_async_callback(worker.run, engine.close)
        yield Listener(worker, loaded, config, words)
