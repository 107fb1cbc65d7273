"""What the servers' sections of the configuration have in common."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from irene_wyoming.audio.format import Mix, method_names
from irene_wyoming.checks import Fault, Keys, Wrong, boolean, host, one_of, or_null, path, setting
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
    """Of proxies that put the PROXY protocol's header before each connection; whom they name is the client."""
    socket_mode: int = setting(permissions)
    """Permissions of a unix socket."""
    certificate: Path | None = setting(or_null(path))
    """PEM, with the chain up to its authority; the server then speaks TLS and nothing else. None: no TLS."""
    key: Path | None = setting(or_null(path))
    """PEM; None: it is in the certificate's file."""
    token_file: Path | None = setting(or_null(path))
    """Whoever shows the token in it may connect from anywhere. None: nobody may, but from ``allow``."""

    def settled(self) -> Self:
        """:raises Wrong: a key without a certificate."""
        if self.key is not None and self.certificate is None:
            raise Wrong("expected a certificate that belongs to the key", ("certificate",))
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningConfig:
    """Whatever listens for Wyoming clients."""

    enabled: bool = setting(boolean)
    host: str = setting(host)
    port: int = setting(PORT)
    uri: Address | None = setting(or_null(uri))
    """Wins over host and port."""
    limits: Limits
    access: Access
    address: Address = Address()
    """What comes of host, port, uri and access."""

    def settled(self) -> Self:
        """With its address. :raises Wrong: TLS is asked for without a certificate."""
        return replace(self, address=secured(self.uri or Address(self.host, self.port), self.access))


@dataclass(frozen=True, slots=True)
class AudioProfile:
    """How a server treats the audio that it is sent (wake, ASR) or sends (mic)."""

    sample_rate: int = setting(RATE)
    """Hz."""
    channels: int = setting(CHANNELS)
    resample_quality: str = setting(one_of(method_names()))
    """A quality level, or the name of another method."""
    mix: Mix = setting(mix)
    """How several channels become one."""
    allow_resampling: bool = setting(boolean)
    """False: audio of any other format than the server's own is refused."""
    strict_validation: bool = setting(boolean)
    """True: audio that contradicts its audio-start, or cuts a frame in two, is refused; False: made the best of."""
    chunk_size: int = setting(CHUNK_SIZE)
    """Frames: wake and ASR hand at most so many to an engine at a time; mic sends so many per chunk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig(ListeningConfig):
    """What the three servers have in common."""

    audio: AudioProfile = flat()


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """One engine: whether it is used, and its options with every default filled in."""

    enabled: bool = setting(boolean, default=True)
    """An engine that is written down is on; one that is not is off."""
    options: Mapping[str, Any] = field(default_factory=dict)


def secured(plain: Address, access: Access) -> Address:
    """The address with TLS where there is a certificate; a unix socket leaves nothing to protect.

    :raises Wrong: it asks for TLS, and there is no certificate.
    """
    if access.certificate is None:
        if plain.tls:
            raise Wrong("expected a certificate, since uri is tls://", ("access", "certificate"))
        return plain
    return plain if plain.path else replace(plain, tls=True, trust=access.certificate)


def fallbacks(
    section: str, providers: Mapping[str, ProviderConfig], default: str, named: Iterable[str] | None
) -> tuple[str, ...]:
    """Who comes after the provider ``default``, each once.

    :param section: theirs, for what is told to a user.
    :param named: as configured; None: every other that is enabled.
    :raises Wrong: one of them, or the default one, is not enabled.
    """
    enabled = [name for name, provider in providers.items() if provider.enabled]
    problem = f"expected an enabled provider: {', '.join(enabled)}" if enabled else "no provider is enabled"
    asked: list[tuple[str, Keys]] = [(default, ("default_provider",))]
    asked += [(name, ("fallback_providers", index)) for index, name in enumerate(named or ())]
    wrong = tuple(
        Fault(
            path, f"{problem}; set {section}.providers.{name}.enabled: true to use it" if name in providers else problem
        )
        for name, path in asked
        if name not in enabled
    )
    if wrong:
        raise Wrong(faults=wrong)
    order = dict.fromkeys(enabled if named is None else named)
    return tuple(name for name in order if name != default)
