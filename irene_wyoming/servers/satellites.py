"""Satellites: finds the settings for one conversation with the wake server. Pure."""

import ipaddress
from collections.abc import Mapping, Sequence

from irene_wyoming.config.wake import SatelliteConfig
from irene_wyoming.engines.base import WakeSettings
from irene_wyoming.engines.wake.names import folded

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Satellites:
    """Settings per word, and per satellite, known by the name that it gives or the address it connects from.

    The most specific value wins: the satellite's own value for the word, then its value for all words, then the word's
    value for all satellites, and last the engine's default.
    """

    def __init__(self, models: Mapping[str, WakeSettings], satellites: Mapping[str, SatelliteConfig]) -> None:
        """:param satellites: by address, by network such as 192.168.1.0/24, or by name."""
        self.revision = 0
        """A number that rises with each change."""
        self._set(models, satellites)

    def change(self, models: Mapping[str, WakeSettings], satellites: Mapping[str, SatelliteConfig]) -> None:
        """Replace all settings, as for a new object."""
        self.revision += 1
        self._set(models, satellites)

    def _set(self, models: Mapping[str, WakeSettings], satellites: Mapping[str, SatelliteConfig]) -> None:
        self._models = models
        self._named: dict[str, SatelliteConfig] = {}
        self._networks: list[tuple[Network, SatelliteConfig]] = []
        for key, satellite in satellites.items():
            try:
                self._networks.append((ipaddress.ip_network(key, strict=False), satellite))
            except ValueError:
                self._named[key] = satellite
        self._networks.sort(key=lambda known: known[0].prefixlen, reverse=True)  # the smallest network first

    def settings(self, words: Sequence[str], host: str, name: str | None = None) -> dict[str, WakeSettings]:
        """The settings of these words, by word; words without settings are left out.

        :param host: the address that the satellite connects from; empty for a unix socket.
        :param name: the satellite's own name, if it gives one.
        """
        satellite = self._of(host, name)
        found = {}
        for word in words:
            settings = _of_word(self._models, word)
            if satellite is not None:
                settings = _of_word(satellite.models, word).over(satellite.settings).over(settings)
            if settings != WakeSettings():
                found[word] = settings
        return found

    def _of(self, host: str, name: str | None) -> SatelliteConfig | None:
        if name is not None and name in self._named:
            return self._named[name]
        if not host or not self._networks:
            return None
        address = ipaddress.ip_address(host.partition("%")[0])  # without the interface of a link-local address
        if address.version == 6 and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return next((satellite for network, satellite in self._networks if address in network), None)


def _of_word(models: Mapping[str, WakeSettings], word: str) -> WakeSettings:
    """The settings of a word, under its name or another spelling of it."""
    if word in models or not models:
        return models.get(word, WakeSettings())
    wanted = folded(word)
    return next((settings for name, settings in models.items() if folded(name) == wanted), WakeSettings())


def strict(settings: WakeSettings | None) -> bool:
    """Whether a user has set what a word must reach: then nothing below it is proposed."""
    if settings is None:
        return False
    return any(value is not None for value in (settings.threshold, settings.trigger_level, settings.min_level_dbfs))
