"""Library: a user's own models for one engine, judged when their files change and offered while they work."""

import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.base import NO_SETTINGS, ModelInfo, OnScore, WakeSettings
from irene_wyoming.engines.wake.folders import Folders, Stamp
from irene_wyoming.engines.wake.probe import probe
from irene_wyoming.engines.wake.session import ScoreStream, Session
from irene_wyoming.engines.wake.trigger import TriggerSettings
from irene_wyoming.engines.wake.words import chosen
from irene_wyoming.errors import EngineFailed

P = TypeVar("P")

log = logging.getLogger(__name__)

MAX_BYTES = 64 << 20
"""Most bytes of an engine's own models together, since they are kept in memory: hundreds of usual ones."""

MAX_WORDS = 240
"""Most own words for one engine. Each becomes up to 1 kB of every description, of which a hub takes 256 kB. A client
may ask for all words of all engines at once, which limits how many names a request may have: ``wire.MAX_NAMES``.
"""

MAX_VERDICTS = 1000
"""Most verdicts kept, so that a moved file need not be tried out again."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnModel:
    """A user's own model, read from its file. Compared by identity: a replaced file is another model."""

    info: ModelInfo
    files: tuple[Path, ...]
    """The file that was found first, then those that belong to it."""
    content: bytes = field(repr=False)
    """Content of the model file. This tested content is run, whatever happens to the file."""
    trial: str
    """``MODULE:FUNCTION`` of the engine that tests it, see ``trials``."""
    cutoff: float
    """The threshold that it recommends."""
    sliding_window: int = 1
    """Number of probabilities in a mean (microWakeWord)."""
    step_ms: int | None = 10
    """Milliseconds between two rows of features (microWakeWord); None: the model's input shows it."""


Reader = Callable[[Path], OwnModel | None]
"""Reads a file and its companions; None: it belongs to another file. Raises EngineFailed with a reason."""


@dataclass(slots=True)
class Judged:
    """The judgement of one file."""

    stamps: Mapping[Path, Stamp]
    """Stamps of the files behind the judgement. When one changes, the file is judged again."""
    model: OwnModel | None = None
    """The model; None: there is none, or it belongs to another file."""
    reason: str | None = None
    """The reason for a refusal; None: it is not refused."""
    before: OwnModel | None = None
    """The former model of the file, offered while the refused file may still be being written."""

    @property
    def offered(self) -> OwnModel | None:
        return self.model if self.reason is None else self.before


