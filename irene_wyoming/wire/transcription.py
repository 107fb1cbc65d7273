"""The client's side of a transcription: the request, and reading its answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart
from wyoming.event import Event

MAX_PARTIAL_CHARS = 16_384
"""Most characters of a partial text. A minute of fast speech has about 1,200; a server may send parts for ever."""


def request(
    *,
    language: str | None,
    name: str | None = None,
    context: Mapping[str, Any] | None = None,
    vad_sensitivity: str | None = None,
    names: Sequence[str] = (),
    terms: Sequence[str] = (),
) -> Event:
    """Make the ``transcribe`` event. None and empty values leave the choice to the server."""
    event = Transcribe(
        name=name,
        language=language,
        context=None if context is None else dict(context),
        vad_sensitivity=vad_sensitivity,
        transcript_names=list(names) or None,
        transcript_terms=list(terms) or None,
    ).event()
    event.data["stream"] = True  # our own servers' older word for partial transcripts; others ignore it
    return event


async def transcript(next_event: Callable[[], Awaitable[Event]], partial: Callable[[str], None]) -> dict[str, Any]:
    """Wait for the ``transcript`` event and return its data.

    :param next_event: reads the next event; raises where there is none.
    :param partial: called with the text so far, each time the server sends more.
    """
    said = ""
    while True:
        event = await next_event()
        if Transcript.is_type(event.type):
            return event.data
        if TranscriptStart.is_type(event.type):
            said = ""
        elif TranscriptChunk.is_type(event.type):
            part = event.data.get("text")
            said = (said + (part if isinstance(part, str) else ""))[:MAX_PARTIAL_CHARS]
            partial(said.strip())
