"""Who listens to a wake server, and what all who do share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.config.server import AudioProfile
from irene_wyoming.engines.base import Verify, WakeEngine
from irene_wyoming.engines.wake.second import SecondLook
from irene_wyoming.engines.wake.spellings import Phrase
from irene_wyoming.engines.worker import Worker
from irene_wyoming.servers.arbitration import Arbitration
from irene_wyoming.servers.satellites import Satellites


def no_phrase(_word: str) -> Phrase | None:
    """Nobody knows how any word is spelled."""
    return None


@dataclass(frozen=True, slots=True)
class WakeService:
    """What all conversations with one wake server share."""

    programs: Mapping[str, WakeEngine]
    """By name; the first is used where a client selects none."""
    default_models: Sequence[str]
    """Words to listen for where a client names none; those that the program has."""
    profile: AudioProfile
    quality: str | AdaptivePolicy
    worker: Worker
    satellites: Satellites
    max_lag_s: float = 3.0
    """Audio of a live stream that waits for longer is dropped."""
    second: SecondLook | None = None
    """Decides on proposed words; None: nobody does."""
    verify: Verify = "off"
    """For which words it does, where nothing else is set for a word or satellite."""
    phrases: Callable[[str], Phrase | None] = no_phrase
    """What it is to look for, by word; None: it cannot judge this word."""
    arbitration: Arbitration = field(default_factory=lambda: Arbitration(0.0))
    """Who answers where several satellites hear one word."""
    typed: frozenset[str] = frozenset()
    """Words that are only typed: it hears them."""
    only_typed: frozenset[str] = frozenset()
    """Typed words that no model hears."""

    def verified(self, word: str, wanted: Verify | None) -> bool:
        """Whether a second look decides on a word.

        :param wanted: as it is set for the word and the satellite; None: not at all.
        """
        verify = self.verify if wanted is None else wanted
        if verify == "off" or word in self.only_typed:
            return False
        phrase = self.phrases(word)
        return phrase is not None and (phrase.known or verify == "on")


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens, and for what."""

    asked: Mapping[str, str]
    """By model: what the client calls it. Empty: it named none."""
    host: str
    """The address that it connects from; empty for a unix socket."""
    satellite: str | None = None
    """What it calls itself."""
    wants_peak: bool = False
    """It would rather know how high a word scored in the end than hear of it at once."""

    @property
    def caller(self) -> str:
        """Whom the log names."""
        return self.satellite or self.host or "unix socket"

    def asking(self, models: Sequence[str]) -> "Listener":
        """The same one, asking for these models."""
        return replace(self, asked={model: model for model in models})
