"""Runs Home Assistant itself as our client, by a Python that has it, and prints results as JSON.

Only ``test_home_assistant.py`` runs this; nothing of irene_wyoming is imported here.
"""
# mypy: disable-error-code="import-not-found"
# Home Assistant is not installed where this project is checked.

import argparse
import asyncio
import json
import sys
import tempfile
import time
import wave
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from homeassistant import auth, bootstrap, loader, requirements
from homeassistant.components import assist_pipeline, stt, wake_word
from homeassistant.config_entries import ConfigEntries, ConfigEntry
from homeassistant.const import __version__ as home_assistant_version
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import entity_registry
from homeassistant.setup import async_setup_component

CHUNK_S = 0.01
"""Seconds per chunk in Home Assistant's pipelines."""

AFTER_SPEECH_S = 3.0
"""Seconds of audio after the last word: a detection and the end of a command take some of it."""

TIMEOUT_S = 60
"""Seconds for one conversation: Home Assistant itself waits without a limit."""

PAUSE_S = 0.5
"""Seconds between a wake word and the command."""

QUIET = 100
"""Samples below this (of 32768) are not speech in a synthesised recording."""


@dataclass(frozen=True)
class Speech:
    """Mono PCM of 16 kHz and 16 bit, the only format in Home Assistant's pipelines."""

    pcm: bytes

    @classmethod
    def read(cls, path: str) -> "Speech":
        with wave.open(path, "rb") as wav:
            if (wav.getframerate(), wav.getsampwidth(), wav.getnchannels()) != (16_000, 2, 1):
                raise SystemExit(f"{path}: expected 16 kHz, 16 bit, mono")
            return cls(wav.readframes(wav.getnframes()))

    def then(self, other: "Speech") -> "Speech":
        """Join two recordings in one breath: after a longer pause Home Assistant would end the command."""
        return Speech(self.trimmed() + bytes(int(16_000 * PAUSE_S) * 2) + other.trimmed())

    def trimmed(self) -> bytes:
        """Cut the silence before and after the speech."""
        samples = array("h", self.pcm)
        loud = [index for index, sample in enumerate(samples) if abs(sample) > QUIET]
        return samples[loud[0] : loud[-1] + 1].tobytes()

    async def spoken(self, then_silence_s: float = 0.0) -> AsyncIterator[tuple[bytes, int]]:
        """Give chunks with their time in ms, as fast as a microphone does."""
        step = int(16_000 * CHUNK_S) * 2
        pcm = self.pcm + bytes(int(then_silence_s / CHUNK_S) * step)
        began = time.monotonic()
        for index, start in enumerate(range(0, len(pcm), step)):
            await asyncio.sleep(began + index * CHUNK_S - time.monotonic())
            yield pcm[start : start + step], int(index * CHUNK_S * 1000)


