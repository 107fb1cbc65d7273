"""Doctor: follows speech through everything that has to work, and finds the first link that does not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from wyoming.info import Info

from irene_wyoming.app import doctor_load, doctor_machine
from irene_wyoming.app.doctor_ears import of_command, of_word
from irene_wyoming.app.doctor_hub import of_hub
from irene_wyoming.app.doctor_settings import of_meaning, of_settings
from irene_wyoming.app.doctor_sound import of_sound
from irene_wyoming.app.findings import Level
from irene_wyoming.app.front import enabled, reachable
from irene_wyoming.app.links import Link, broken, doubtful, good
from irene_wyoming.config.model import Config
from irene_wyoming.discovery.browse import found_servers
from irene_wyoming.errors import DiscoveryError, ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import Recording

DESCRIBE_TIMEOUT_S = 3.0
"""Seconds for a server to describe itself; a hub waits for 1 to 5."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Speech that a person has recorded for the doctor."""

    recording: Recording
    took_s: float | None = None
    """Seconds that the audio took to arrive; None: it was not live."""
    expected: str | None = None
    """The spoken words; None: unknown."""


class Doctor:
    """One examination."""

    def __init__(self, config: Config, target: Address | None) -> None:
        """:param target: the server to examine; None: those of this machine's configuration."""
        self._config = config
        self._target = target
        self._infos: dict[str, Info] = {}

    async def servers(self) -> AsyncIterator[Link]:
        """Examine whether the servers answer, and have what they need."""
        local = self._target is None
        if local:
            async for link in of_settings(self._config):
                yield link
        for name, address in self._addresses().items():
            yield await self._asked(name, address)
        joined = self._joined()
        if local:  # before the models, which may have to be fetched from there
            missing = any(not name.startswith("remote: ") for name in doctor_machine.absent(joined))
            yield await doctor_machine.of_internet(self._config, missing=missing)
        if joined.wake or joined.asr:
            for link in doctor_machine.of_models(joined, self._config.wake.default_models if local else ()):
                yield link
        if local:
            async for link in self._machine():
                yield link

    async def _asked(self, name: str, address: Address) -> Link:
        """Examine whether a server answers, and keep its description."""
        if self._target is None and (secured := of_tls(name, self._config)) is not None:
            return secured
        link, info = await asked(name, address)
        if info is not None:
            self._infos[name] = info
        return link

    async def _machine(self) -> AsyncIterator[Link]:
        """Examine this machine."""
        joined = self._joined()
        words = [model.name for program in joined.wake for model in program.models]
        languages = [tag for program in joined.asr for model in program.models for tag in model.languages]
        async for link in of_meaning(self._config, words, languages):
            yield link
        for link in await asyncio.to_thread(lambda: list(doctor_machine.of_interface(self._config))):
            yield link
        yield doctor_machine.of_instances(await asyncio.to_thread(doctor_machine.running))
        for link in await asyncio.to_thread(lambda: list(doctor_load.of_load(self._config))):
            yield link
        yield await asyncio.to_thread(doctor_machine.of_disk, self._config)

    async def home(self) -> AsyncIterator[Link]:
        """Examine Home Assistant and the local network."""
        for link in await of_hub(self._config):
            yield link
        if self._target is None and self._config.discovery.zeroconf:
            yield await self._announced()

    async def word(self, spoken: Spoken, wanted: str | None = None) -> AsyncIterator[Link]:
        """Examine how a wake word is heard.

        :param wanted: name of the word; None: the first default one.
        """
        for link in await asyncio.to_thread(lambda: list(of_sound(spoken.recording, spoken.took_s))):
            yield link
            if link.level is Level.ERROR:
                return
        address = self._address("wake")
        if address is not None:
            known = [model.name for program in self._joined().wake for model in program.models]
            word = wanted or next(iter(self._config.wake.default_models))
            yield await of_word(address, spoken.recording, word, list(dict.fromkeys(known)), self._config.wake)

    async def command(self, spoken: Spoken) -> AsyncIterator[Link]:
        """Examine how a command is understood."""
        for link in await asyncio.to_thread(lambda: list(of_sound(spoken.recording, spoken.took_s))):
            if link.level is not Level.OK:
                yield link
            if link.level is Level.ERROR:
                return
        address = self._address("asr")
        if address is not None:
            yield await of_command(address, spoken.recording, spoken.expected)

    @property
    def microphone(self) -> Address | None:
        """Address of a microphone server; None: there is none."""
        if self._target is not None:
            return self._target if self._joined().mic else None
        return self._addresses().get("mic")

    def _addresses(self) -> dict[str, Address]:
        if self._target is not None:
            return {"server": self._target}
        found = {name: reachable(address) for name, address in enabled(self._config).items()}
        if self._config.front.enabled:
            found["front"] = reachable(self._config.front.address)
        return found

    def _address(self, role: str) -> Address | None:
        """Address that takes a word or a command; None: there is none."""
        if self._target is not None:
            return self._target if getattr(self._joined(), role) else None
        return self._addresses().get(role) if role in self._infos else None

    def _joined(self) -> Info:
        """The descriptions of all servers joined; the front only repeats the others'."""
        info = Info()
        for name, one in self._infos.items():
            if name != "front" or len(self._infos) == 1:
                info.wake, info.asr = [*info.wake, *one.wake], [*info.asr, *one.asr]
                info.mic = [*info.mic, *one.mic]
        return info

    async def _announced(self) -> Link:
        """Examine whether hubs find the servers by themselves."""
        wanted = {address.port for address in self._addresses().values()}
        cure = "add the servers by address in Home Assistant; multicast does not cross networks and containers"
        try:
            ports = await found_servers()
        except DiscoveryError as error:
            return doubtful("zeroconf", str(error), cure)
        if wanted & ports:
            return good("zeroconf", "the servers are announced on the local network")
        return doubtful("zeroconf", "no announcement of these servers was heard", cure)