class Library:
    """The working models in some folders, by name.

    ``refresh`` is slow and may run on another thread, one caller at a time; ``models`` is replaced as a whole.
    """

    def __init__(self, engine: str, folders: Folders, read: Reader) -> None:
        self.models: Mapping[str, OwnModel] = {}
        self.refused: Mapping[Path, str] = {}
        """Useless files, with the reasons."""
        self._engine = engine
        self._folders = folders
        self._read = read
        self._stamps: dict[Path, Stamp] | None = None  # None before the first look
        self._judged: dict[Path, Judged] = {}
        self._verdicts: dict[bytes, str | None] = {}

    def refresh(self) -> bool:
        """Look again; returns whether other models are offered than before.

        A file is refused at the second look at which it has not changed, since it may be being copied. The very first
        look has nothing to compare with and refuses at once.
        """
        stamps = self._folders.scan()
        settled = self._stamps is None or stamps == self._stamps
        if stamps != self._stamps:
            self._judge(stamps)
            self._try_out()
            self._choose()
        self._stamps = stamps
        if settled:
            self._refuse()
        models = {model.info.name: model for judged in self._judged.values() if (model := judged.offered)}
        self._tell(models)
        changed = models != self.models
        self.models = models
        return changed

    def _judge(self, stamps: Mapping[Path, Stamp]) -> None:
        """Read new and changed files."""
        before, self._judged = self._judged, {}
        for path in stamps:
            known = before.get(path)
            if known is None or any(stamps.get(file) != stamp for file, stamp in known.stamps.items()):
                self._judged[path] = self._look(path, stamps, known.offered if known else None)
            elif known.reason is not None:
                self._judged[path] = self._look(path, stamps, known.before)  # its missing companion may exist now
            else:
                self._judged[path] = known
        used = {file for judged in self._judged.values() if judged.model for file in judged.model.files[1:]}
        self._judged |= {path: Judged(stamps) for path in used & self._judged.keys()}

    def _look(self, path: Path, stamps: Mapping[Path, Stamp], before: OwnModel | None) -> Judged:
        try:
            model = self._read(path)
        except EngineFailed as error:
            return Judged(stamps, reason=str(error).removeprefix(f"{path}: "), before=before)
        if model is None:
            return Judged(stamps)
        return Judged({file: stamps[file] for file in model.files if file in stamps}, model, before=before)

    def _try_out(self) -> None:
        """Test the untested models in a child process."""
        waiting: dict[str, dict[bytes, bytes]] = {}
        fingerprints: list[tuple[Judged, bytes]] = []
        for judged in self._judged.values():
            if judged.model is not None and judged.reason is None:
                digest = hashlib.sha256(judged.model.trial.encode() + judged.model.content).digest()
                fingerprints.append((judged, digest))
                if digest not in self._verdicts:
                    waiting.setdefault(judged.model.trial, {})[digest] = judged.model.content
        while len(self._verdicts) > MAX_VERDICTS:
            del self._verdicts[next(iter(self._verdicts))]
        for trial, contents in waiting.items():
            self._verdicts |= dict(zip(contents, probe(trial, list(contents.values())), strict=True))
        for judged, digest in fingerprints:
            judged.reason = self._verdicts[digest]

    def _choose(self) -> None:
        """Choose one model per name, the first, within the limits of memory and words."""
        taken: dict[str, Path] = {}
        size = 0
        for path, judged in self._judged.items():
            model = judged.offered
            if model is None:
                continue
            size += len(model.content)
            first = taken.setdefault(model.info.name, path)
            if first != path:
                judged.reason = f"its name {model.info.name} is taken by {first}"
            elif len(taken) > MAX_WORDS:
                judged.reason = f"more than {MAX_WORDS} words of your own; remove some"
            elif size > MAX_BYTES:
                judged.reason = f"more than {MAX_BYTES >> 20} MB of models of your own, which are kept in memory"
            else:
                continue
            judged.before = None

    def _refuse(self) -> None:
        """Log once for each useless file why it is useless, and stop offering its model."""
        refused = {path: judged.reason for path, judged in self._judged.items() if judged.reason is not None}
        for path in refused:
            self._judged[path].before = None
        refused |= self._folders.unreadable
        for path, reason in refused.items():
            if self.refused.get(path) != reason:
                log.warning("wake: %s: %s is not used: %s", self._engine, path, reason)
        self.refused = refused

    def _tell(self, models: Mapping[str, OwnModel]) -> None:
        for name in models.keys() - self.models.keys():
            log.info("wake: %s: %s is offered, from %s", self._engine, name, models[name].files[0])
        for name in models.keys() & self.models.keys():
            if models[name] is not self.models[name]:
                log.info("wake: %s: %s has changed, from %s", self._engine, name, models[name].files[0])
        for name in self.models.keys() - models.keys():
            log.info("wake: %s: %s is gone", self._engine, name)


class LibraryEngine(ABC, Generic[P]):
    """The base of engines with packaged words to which users can add models. It is Watched.

    :param packaged: the package's own words, by name.
    :param library: the user's models, which win over packaged ones of the same name.
    :param cutoff: the threshold that the models' author recommends, where a model has none of its own.
    """

    name: str
    format: AudioFormat = SPEECH

    def __init__(
        self, packaged: Mapping[str, P], library: Library, settings: TriggerSettings, cutoff: float = 1.0
    ) -> None:
        self._packaged = packaged
        self._library = library
        self._settings = settings
        self._cutoff = cutoff
        self._closed = False
        self._words: Mapping[str, P | OwnModel] = packaged
        """The words, replaced as a whole, on another thread than the sessions'."""
        self.refresh()

    @property
    def refused(self) -> Mapping[Path, str]:
        return self._library.refused

    def refresh(self) -> bool:
        if not self._library.refresh():
            return False
        self._words = {**self._packaged, **self._library.models}
        return True

    def session(
        self,
        models: Sequence[str],
        settings: Mapping[str, WakeSettings] = NO_SETTINGS,
        on_score: OnScore | None = None,
    ) -> Session:
        """Open a session; raises EngineFailed where a word's model does not work, or the engine is closed."""
        if self._closed:
            raise EngineFailed(f"{self.name} is closed")
        known = self._words
        words = {word: known[word] for word in chosen(models, known, self.name)}
        triggers = {
            word: self._settings.trigger(
                source.cutoff if isinstance(source, OwnModel) else self._cutoff, settings.get(word)
            )
            for word, source in words.items()
        }
        return Session(self._stream(words), triggers, on_score)

    @abstractmethod
    def _stream(self, words: Mapping[str, P | OwnModel]) -> ScoreStream:
        """Make a stream that scores these words; raises EngineFailed where one of them does not work."""
