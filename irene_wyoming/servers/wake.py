"""WakeRole: one client's conversation with the wake server."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import SelectProgram
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection, NotDetected

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.engines.base import unknown_model
from irene_wyoming.engines.wake.names import resolve, resolved
from irene_wyoming.servers.hearing import Hearing
from irene_wyoming.servers.info import select
from irene_wyoming.servers.intake import Intake
from irene_wyoming.servers.lull import Lull
from irene_wyoming.servers.role import Peer, Role
from irene_wyoming.servers.times import stamped
from irene_wyoming.servers.wake_service import Listener, WakeService
from irene_wyoming.tasks import ended
from irene_wyoming.wire import fields
from irene_wyoming.wire.audio import audio_format, chunks

log = logging.getLogger(__name__)


class WakeRole(Role):
    """Listens for the words that the client asked for, and no others.

    A stream begins at ``detect`` as well as at ``audio-start``: older satellites send no ``audio-start`` and repeat
    ``detect`` on one connection. They must not hear the old word again. The engine's session is made at
    ``audio-start``, while the satellite fills its first chunk, or with the first audio where there is none.
    """

    takes_runs = True

    def __init__(self, service: WakeService, peer: Peer, host: str = "") -> None:
        """:param host: the address that the client connects from; empty for a unix socket."""
        self._service = service
        self._peer = peer
        self._host = host
        self._engine = next(iter(service.programs.values()))
        self._listener = Listener({}, host)
        self._intake: Intake | None = None
        self._hearing: Hearing | None = None  # None between streams
        self._reports: asyncio.Queue[Detection | Exception] = asyncio.Queue()
        self._reporter: asyncio.Task[None] | None = None  # None until the first session
        self._lull: Lull | None = None  # None until the stream is to end

    @property
    def idle_ok(self) -> bool:
        """Whether the client may be silent: a listening satellite through a whole night, one that never asked not."""
        return self._intake is not None

    @property
    def answers_ping(self) -> bool:
        """Whether the role answers pings: while listening, since the answer must follow everything heard before."""
        return self._hearing is not None

    @property
    def missing_s(self) -> float:
        """Seconds of audio that the session needs beyond what waits for it. Every chunk is examined while a pause is
        looked for.
        """
        return 0.0 if self._hearing is None or self._lull is not None else self._hearing.missing_s

    async def on_event(self, event: Event) -> bool:
        if AudioChunk.is_type(event.type):
            await self._on_audio(event)
        elif Detect.is_type(event.type):
            self._listener = self._asked(event)
            await self._restart()
        elif AudioStart.is_type(event.type):
            await self._restart(audio_format(event.data))
            await self._open()
        elif AudioStop.is_type(event.type):
            await self._on_stop()
        elif SelectProgram.is_type(event.type):
            self._engine = select(self._service.programs, fields.name(event.data, "name"))
            self._listener = Listener({}, self._host, self._listener.satellite)
            await self._restart()
        elif Ping.is_type(event.type) and self._hearing is not None:
            await self._until_reported(self._hearing)
            await self._peer.send(Pong(text=fields.text(event.data, "text")))
        return True

    async def pause(self) -> bool:
        """Wait for a pause: a listening satellite is let go between two words, and none is lost.

        Hearing the audio before the pause takes a while. If a word begins meanwhile, the next pause counts.
        Engines that are behind never hear all of it. They get the time after which audio is dropped anyway.
        """
        if self._intake is None:
            return False
        self._lull = Lull(self._engine.format)
        self._peer.hurry()
        while not self._lull.lasts:
            await self._lull.wait()
            if self._hearing is not None:
                self._hearing.rest()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._service.max_lag_s):
                        await self._until_reported(self._hearing)
        return True

    async def close(self) -> None:
        self._end_stream()
        reporter, self._reporter = self._reporter, None
        await ended(reporter)

    async def _restart(self, announced: AudioFormat | None = None) -> None:
        if self._hearing is not None:
            await self._hearing.heard()
            self._end_stream()
        service = self._service
        self._intake = Intake(service.profile, service.quality, self._engine.format, announced, server="wake")

    def _end_stream(self) -> None:
        if self._hearing is not None:
            hearing, self._hearing = self._hearing, None
            hearing.close()

    async def _open(self) -> Hearing:
        """Open the engine's session of this stream."""
        if self._hearing is None:
            listener = self._listener if self._listener.asked else self._listener.asking(self._default())
            hearing = Hearing(self._service, self._engine, listener, self._reports.put_nowait)
            await hearing.open(self._peer.hurry)
            self._hearing = hearing
            if self._reporter is None:
                self._reporter = self._peer.spawn(self._report(), "detections")
        return self._hearing

    async def _on_audio(self, event: Event) -> None:
        form = audio_format(event.data)
        if self._intake is None:
            await self._restart()
            assert self._intake is not None
        # the stream goes on with a session of the present settings
        if self._hearing is not None and self._hearing.outdated:
            await self._hearing.heard()
            self._end_stream()
        stamps = stamped(chunks(event), form, self._intake)
        pieces: Iterable[bytes] = self._intake.push(form, event.payload or b"")
        if len(stamps) > 1:  # they are shares of all of the audio
            pieces = filter(None, [b"".join(pieces)])
        for pcm in pieces:
            if self._lull is not None:
                self._lull.heard(pcm)
            await (self._hearing or await self._open()).listen(pcm, stamps)

    async def _on_stop(self) -> None:
        if self._intake is None:
            return
        tail = self._intake.flush()
        hearing = self._hearing
        if tail:
            hearing = hearing or await self._open()
            await hearing.listen(tail, [])  # it belongs to the last chunk
        if hearing is not None:
            hearing.rest()
            await self._until_reported(hearing)
        if hearing is None or not hearing.found:
            await self._peer.send(NotDetected(context=None if hearing is None else hearing.nearest()))
        await self._restart()

    async def _until_reported(self, hearing: Hearing) -> None:
        """Wait until all audio that can hold a word has been heard and reported."""
        await hearing.heard()
        await self._reports.join()

    async def _report(self) -> None:
        """Send detections in order until the session fails."""
        while True:
            report = await self._reports.get()
            if isinstance(report, Exception):
                raise report
            await self._peer.send(report)
            self._reports.task_done()

    def _asked(self, event: Event) -> Listener:
        """Read the request in a ``detect``.

        :raises UnknownModel: the selected program knows none of its names.
        :raises ProtocolError: a field has a wrong type.
        """
        names = fields.names(event.data, "names")
        context = event.data.get("context")
        context = context if isinstance(context, dict) else {}
        known = self._engine.models()
        found = resolved(names, [info.name for info in known])
        if names and not found.asked:
            raise unknown_model(names[0], known)
        listener = Listener(found.asked, self._host, fields.name(context, "satellite"), context.get("peak") is True)
        if found.unknown:
            some = ", ".join(map(repr, found.unknown))
            log.warning("wake: %s asks for %s, unknown here; listening for the others", listener.caller, some)
        return listener

    def _default(self) -> Sequence[str]:
        known = [info.name for info in self._engine.models()]
        wanted = [resolve(name, known) for name in self._service.default_models]
        return [name for name in wanted if name is not None] or known[:1]
