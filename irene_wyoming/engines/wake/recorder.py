"""Recorder: keeps the audio around wake words that were heard or nearly heard, where the user wants it.

RecordedEngine is a WakeEngine around another one. Its sessions remember the last seconds; a thread of the Recorder
writes, so that neither the event loop nor the engine waits for a disk. Recordings can be switched while the server
runs: a session follows the setting at its beginning.
"""

import json
import logging
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Full, Queue

from irene_wyoming import metrics
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.audio.wav import wav
from irene_wyoming.engines.base import (
    NO_SETTINGS,
    Hit,
    MeasuredScore,
    OnScore,
    Score,
    SecondedScore,
    WakeEngine,
    WakeSession,
    WakeSettings,
)
from irene_wyoming.engines.wake.names import folded
from irene_wyoming.engines.wake.near import NearMisses
from irene_wyoming.engines.wake.proposals import Proposed
from irene_wyoming.engines.wake.wrapped import WrappedEngine
from irene_wyoming.news import NEWS

log = logging.getLogger(__name__)

WAITING = 16
"""Most clips that wait for the disk: at most 16 times 60 s, 31 MB. Others are not kept."""

OURS = re.compile(r"\d{8}T\d{6}\.\d{6}Z-(?:activation|near-miss)-.*\.(?:wav|json)")
"""Names of recordings. Only such files are ever removed."""

STOP_S = 2.0


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    folder: Path
    near_miss_threshold: float | None
    """Score from which a word without a hit is a near miss; None: near misses are not kept."""
    seconds_before: float
    """Seconds of audio kept up to the moment."""
    max_files: int
    """Most recordings; the oldest are removed first."""
    max_bytes: int
    """Most bytes of all recordings together; the oldest are removed first."""
    words: frozenset[str] | None = None
    """Names of the words that are recorded; None: all."""

    def wants(self, word: str) -> bool:
        """Whether a word is recorded, in any spelling of its name."""
        return self.words is None or folded(word) in map(folded, self.words)


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording."""

    kind: str
    """Kind of the recording: activation or near-miss."""
    word: str
    score: float
    level_dbfs: float | None
    snr_db: float | None
    format: AudioFormat
    pcm: bytes
    start: int
    """Frame of the session at which ``pcm`` begins."""
    scores: tuple[Score, ...]
    """Scores of all words of the session within ``pcm``."""

    def sidecar(self, time: datetime) -> dict[str, object]:
        """The data written beside the audio."""
        rate = self.format.rate
        return {
            "time": time.isoformat(),
            "kind": self.kind,
            "word": self.word,
            "score": round(self.score, 4),
            "level_dbfs": None if self.level_dbfs is None else round(self.level_dbfs, 1),
            "snr_db": None if self.snr_db is None else round(self.snr_db, 1),
            "scores": [
                {"word": s.word, "at_s": round((s.frame - self.start) / rate, 3), "score": round(s.score, 4)}
                for s in self.scores
            ],
        }


class Recorder:
    """Writes clips into a folder within its limits. A full or read-only disk is logged once."""

    def __init__(
        self, settings: RecorderSettings | None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.settings = settings
        """The settings from now on; None: nothing is recorded. May be replaced at any time."""
        self._clock = clock
        self._clips: Queue[Clip | None] = Queue(WAITING)  # None: the end
        self._problem: str | None = None
        self._thread: threading.Thread | None = None  # None until the first clip

    def keep(self, clip: Clip) -> None:
        """Queue a clip for writing. Never waits: with too many waiting, the clip is lost and counted."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="wake recordings", daemon=True)
            self._thread.start()
        try:
            self._clips.put_nowait(clip)
        except Full:
            metrics.RECORDINGS.labels(clip.kind, "lost").inc()

    def close(self) -> None:
        """Write waiting clips, if the disk takes them within STOP_S. May be called more than once."""
        if self._thread is not None and self._thread.is_alive():
            with suppress(Full):  # the disk hangs: the thread, a daemon, ends with the process
                self._clips.put(None, timeout=STOP_S)
                self._thread.join(STOP_S)

    def _write_all(self) -> None:
        while (clip := self._clips.get()) is not None:
            settings = self.settings
            if settings is None:
                continue  # recordings were switched off meanwhile
            try:
                self._write(clip, settings)
            except OSError as error:
                metrics.RECORDINGS.labels(clip.kind, "lost").inc()
                self._tell(settings.folder, error.strerror or str(error))
            else:
                metrics.RECORDINGS.labels(clip.kind, "kept").inc()
                NEWS.tell("recording", word=clip.word, kind=clip.kind)
                self._tell(settings.folder, None)

    def _tell(self, folder: Path, problem: str | None) -> None:
        """Log a problem once when it begins, and once when it is over."""
        if problem != self._problem:
            if problem is None:
                log.info("wake: recordings are kept again in %s", folder)
            else:
                log.warning("wake: recordings cannot be kept in %s: %s", folder, problem)
        self._problem = problem

    def _write(self, clip: Clip, settings: RecorderSettings) -> None:
        folder = settings.folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = self._clock()
        word = re.sub(r"[^\w.-]", "_", clip.word)[:64]
        path = folder / f"{now:%Y%m%dT%H%M%S.%f}Z-{clip.kind}-{word}.wav"
        sidecar = json.dumps(clip.sidecar(now), ensure_ascii=False, indent=1).encode()
        make_room(settings, len(clip.pcm) + len(sidecar))
        try:
            with os.fdopen(private(path), "wb") as file:
                file.write(wav(clip.pcm, clip.format))
            with os.fdopen(private(path.with_suffix(".json")), "wb") as file:
                file.write(sidecar)
        except OSError:
            for part in (path, path.with_suffix(".json")):  # half a recording is useless
                part.unlink(missing_ok=True)
            raise


