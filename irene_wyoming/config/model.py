"""The whole configuration: frozen, complete, checked. Large sections have modules of their own."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Literal, Self, get_args
from urllib.parse import urlsplit

from irene_wyoming.checks import (
    Wrong,
    boolean,
    host,
    number,
    one_of,
    or_null,
    path,
    secret_path,
    setting,
    short_text,
    web_address,
)
from irene_wyoming.config.asr import AsrConfig
from irene_wyoming.config.checks import PORT, Network, home_url, networks
from irene_wyoming.config.mic import MicConfig
from irene_wyoming.config.profiles import NAMES
from irene_wyoming.config.server import MAX_WAIT_S, ListeningConfig
from irene_wyoming.config.wake import WakeConfig
from irene_wyoming.wire.address import Address

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]

MAX_NAME_BYTES = 40
"""Most bytes of a name in UTF-8. mDNS allows 63; the rest tells the servers of one machine apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontConfig(ListeningConfig):
    """The address that stands for all servers."""


@dataclass(frozen=True, slots=True)
class DiscoveryConfig:
    zeroconf: bool = setting(boolean)
    name: str = setting(short_text(MAX_NAME_BYTES))
    """The name that hubs show; empty: Irene and the host's name."""


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """The HTTP address of metrics and health."""

    enabled: bool = setting(boolean)
    host: str = setting(host)
    port: int = setting(PORT)
    token_file: Path | None = setting(or_null(secret_path), default=None)
    """File with a token; its bearer may drain the program from another machine. None: only this machine may."""

    @property
    def address(self) -> Address:
        return Address(self.host, self.port)


@dataclass(frozen=True, slots=True)
class HomeConfig:
    """The source of the names of rooms and things."""

    enabled: bool = setting(boolean)
    url: str | None = setting(or_null(home_url))
    """Address of Home Assistant. None: the one of this add-on, where it is one."""
    token_file: Path | None = setting(or_null(secret_path))

    def settled(self) -> Self:
        """Check the section; raises Wrong where the address or the token is missing."""
        if self.url is not None and self.token_file is None:
            raise Wrong("expected a file with a long-lived access token, since home.url is set", ("token_file",))
        if self.url is None and self.token_file is not None:
            raise Wrong("expected an address, since home.token_file is set", ("url",))
        return self


@dataclass(frozen=True, slots=True)
class WebConfig:
    """The page in a browser."""

    enabled: bool = setting(boolean)
    host: str = setting(host)
    port: int = setting(PORT)
    allow: tuple[Network, ...] = setting(networks)
    """Networks that browsers may come from, besides this machine and Home Assistant's ingress."""
    token_file: Path | None = setting(or_null(secret_path))
    """File with the token that visitors must show, except through Home Assistant's ingress. None: no token."""
    read_only: bool = setting(boolean)

    @property
    def address(self) -> Address:
        return Address(self.host, self.port)

    def settled(self) -> Self:
        """Check the section; raises Wrong where other machines could open the page without a token."""
        if self.allow and self.token_file is None:
            raise Wrong("expected a file with a token, since web.allow lets other machines in", ("token_file",))
        return self


@dataclass(frozen=True, slots=True)
class ModelsConfig:
    """Where speech-to-text models come from."""

    fetch: bool = setting(boolean)
    """Whether the server fetches a configured model that is missing."""
    catalogue: Path | None = setting(or_null(path))
    """A file of models that is laid over the packaged catalogue."""
    mirror: str | None = setting(or_null(web_address))
    """Address that replaces every host of the catalogue."""


