"""Wav files for commands, and a server to play them to."""

import argparse
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from irene_wyoming import files
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.capture.riff import read_info
from irene_wyoming.cli import common
from irene_wyoming.config.model import Config
from irene_wyoming.errors import AudioError, CaptureError
from irene_wyoming.servers.service import Service
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording

MAX_BYTES = 256 << 20
"""Most bytes of a file, which is held in memory: half an hour of 48 kHz stereo."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, metavar="FILE.wav", help="PCM of 8 to 192 kHz, 8 to 32 bit or float, 1 to 8 channels"
    )
    parser.add_argument(
        "--uri",
        type=common.address,
        metavar="URI",
        help="ask the server at tcp://host:port or unix:///path (none: start one for this command)",
    )
    parser.add_argument(
        "--realtime", action="store_true", help="send at the pace of speech, instead of as fast as it is taken"
    )
    common.add_json(parser)
    common.add_config(parser)


def read(path: Path) -> Recording:
    """Read a wav file; raises AudioError with its name where it cannot be read or holds no PCM."""
    try:
        with files.opened(path) as file:
            info = read_info(file)
            if info.doubt:
                print(f"{path}: {info.doubt}: read as far as it goes", file=sys.stderr)
            if info.nbytes > MAX_BYTES:
                raise AudioError(f"{path}: {info.nbytes >> 20} MiB of audio; at most {MAX_BYTES >> 20} are taken")
            file.seek(info.offset)
            return sendable(info.format, file.read(info.nbytes))
    except OSError as error:
        raise AudioError(f"{path}: {error.strerror}") from error
    except CaptureError as error:
        raise AudioError(f"{path}: {error}") from error


def wavs(paths: Sequence[Path]) -> list[Path]:
    """List the given files, and the wav files in given folders.

    :raises AudioError: a folder has none.
    """
    found: list[Path] = []
    for path in paths:
        some = sorted(one for one in path.iterdir() if one.suffix.lower() == ".wav") if path.is_dir() else [path]
        if not some:
            raise AudioError(f"{path}: no wav files there")
        found += some
    return found


def sendable(form: AudioFormat, pcm: bytes) -> Recording:
    """Make a recording that Wyoming's events can carry: floats become 32 bit integers, other formats stay."""
    if not form.floating:
        return Recording(form, pcm)
    from irene_wyoming.audio.convert import Converter  # loads numpy, which only this case needs

    integers = replace(form, floating=False)
    return Recording(integers, Converter(form, integers).push(pcm))


@asynccontextmanager
async def listening(
    args: argparse.Namespace, name: str, make: Callable[[Config], AbstractAsyncContextManager[Service]]
) -> AsyncIterator[Address]:
    """Use the server at ``--uri``, or run our own on a free port of this machine."""
    if args.uri:
        yield args.uri
        return
    async with make(private(common.read_config(args, quiet=True), name)) as service:
        yield service.address


def private(config: Config, name: str) -> Config:
    """The configuration with one server on a free port that only this machine can reach."""
    server = replace(getattr(config, name), address=Address(host="127.0.0.1", port=0))
    return replace(config, **{name: server})