def of_tls(name: str, config: Config) -> Link | None:
    """The link for a server that speaks TLS only and cannot be examined like a hub would; None: it does not."""
    section = getattr(config, name)
    if section.access.certificate is None:
        return None
    cure = f"set {name}.access.certificate to null, unless only satellites in other networks use this server"
    return doubtful(f"{name} server", "speaks TLS, which Home Assistant does not", cure)


async def asked(name: str, address: Address) -> tuple[Link, Info | None]:
    """Examine whether a server describes itself."""
    about = f"{name} server" if name != "server" else "server"
    try:
        info = await describe(address, DESCRIBE_TIMEOUT_S)
    except ServerUnavailable as error:
        return await refused(about, address, str(error)), None
    kinds = [kind for kind in ("wake", "asr", "mic") if getattr(info, kind)]
    return good(about, f"{address.uri} answers with {', '.join(kinds) or 'nothing'}"), info


async def refused(about: str, address: Address, error: str) -> Link:
    """The link with the reason why a server does not describe itself."""
    if "not-allowed" in error:
        cure = "add this machine's network to access.allow of that server, or show its token (IRENE_WYOMING_TOKEN)"
        return broken(about, error, cure)
    if "limit-exceeded" in error:
        cure = "see in its log who connects again and again, or raise limits.max_connections of that server"
        return broken(about, error, cure)
    if address.path:
        return broken(about, error, "start it: `irene-wyoming run`")
    if not await asyncio.to_thread(doctor_machine.is_known, address.host):
        cure = f"correct the name {address.host}, or give the machine's address in its place"
        return broken(about, f"no machine is called {address.host} here", cure)
    other = await asyncio.to_thread(doctor_machine.of_port, address.host, address.port)
    if other:
        cure = f"stop the other program at port {address.port}, or give this server another port"
        return broken(about, f"{address.uri} is taken by a program that does not speak Wyoming", cure)
    return broken(about, error, "start it: `irene-wyoming run`; if it runs, its log says why this server does not")
