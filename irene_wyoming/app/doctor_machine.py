"""The doctor's examination of this machine: processes, disk, models, and hosts to fetch from."""

import asyncio
import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from wyoming.info import AsrProgram, Info, WakeProgram

from irene_wyoming.app.links import Link, broken, doubtful, good
from irene_wyoming.app.opening import unwritable
from irene_wyoming.config.model import Config
from irene_wyoming.discovery.addresses import bound_addresses, only_loopback
from irene_wyoming.models import catalogue

LITTLE_DISK_BYTES = 100_000_000
"""Bytes of free disk that count as little: a small model takes them; recordings and names a few megabytes."""

INTERNET_TIMEOUT_S = 5.0


def of_instances(pids: Sequence[int]) -> Link:
    """Examine whether the program runs once. Two with other ports both work; with the same, the later one has ended.

    :param pids: process ids of all ``irene-wyoming run`` on this machine.
    """
    if len(pids) > 1:
        told = ", ".join(map(str, pids))
        cure = "stop all but one: one that a system service, an add-on or a terminal has started"
        return doubtful("instances", f"{len(pids)} programs run here, processes {told}", cure)
    return good("instances", "one program runs here" if pids else "no program runs on this machine")


def running() -> list[int]:
    """Process ids of all ``irene-wyoming run`` that can be seen from here. Blocks."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has just ended, or is another user's
        for index, word in enumerate(words[:-1]):
            named = word.endswith(b"/irene-wyoming") or word == b"irene_wyoming"
            if named and words[index + 1] == b"run":
                found.append(int(folder.name))
                break
    return sorted(found)


def of_disk(config: Config) -> Link:
    """Examine whether the data folder can be written and has room. Blocks."""
    folder = config.data_dir
    if folder is None:
        return good("disk", "no data folder is set; nothing is written")
    if problem := unwritable(folder):
        return broken(
            "disk", f"{folder}: {problem}", "make the folder writable for this program's user, or set another data_dir"
        )
    there = folder
    while not os.path.exists(there):
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < LITTLE_DISK_BYTES:
        return broken(
            "disk", f"{folder} has {free >> 20} MB left", "free some space: old recordings and models go first"
        )
    return good("disk", f"{folder} has {free >> 30} GB left" if free >> 30 else f"{folder} has {free >> 20} MB left")


def of_interface(config: Config) -> Iterator[Link]:
    """Examine whether other machines can reach the servers. Name look-ups may block."""
    servers = {"wake": config.wake, "asr": config.asr, "mic": config.mic, "front": config.front}
    alone = []
    for name, server in servers.items():
        if not server.enabled or server.address.path:
            continue
        try:
            if only_loopback(bound_addresses(server.address.host)):
                alone.append(name)
        except OSError as error:
            yield broken("interface", f"{name}.host: {server.address.host}: {error.strerror}", "set it to 0.0.0.0")
    if alone:
        cure = f"set {alone[0]}.host to 0.0.0.0, unless Home Assistant and the satellites run on this machine"
        yield doubtful("interface", f"only this machine reaches: {', '.join(alone)}", cure)
    else:
        yield good("interface", "other machines can connect")


def absent(info: Info) -> list[str]:
    """The models that a server's engines lack, each as ``engine: model``."""
    programs: list[WakeProgram | AsrProgram] = [*info.wake, *info.asr]
    return sorted(
        {f"{program.name}: {model.name}" for program in programs for model in program.models if not model.installed}
    )


def of_models(info: Info, wanted: Sequence[str]) -> Iterator[Link]:
    """Examine whether a server's engines have their models.

    :param wanted: the default wake words.
    """
    programs: list[WakeProgram | AsrProgram] = [*info.wake, *info.asr]
    missing = absent(info)
    away = [program.name for program in programs if not program.installed]
    words = {model.name for program in info.wake for model in program.models}
    unknown = [word for word in wanted if info.wake and word not in words]
    if unknown:
        cure = f"correct wake.default_models, or put {unknown[0]}.tflite into a folder of wake words"
        yield broken("models", f"no wake word {', '.join(unknown)} is here; known are {', '.join(sorted(words))}", cure)
    elif missing or away:
        names = ", ".join(missing) or ", ".join(away)
        cure = "fetch it: `irene-wyoming models list` and `models download NAME`"
        if all(name.partition(":")[0] == "remote" for name in missing or away):
            cure = "start the server at asr.providers.remote.uri, or correct that address"
        yield broken("models", f"not here: {names}", cure)
    else:
        yield good("models", f"{sum(len(program.models) for program in programs)} models are here")


async def of_internet(config: Config, *, missing: bool) -> Link:
    """Examine whether hosts with missing files can be reached.

    :param missing: whether a model has to be fetched.
    """
    entries = await asyncio.to_thread(catalogue.load, config.models.catalogue, config.models.mirror) if missing else ()
    hosts = {host_of(file.url) for entry in entries for file in entry.files}
    if config.asr.providers["google_cloud"].enabled:
        hosts.add(("speech.googleapis.com", 443))
    if not hosts:
        return good("internet", "not needed")
    troubles = [trouble for host, port in sorted(hosts) if (trouble := await reached(host, port))]
    if troubles:
        return broken(
            "internet",
            "; ".join(troubles),
            "connect this machine to the internet, or copy the model into data_dir by hand",
        )
    return good("internet", f"{', '.join(sorted(host for host, _ in hosts))} can be reached")


def host_of(url: str) -> tuple[str, int]:
    """The host and port of a file's address."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)


async def reached(host: str, port: int) -> str:
    """The reason why a host cannot be reached; empty: it can."""
    try:
        async with asyncio.timeout(INTERNET_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"{host} does not answer within {INTERNET_TIMEOUT_S:g} s"
    except (OSError, UnicodeError) as error:
        return f"{host} cannot be reached: {getattr(error, 'strerror', None) or error}"
    writer.close()
    return ""


def is_known(host: str) -> bool:
    """Whether a name stands for an address here. Blocks."""
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def of_port(host: str, port: int) -> str:
    """The first words of another program at this address; empty: nobody answers. Blocks."""
    try:
        with socket.create_connection((host, port), timeout=1) as there:
            there.settimeout(0.3)
            try:
                return there.recv(40).decode(errors="replace").strip() or "another program"
            except TimeoutError:
                return "another program"
    except OSError:
        return ""