@dataclass(frozen=True, slots=True)
class SuperviseConfig:
    """How ``run`` supervises its servers."""

    restart_delay_s: float = setting(number("seconds", 0.1, MAX_WAIT_S))
    """Seconds before the first restart; doubled with each further one up to restart_delay_max_s."""
    restart_delay_max_s: float = setting(number("seconds", 0.1, MAX_WAIT_S))
    healthy_after_s: float = setting(number("seconds", 0.1, 86_400))
    """Seconds of life after which a server's next restart waits restart_delay_s again."""
    drain_s: float = setting(number("seconds", 0, 600))
    """Seconds that conversations get to end by themselves, after SIGTERM and ``notice_s``."""
    stop_timeout_s: float = setting(number("seconds", 0.1, 600))
    """Seconds from SIGTERM to SIGKILL."""
    hang_s: float = setting(number("seconds", 5, MAX_WAIT_S), default=30.0)
    """Seconds without a sign of life after which a server is killed and restarted."""
    notice_s: float = setting(number("seconds", 0, 600), default=0.0)
    """Seconds after SIGTERM in which new conversations are still taken, until a proxy notices the stop."""

    def settled(self) -> Self:
        """Check the section; raises Wrong where two times contradict each other."""
        if self.restart_delay_max_s < self.restart_delay_s:
            raise Wrong("expected no less than restart_delay_s", ("restart_delay_max_s",))
        if self.notice_s + self.drain_s > self.stop_timeout_s - 0.5:
            raise Wrong("expected, with notice_s, at least 0.5 s less than stop_timeout_s", ("drain_s",))
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    log_level: LogLevel = setting(one_of(get_args(LogLevel)))
    log_format: LogFormat = setting(one_of(get_args(LogFormat)))
    data_dir: Path | None = setting(or_null(path))
    hardware: str = setting(one_of(NAMES))
    """The profile from which the defaults come, never auto."""
    wake: WakeConfig
    asr: AsrConfig
    mic: MicConfig
    models: ModelsConfig
    front: FrontConfig
    discovery: DiscoveryConfig
    home: HomeConfig
    web: WebConfig
    metrics: MetricsConfig
    supervise: SuperviseConfig
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """Warnings for the log about valid but doubtful settings."""
    household: bool = False
    """Whether the settings are an add-on's options, so that messages use the options' names (``addon.told``)."""

    def settled(self) -> Self:
        """Check the whole; raises Wrong where sections contradict each other, such as two servers at one address."""
        recordings = self.wake.recordings
        if recordings.enabled and recordings.folder is None and self.data_dir is None:
            raise Wrong("expected a folder, since there is no data_dir", ("wake", "recordings", "folder"))
        for (first, one), (second, other) in combinations(self._listening(), 2):
            if _collide(one, other):
                raise Wrong(f"{other.uri} is taken by {first}; expected an address of its own", (second,))
        if self.asr.enabled and any(map(self._is_here, self._asked())):
            path = ("asr", "providers", "remote", "uri")
            raise Wrong("is this program itself; expected the address of another one", path)
        return self

    def _asked(self) -> Sequence[str]:
        """Addresses of the other machines that transcribe for this one."""
        remote = self.asr.providers.get("remote")
        asked = remote.options.get("uri") or () if remote is not None and remote.enabled else ()
        return (asked,) if isinstance(asked, str) else asked

    def _is_here(self, uri: str) -> bool:
        """Whether such a request would come back to this program, which would ask again."""
        parts = urlsplit(uri)
        ports = {server.address.port for server in (self.asr, self.front) if server.enabled}
        return parts.port in ports and parts.hostname in (*HERE, socket.gethostname().lower())

    def _listening(self) -> list[tuple[str, Address]]:
        """All addresses at which servers listen, each with its section."""
        servers: Mapping[str, ListeningConfig | MetricsConfig | WebConfig] = {
            "wake": self.wake,
            "asr": self.asr,
            "mic": self.mic,
            "front": self.front,
            "metrics": self.metrics,
            "web": self.web,
        }
        listening = [(name, server.address) for name, server in servers.items() if server.enabled]
        further = [("mic", output.address) for output in self.mic.outputs[1:]]
        return [*listening, *further] if self.mic.enabled else listening


HERE = ("127.0.0.1", "::1", "0.0.0.0", "::", "localhost")
"""Host names that always mean this machine."""


def _collide(one: Address, other: Address) -> bool:
    if one.path or other.path:
        return one.path == other.path
    everywhere = {"0.0.0.0", "::"}
    return one.port == other.port != 0 and (one.host == other.host or bool(everywhere & {one.host, other.host}))