def make_room(settings: RecorderSettings, size: int) -> None:
    """Remove the oldest recordings until one of ``size`` bytes fits."""
    names = sorted(entry.name for entry in os.scandir(settings.folder) if OURS.fullmatch(entry.name))
    groups: dict[str, list[Path]] = {}
    for name in names:
        path = settings.folder / name
        groups.setdefault(path.stem, []).append(path)
    sizes = {stem: sum(path.stat().st_size for path in paths) for stem, paths in groups.items()}
    total = sum(sizes.values()) + size
    for count, stem in zip(range(len(groups), 0, -1), groups, strict=True):
        if count < settings.max_files and total <= settings.max_bytes:
            return
        for path in groups[stem]:
            path.unlink(missing_ok=True)
        total -= sizes[stem]


def private(path: Path) -> int:
    """Make a file that only this user can read, since recordings of a home are private."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


class RecordedEngine(WrappedEngine):
    """An engine that records words which are heard or nearly heard."""

    def __init__(self, engine: WakeEngine, recorder: Recorder) -> None:
        super().__init__(engine)
        self._recorder = recorder

    def session(
        self,
        models: Sequence[str],
        settings: Mapping[str, WakeSettings] = NO_SETTINGS,
        on_score: OnScore | None = None,
    ) -> WakeSession:
        """Open a recorded session; raises UnknownModel where a name is not among ``models()``."""
        wanted = self._recorder.settings
        if wanted is None or not any(map(wanted.wants, models)):
            return self._engine.session(models, settings, on_score)
        return RecordedSession(
            lambda heard: self._engine.session(models, settings, heard), self.format, self._recorder, wanted, on_score
        )


class RecordedSession:
    """One stream, with its last seconds and their scores."""

    def __init__(
        self,
        make: Callable[[OnScore], WakeSession],
        form: AudioFormat,
        recorder: Recorder,
        settings: RecorderSettings,
        on_score: OnScore | None = None,
    ) -> None:
        self._format = form
        self._recorder = recorder
        self._settings = settings
        self._on_score = on_score
        self._audio = bytearray()
        self._size = round(settings.seconds_before * form.rate) * form.frame_bytes
        self._given = 0  # frames so far
        self._scores: deque[Score] = deque()
        least = settings.near_miss_threshold
        self._near = None if least is None else NearMisses(least, form.rate)
        self._session = make(self._take)

    @property
    def needs(self) -> int:
        return self._session.needs

    def push(self, pcm: bytes) -> Sequence[Hit]:
        hits = self._session.push(pcm)
        self._given += self._format.frames(len(pcm))
        self._audio += pcm
        del self._audio[: max(0, len(self._audio) - self._size)]
        start = self._start()
        while self._scores and self._scores[0].frame < start:
            self._scores.popleft()
        for hit in hits:
            if isinstance(hit, Proposed):
                continue  # a second look decides: nearly all speech is proposed for typed words
            if self._near is not None:
                self._near.heard(hit.model, hit.frame)
            self._keep("activation", hit.model, hit.score, hit.level_dbfs, hit.snr_db)
        for near in self._near.passed(self._given) if self._near is not None else ():
            level, snr = (near.level_dbfs, near.snr_db) if isinstance(near, MeasuredScore) else (None, None)
            self._keep("near-miss", near.word, near.score, level, snr)
        return hits

    def close(self) -> None:
        self._session.close()

    def _take(self, score: Score) -> None:
        if self._on_score is not None:
            self._on_score(score)
        if isinstance(score, SecondedScore):
            return
        self._scores.append(score)
        if self._near is not None:
            self._near.scored(score)

    def _start(self) -> int:
        return self._given - self._format.frames(len(self._audio))

    def _keep(
        self, kind: str, word: str, score: float, level_dbfs: float | None = None, snr_db: float | None = None
    ) -> None:
        if not self._settings.wants(word):
            return
        clip = Clip(
            kind, word, score, level_dbfs, snr_db, self._format, bytes(self._audio), self._start(), tuple(self._scores)
        )
        self._recorder.keep(clip)
