"""The section ``wake`` of the configuration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Self

from irene_wyoming.checks import (
    Fault,
    Wrong,
    boolean,
    list_of,
    mapping_of,
    number,
    one_of,
    or_null,
    path,
    setting,
    text,
    whole,
)
from irene_wyoming.config.section import checked, flat
from irene_wyoming.config.server import ProviderConfig, ServerConfig, fallbacks
from irene_wyoming.engines.base import VERIFY, Verify, WakeSettings

MAX_TYPED = 40
"""Most characters of a typed word: longer phrases are no wake words."""


def typed_word(value: Any) -> str:
    """Check a typed word: letters, blanks and apostrophes, which the recogniser can write."""
    said = " ".join(text(value).split())
    letters = said.replace("'", "").replace(" ", "")
    if not 0 < len(said) <= MAX_TYPED or not letters.isascii() or not letters.isalpha():
        raise Wrong(f"expected one to three English words as they are said, of up to {MAX_TYPED} letters")
    return said


WORDS = mapping_of(checked(WakeSettings), what="the name of a wake word")


_LIKE_AN_ADDRESS = re.compile(r"[\d./]*\d\.[\d./]*|[0-9a-fA-F:./]*:[0-9a-fA-F:./]*:[0-9a-fA-F:./]*")


def satellites(value: Any) -> Mapping[str, "SatelliteConfig"]:
    """Check the settings of satellites by address, network or name. A key that looks like an address must be one."""
    checked_all: Mapping[str, SatelliteConfig] = mapping_of(
        checked(SatelliteConfig), what="a satellite's address, network or name"
    )(value)
    faults: list[Fault] = []
    for name in checked_all:
        if _LIKE_AN_ADDRESS.fullmatch(name):
            try:
                ip_network(name, strict=False)
            except ValueError:
                faults.append(Fault((name,), "expected an address or a network, such as 192.168.1.20", shown=False))
    if faults:
        raise Wrong(faults=tuple(faults))
    return checked_all


@dataclass(frozen=True, slots=True)
class SatelliteConfig:
    """Settings of one satellite's words, where they differ from those of all."""

    settings: WakeSettings = flat()
    """Settings for every word of the satellite."""
    models: Mapping[str, WakeSettings] = setting(WORDS, default={})
    """Settings for some words of the satellite; they win over ``settings``."""


@dataclass(frozen=True, slots=True)
class RecordingsConfig:
    """Recordings of wake words that were heard or nearly heard."""

    enabled: bool = setting(boolean)
    folder: Path | None = setting(or_null(path))
    """The folder for recordings; None: one in the data folder."""
    near_miss_threshold: float | None = setting(or_null(number("a score", 0.001, 1)))
    """Least score, 0 to 1, of a near miss that is recorded; None: none is."""
    seconds_before: float = setting(number("seconds", 1, 60))
    max_files: int = setting(whole("a number of recordings", 1, 10_000))
    max_bytes: int = setting(whole("a number of bytes", 10_000_000, 10_000_000_000))
    words: tuple[str, ...] | None = setting(or_null(list_of(text, what="null or a list of wake words")))
    """The words that are recorded; None: all."""

    def place(self, data_dir: Path | None) -> Path | None:
        """The folder for recordings; None: neither it nor the data folder is set."""
        return self.folder or (None if data_dir is None else data_dir / "wake" / "recordings")


@dataclass(frozen=True, slots=True)
class ArbitrationConfig:
    """Which of several satellites that hear a word answers."""

    window_ms: int = setting(whole("milliseconds", 0, 2_000))
    """Milliseconds to wait for other satellites; 0: all answer."""
    always: bool = setting(boolean)
    """Whether to wait also for words that one satellite alone has heard within a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeConfig(ServerConfig):
    default_models: tuple[str, ...] = setting(list_of(text, what="a list of at least one wake word", at_least=1))
    """Words to listen for when a client names none."""
    licence: Literal["any", "commercial"] = setting(one_of(("any", "commercial")))
    """Whether packaged words are offered that may not be used commercially."""
    models: Mapping[str, WakeSettings] = setting(WORDS)
    """Settings of words for every satellite."""
    satellites: Mapping[str, SatelliteConfig] = setting(satellites)
    """Settings of satellites by address, network or name."""
    idle_gate: bool = setting(boolean)
    """Whether an engine rests while the sound does not change."""
    verify: Verify = setting(VERIFY)
    """Whether a speech recogniser decides, too."""
    first_stage: Literal["one", "either"] = setting(one_of(("one", "either")))
    """Which engines propose a word for a second look."""
    typed: tuple[str, ...] = setting(list_of(typed_word, what="a list of words or short phrases"))
    """Words without a model, which the recogniser alone hears."""
    max_lag_s: float = setting(number("seconds", 1, 60))
    """Seconds of waiting after which audio of a live stream is dropped."""
    arbitration: ArbitrationConfig
    recordings: RecordingsConfig
    providers: Mapping[str, ProviderConfig]
    default_provider: str = setting(text)
    fallback_providers: tuple[str, ...] = setting(or_null(list_of(text, what="null or a list of providers")))
    """Providers to ask after the default one. Null in the file stands for all others that are enabled."""

    def settled(self) -> Self:
        """Fill in the address and the providers to ask after the default one."""
        after = fallbacks("wake", self.providers, self.default_provider, self.fallback_providers)
        return replace(ServerConfig.settled(self), fallback_providers=after)
