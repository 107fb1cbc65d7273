"""WakeService and Listener: what the conversations with a wake server share, and who listens."""

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


def nothing(_seconds: float) -> None:
    """Ignore dropped audio: the default."""


def no_phrase(_word: str) -> Phrase | None:
    """The phrase of no word is known: the default."""
    return None


@dataclass(frozen=True, slots=True)
class WakeService:
    """What all conversations with one wake server share."""

    programs: Mapping[str, WakeEngine]
    """Engines by program name; the first is used where a client selects none."""
    default_models: Sequence[str]
    """Words to listen for where a client names none, if the program has them."""
    profile: AudioProfile
    quality: str | AdaptivePolicy
    worker: Worker
    satellites: Satellites
    max_lag_s: float = 3.0
    """Seconds after which waiting audio of a live stream is dropped."""
    dropped: Callable[[float], None] = nothing
    """Called with the seconds of audio that were dropped."""
    second: SecondLook | None = None
    """Takes second looks at proposed words; None: there are none."""
    verify: Verify = "off"
    """The words on which it decides, unless set otherwise for a word or satellite."""
    phrases: Callable[[str], Phrase | None] = no_phrase
    """Gives the phrase that a second look looks for; None: it cannot judge the word."""
    arbitration: Arbitration = field(default_factory=lambda: Arbitration(0.0))
    """Chooses which of several satellites that hear one word answers."""
    typed: frozenset[str] = frozenset()
    """Typed words, which the second look hears."""
    only_typed: frozenset[str] = frozenset()
    """Typed words that no model hears."""

    def verified(self, word: str, wanted: Verify | None) -> bool:
        """Whether a second look decides on a word.

        :param wanted: the setting for the word and the satellite; None: there is none.
        """
        verify = self.verify if wanted is None else wanted
        if verify == "off" or word in self.only_typed:
            return False
        phrase = self.phrases(word)
        return phrase is not None and (phrase.known or verify == "on")


@dataclass(frozen=True, slots=True)
class Listener:
    """A client that listens, and its words."""

    asked: Mapping[str, str]
    """The client's name of each model. Empty: it named none."""
    host: str
    """The client's address; empty for a unix socket."""
    satellite: str | None = None
    """The name that the satellite gives itself."""
    wants_peak: bool = False
    """Whether it wants a word's highest score afterwards rather than a detection at once."""

    @property
    def caller(self) -> str:
        """The client's name in the log."""
        return self.satellite or self.host or "unix socket"

    def asking(self, models: Sequence[str]) -> "Listener":
        """Give this listener with other models."""
        return replace(self, asked={model: model for model in models})
