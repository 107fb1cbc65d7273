"""Settings that all servers' sections have in common."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from irene_wyoming.audio.format import Mix, method_names
from irene_wyoming.checks import Fault, Keys, Wrong, boolean, host, one_of, or_null, path, secret_path, setting
from irene_wyoming.config.checks import CHANNELS, CHUNK_SIZE, PORT, RATE, Network, mix, networks, permissions, uri
from irene_wyoming.config.section import flat
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.limits import Limits

MAX_WAIT_S = 3600


@dataclass(frozen=True, slots=True)
class Access:
    """Who may connect to one server, and how."""

    allow: tuple[Network, ...] = setting(networks)
    """Networks that clients may connect from, besides this machine itself."""
    proxies: tuple[Network, ...] = setting(networks)
    """Networks of proxies that send the PROXY protocol's header; the client is whom they name."""
    socket_mode: int = setting(permissions)
    """Permissions of a unix socket."""
    certificate: Path | None = setting(or_null(path))
    """Certificate in PEM with its chain; the server then speaks TLS only. None: no TLS."""
    key: Path | None = setting(or_null(path))
    """Private key in PEM; None: it is in the certificate's file."""
    token_file: Path | None = setting(or_null(secret_path))
    """File with a token; its bearer may connect from anywhere. None: only ``allow`` counts."""

    def settled(self) -> Self:
        """Check the section; raises Wrong for a key without a certificate."""
        if self.key is not None and self.certificate is None:
            raise Wrong("expected a certificate that belongs to the key", ("certificate",))
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningConfig:
    """An address at which a server listens for Wyoming clients."""

    enabled: bool = setting(boolean)
    host: str = setting(host)
    port: int = setting(PORT)
    uri: Address | None = setting(or_null(uri))
    """The address as a URI; it wins over host and port."""
    limits: Limits
    access: Access
    address: Address = Address()
    """The address that follows from host, port, uri and access."""

    def settled(self) -> Self:
        """Fill in the address; raises Wrong where TLS is asked for without a certificate."""
        return replace(self, address=secured(self.uri or Address(self.host, self.port), self.access))


@dataclass(frozen=True, slots=True)
class AudioProfile:
    """How a server treats audio that it receives (wake, ASR) or sends (mic)."""

    sample_rate: int = setting(RATE)
    """Sample rate, Hz."""
    channels: int = setting(CHANNELS)
    resample_quality: str = setting(one_of(method_names()))
    """A quality level, or the name of another method."""
    mix: Mix = setting(mix)
    """How several channels become one."""
    allow_resampling: bool = setting(boolean)
    """Whether other formats are converted. False: they are refused."""
    strict_validation: bool = setting(boolean)
    """True: audio that contradicts its audio-start or cuts a frame is refused. False: it is used as far as possible."""
    chunk_size: int = setting(CHUNK_SIZE)
    """Frames: wake and ASR give an engine at most this many at a time; mic sends this many per chunk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig(ListeningConfig):
    """Settings of a server: its address, audio and access."""

    audio: AudioProfile = flat()


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """One engine: whether it is used, and its options with every default filled in."""

    enabled: bool = setting(boolean, default=True)
    """Whether the engine is used: by default if it is written in the configuration."""
    options: Mapping[str, Any] = field(default_factory=dict)


def secured(plain: Address, access: Access) -> Address:
    """Add TLS to an address where there is a certificate; a unix socket needs none.

    :raises Wrong: the address asks for TLS without a certificate.
    """
    if access.certificate is None:
        if plain.tls:
            raise Wrong("expected a certificate, since uri is tls://", ("access", "certificate"))
        return plain
    return plain if plain.path else replace(plain, tls=True, trust=access.certificate)


def fallbacks(
    section: str,
    providers: Mapping[str, ProviderConfig],
    default: str,
    named: Iterable[str] | None,
    choices: Iterable[str] = (),
) -> tuple[str, ...]:
    """The providers to ask after ``default``, each once.

    :param section: name of their section, for messages.
    :param named: the configured ones; None: all others that are enabled.
    :param choices: what an unknown one is told to choose from; empty: those that are enabled.
    :raises Wrong: a named provider or the default one is not enabled.
    """
    enabled = [name for name, provider in providers.items() if provider.enabled]
    problem = f"expected an enabled provider: {', '.join(enabled)}" if enabled else "no provider is enabled"
    asked: list[tuple[str, Keys]] = [(default, ("default_provider",))]
    asked += [(name, ("fallback_providers", index)) for index, name in enumerate(named or ())]

    def told(name: str, key: str) -> str:
        if name in providers:
            return f"{problem}; set {section}.providers.{name}.enabled: true to use it"
        allowed = [choice for choice in choices if choice in providers or key == "default_provider"]
        return f"expected one of {', '.join(allowed)}" if allowed else problem

    wrong = tuple(Fault(path, told(name, path[0])) for name, path in asked if name not in enabled)
    if wrong:
        raise Wrong(faults=wrong)
    order = dict.fromkeys(enabled if named is None else named)
    return tuple(name for name in order if name != default)
