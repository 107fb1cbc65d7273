"""The command ``irene-wyoming demo``."""

import argparse
import asyncio
from contextlib import AsyncExitStack
from typing import Any

import numpy as np

from irene_wyoming.audio.pcm import decode
from irene_wyoming.cli import common, recording
from irene_wyoming.demo.speech import COMMAND, QUESTION, WORD, packaged
from irene_wyoming.wire.hear import Recording, detect, transcribe

QUIET = 0.02
"""Share of full scale above which samples are speech; the silence around the packaged speech is digital."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_json(parser)
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: all three recordings were understood as spoken."""
    heard = asyncio.run(play(args))
    if args.json:
        common.print_json(heard)
    else:
        print(timeline(heard))
    texts = [plain(heard[what]["text"]) for what in ("asr", "question")]
    return 0 if heard["wake"]["name"] == WORD and texts == [COMMAND, QUESTION] else 1


def plain(text: str) -> str:
    """A text in lower case without punctuation, which only some engines write."""
    return text.casefold().rstrip(".?!")


async def play(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Play a wake word, a command and a question at the pace of speech to servers on free ports. Returns what they
    heard and when.
    """
    from irene_wyoming.app.asr import asr_server
    from irene_wyoming.app.wake import wake_server

    config = common.read_config(args, quiet=True)
    word = packaged(WORD)
    async with AsyncExitStack() as stack:
        wake = await stack.enter_async_context(wake_server(recording.private(config, "wake")))
        asr = await stack.enter_async_context(asr_server(recording.private(config, "asr")))
        words, _ = await detect(wake.address, word, [WORD], realtime=True)
        texts = {
            spoken: await transcribe(asr.address, packaged(spoken), realtime=True) for spoken in (COMMAND, QUESTION)
        }
    spoken_s = end_of_speech(word)
    first = words[0] if words else None
    return {
        "wake": {
            "uri": wake.address.uri,
            "spoken_s": round(spoken_s, 2),
            "name": first.name if first else None,
            "score": first.score if first else None,
            "delay_ms": round((first.arrived_s - spoken_s) * 1000) if first else None,
        },
        **{
            name: {
                "uri": asr.address.uri,
                "spoken": spoken,
                "spoken_s": round(packaged(spoken).seconds, 2),
                "text": texts[spoken].text,
                "delay_ms": round(texts[spoken].delay_s * 1000),
            }
            for name, spoken in (("asr", COMMAND), ("question", QUESTION))
        },
    }


def end_of_speech(speech: Recording) -> float:
    """The end of the last sound, seconds from the start."""
    level = np.abs(decode(speech.pcm, speech.format.width, speech.format.channels)).max(axis=1)
    return (int(np.flatnonzero(level > QUIET)[-1]) + 1) / speech.format.rate


def when(delay_ms: int) -> str:
    """A delay in words. A wake word is often certain before its last sound has faded."""
    return f"{delay_ms} ms after" if delay_ms >= 0 else f"{-delay_ms} ms before"


def timeline(heard: dict[str, dict[str, Any]]) -> str:
    wake = heard["wake"]
    lines = [f"wake  {wake['uri']}  spoken: {WORD}, {wake['spoken_s']} s"]
    if wake["name"] is None:
        lines.append("      nothing detected")
    else:
        lines.append(
            f"      detected: {wake['name']}, score {wake['score']}, {when(wake['delay_ms'])} the end of the word"
        )
    for asr in (heard["asr"], heard["question"]):
        lines.append(f"asr   {asr['uri']}  spoken: {asr['spoken']}, {asr['spoken_s']} s")
        lines.append(f"      transcript: {asr['text'] or '(nothing)'}, {asr['delay_ms']} ms after the end of the audio")
    return "\n".join(lines)
