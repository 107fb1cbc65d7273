"""The command ``irene-wyoming doctor``."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path

from irene_wyoming.app.doctor import Doctor, Spoken
from irene_wyoming.app.doctor_settings import refused
from irene_wyoming.app.doctor_sound import of_sound
from irene_wyoming.app.findings import Level
from irene_wyoming.app.links import Link, broken, doubtful, first_broken
from irene_wyoming.app.logs import escaped
from irene_wyoming.app.scores import of_server, of_source
from irene_wyoming.app.source import source
from irene_wyoming.audio.format import SPEECH, Quality
from irene_wyoming.cli import common, recording
from irene_wyoming.cli.signs import sign
from irene_wyoming.config.addon import told
from irene_wyoming.config.model import Config
from irene_wyoming.errors import CaptureError, ConfigError, IreneError
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording

FIRST_AUDIO_S = 5.0
"""Seconds to wait for first audio: sound systems and servers need up to two to open a device."""


ROOM_S = 1.0
"""Seconds for which a room is heard where nobody was asked to speak: even a microphone's noise shows that it works."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "uri",
        nargs="?",
        type=common.address,
        help="the server to examine (none: those of this machine's configuration)",
    )
    parser.add_argument("--silent", action="store_true", help="examine everything without speech")
    parser.add_argument(
        "--seconds",
        type=common.number(1, 60),
        default=4.0,
        metavar="N",
        help="seconds to listen to the word and to the command; default: %(default)s",
    )
    parser.add_argument("--word", metavar="NAME", help="the spoken wake word (none: the first default one)")
    parser.add_argument("--word-file", type=Path, metavar="WAV", help="a recording of the wake word instead of speech")
    parser.add_argument("--command-file", type=Path, metavar="WAV", help="a recording of a command instead of speech")
    parser.add_argument("--expect", metavar="TEXT", help="the text of the spoken command, to check the transcript")
    common.add_json(parser)
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: nothing is broken; 1: something is."""
    try:
        config = common.read_config(args, quiet=True)
    except ConfigError as error:
        links = [refused(error)]
        if not args.json:
            print(line(links[0]))
    else:
        links = asyncio.run(examined(config, args))
    first = first_broken(links)
    if args.json:
        told_first = None if first is None else asdict(first)
        common.print_json({"links": [asdict(link) for link in links], "first": told_first})
    elif first is None:
        print("Everything works.")
    else:
        print(escaped(f"First: {first.name}: {first.text}. What to do: {first.cure}."))
    return 1 if any(link.level is Level.ERROR for link in links) else 0


async def examined(config: Config, args: argparse.Namespace) -> list[Link]:
    """Examine every link, and print each at once."""
    doctor = Doctor(config, args.uri)
    links: list[Link] = []

    async def take(found: AsyncIterator[Link]) -> None:
        async for link in found:
            links.append(named(link) if config.household else link)
            if not args.json:
                print(line(links[-1]), flush=True)

    await take(doctor.servers())
    if args.silent and args.uri is None:
        await take(of_room(doctor, config))
    for what, file in (("wake word", args.word_file), ("command", args.command_file)):
        if args.silent and file is None:
            continue
        try:
            spoken = await heard(doctor, config, args, what, file)
        except IreneError as error:
            about, cure = "microphone", "`irene-wyoming devices` lists the sound inputs and their levels"
            if file is not None:
                about, cure = "recording", "give a wav file that can be read, or leave it out and speak"
            await take(only(broken(about, str(error), cure)))
            continue
        await take(doctor.word(spoken, args.word) if what == "wake word" else doctor.command(spoken))
    await take(doctor.home())
    return links


def line(link: Link) -> str:
    return f"{sign(link.level)} {escaped(f'{link.name}: {link.text}')}"


def named(link: Link) -> Link:
    """Call a link's settings by the names of the add-on's options."""
    return replace(link, text=told(link.text), cure=told(link.cure))


async def only(link: Link) -> AsyncIterator[Link]:
    yield link


async def of_room(doctor: Doctor, config: Config) -> AsyncIterator[Link]:
    """Check that this machine's microphone delivers anything, though nobody speaks."""
    if doctor.microphone is None:
        return
    cure = "`irene-wyoming devices` lists the sound inputs and their levels; who has satellites needs none here"
    try:
        found = await recorded(doctor.microphone, config, ROOM_S)
    except IreneError as error:
        make = doubtful if config.mic.source.kind == "auto" else broken
        yield make("microphone", str(error), cure)
        return
    for link in await asyncio.to_thread(lambda: list(of_sound(*found))):
        if link.name != "level":  # an empty room has no wrong level
            yield link


async def heard(doctor: Doctor, config: Config, args: argparse.Namespace, what: str, file: Path | None) -> Spoken:
    """Record what a person says, or read a recording of it.

    :raises IreneError: there is no audio.
    """
    expected = args.expect if what == "command" else None
    if file is not None:
        return Spoken(await asyncio.to_thread(recording.read, file), None, expected)
    if not args.json:
        print(f"Say the {what} now, within {args.seconds:g} s.", flush=True)
    return Spoken(*await recorded(doctor.microphone, config, args.seconds), expected)


async def recorded(address: Address | None, config: Config, seconds: float) -> tuple[Recording, float | None]:
    """Record a microphone; returns the audio and the seconds until its first chunk.

    :param address: a microphone server's; None: this machine's own microphone.
    :raises IreneError: there is no audio.
    """
    pcm, form, began = bytearray(), SPEECH, None
    try:
        async with asyncio.timeout(FIRST_AUDIO_S + seconds):
            sound = of_source(source(config.mic, Quality.MEDIUM)) if address is None else of_server(address)
            async for chunk_form, chunk in sound:
                if began is None:
                    began, form = time.monotonic(), chunk_form  # the first chunk may have waited
                    continue
                pcm += chunk
                if time.monotonic() - began >= seconds:
                    break
    except TimeoutError:
        if began is None:
            raise CaptureError(f"no audio came within {FIRST_AUDIO_S + seconds:g} s") from None
    return Recording(form, bytes(pcm)), None if began is None else time.monotonic() - began