@asynccontextmanager
async def home_assistant(install: bool) -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant with an empty configuration.

    :param install: let it install what its components lack, as it normally does.
    """
    with tempfile.TemporaryDirectory() as config_dir:
        hass = HomeAssistant(config_dir)  # the steps of its bootstrap, without the default integrations
        hass.config.skip_pip = not install
        loader.async_setup(hass)
        hass.config_entries = ConfigEntries(hass, {})
        await bootstrap.async_load_base_functionality(hass)
        hass.auth = await auth.auth_manager_from_config(hass, [], [])
        try:
            if not await async_setup_component(hass, "homeassistant", {}):
                raise SystemExit("Home Assistant's core does not start")
            yield hass
        finally:
            await hass.async_stop(force=True)


async def add(hass: HomeAssistant, host: str, port: int) -> ConfigEntry:
    """Add a server as a user does: by host and port."""
    address = {"host": host, "port": port}
    flow = await hass.config_entries.flow.async_init("wyoming", context={"source": "user"}, data=address)
    await hass.async_block_till_done()
    if flow["type"] != "create_entry":
        raise SystemExit(f"the config flow for {address} ended with {flow}")
    return flow["result"]


def entities(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, str | None]:
    """The states of the entities that a server has made."""
    entries = entity_registry.async_entries_for_config_entry(entity_registry.async_get(hass), entry.entry_id)
    states = {known.entity_id: hass.states.get(known.entity_id) for known in entries}
    return {entity_id: None if state is None else state.state for entity_id, state in states.items()}


def only(domain: str, states: dict[str, str | None]) -> str:
    """The only entity of a domain."""
    found = [entity_id for entity_id in states if entity_id.startswith(f"{domain}.")]
    if len(found) != 1:
        raise SystemExit(f"expected one {domain} entity, there are {', '.join(states) or 'none'}")
    return found[0]


async def wait_for_word(hass: HomeAssistant, entity_id: str, speech: Speech, word: str | None) -> dict[str, Any] | None:
    """Play speech to the wake word entity; None: it detects nothing."""
    entity = wake_word.async_get_wake_word_detection_entity(hass, entity_id)
    async with asyncio.timeout(TIMEOUT_S):
        result = await entity.async_process_audio_stream(speech.spoken(AFTER_SPEECH_S), word)
    return None if result is None else {"word": result.wake_word_id, "timestamp": result.timestamp}


def metadata(language: str) -> stt.SpeechMetadata:
    return stt.SpeechMetadata(
        language=language,
        format=stt.AudioFormats.WAV,
        codec=stt.AudioCodecs.PCM,
        bit_rate=stt.AudioBitRates.BITRATE_16,
        sample_rate=stt.AudioSampleRates.SAMPLERATE_16000,
        channel=stt.AudioChannels.CHANNEL_MONO,
    )


async def transcribe(hass: HomeAssistant, entity_id: str, language: str, speech: Speech) -> dict[str, str | None]:
    """Play speech to the speech-to-text entity."""
    entity = stt.async_get_speech_to_text_engine(hass, entity_id)
    chunks = (pcm async for pcm, _ in speech.spoken())
    async with asyncio.timeout(TIMEOUT_S):
        result = await entity.internal_async_process_audio_stream(metadata(language), chunks)
    return {"text": result.text, "result": result.result.value}


async def run_pipeline(hass: HomeAssistant, wake_id: str, word: str, stt_id: str, speech: Speech) -> dict[str, Any]:
    """Play a wake word and then a command to an Assist pipeline, in one stream."""
    pipeline = next(iter(assist_pipeline.async_get_pipelines(hass)))
    engines = {"wake_word_entity": wake_id, "wake_word_id": word, "stt_engine": stt_id, "stt_language": "en"}
    await assist_pipeline.async_update_pipeline(hass, pipeline, **engines)
    events: list[assist_pipeline.PipelineEvent] = []
    async with asyncio.timeout(TIMEOUT_S):
        await assist_pipeline.async_pipeline_from_audio_stream(
            hass,
            context=Context(),
            event_callback=events.append,
            stt_metadata=metadata("en"),
            stt_stream=(pcm async for pcm, _ in speech.spoken(AFTER_SPEECH_S)),
            pipeline_id=pipeline.id,
            start_stage="wake_word",
            end_stage="stt",
        )
    return {event.type.value: event.data for event in events}


async def converse(hass: HomeAssistant, options: argparse.Namespace) -> dict[str, Any]:
    """Run everything and return the results to print."""
    entry = await add(hass, options.host, options.port)
    seen: dict[str, Any] = {"version": home_assistant_version, "title": entry.title, "state": entry.state.value}
    seen["entities"] = entities(hass, entry)
    wake_id, stt_id = only("wake_word", seen["entities"]), only("stt", seen["entities"])
    detector = wake_word.async_get_wake_word_detection_entity(hass, wake_id)
    seen["words"] = [known.id for known in await detector.get_supported_wake_words()]
    seen["languages"] = stt.async_get_speech_to_text_engine(hass, stt_id).supported_languages
    seen["detections"] = [
        await wait_for_word(hass, wake_id, Speech.read(path), word or None) for word, path in options.word
    ]
    seen["transcripts"] = [await transcribe(hass, stt_id, "en", Speech.read(path)) for path in options.command]
    seen["runs"] = [
        await run_pipeline(hass, wake_id, word, stt_id, Speech.read(first).then(Speech.read(second)))
        for word, first, second in options.run
    ]
    seen["entities_after"] = entities(hass, entry)
    seen["unloaded"] = await hass.config_entries.async_unload(entry.entry_id)
    return seen


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="only let Home Assistant install what its parts need")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int)
    several: dict[str, Any] = {"action": "append", "default": []}
    parser.add_argument("--word", nargs=2, metavar=("ID", "WAV"), help="wait for a wake word; empty: any", **several)
    parser.add_argument("--command", metavar="WAV", help="transcribe", **several)
    parser.add_argument("--run", nargs=3, metavar=("ID", "WORD_WAV", "COMMAND_WAV"), help="run a pipeline", **several)
    options = parser.parse_args(arguments)
    if not options.install and options.port is None:
        parser.error("--port is missing")
    return options


async def main(options: argparse.Namespace) -> None:
    async with home_assistant(options.install) as hass:
        if options.install:
            await requirements.async_get_integration_with_requirements(hass, "wyoming")
            return
        json.dump(await converse(hass, options), sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(parse(sys.argv[1:])))
