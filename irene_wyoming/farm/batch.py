"""Transcribes several utterances with one engine, at once where the engine can do that."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack, closing

from irene_wyoming.engines.asr.lifecycle import Batching
from irene_wyoming.engines.base import AsrEngine, AsrSession, Transcription
from irene_wyoming.errors import EngineError
from irene_wyoming.farm.forms import Job

log = logging.getLogger(__name__)

Result = Transcription | EngineError


def transcribed(engine: AsrEngine, jobs: Sequence[Job]) -> list[Result]:
    """Transcribe utterances; each result is a transcription or an error. Slow: not on an event loop.

    An engine that is ``Batching`` decodes all of them together. Where that fails, each is decoded by itself, so that
    one bad utterance costs no other one its transcript.
    """
    if isinstance(engine, Batching) and len(jobs) > 1:
        try:
            return _together(engine, jobs)
        except EngineError as error:
            log.warning("%s: %d utterances together: %s; one by one now", engine.name, len(jobs), error)
    return [_alone(engine, job) for job in jobs]


def _together(engine: Batching, jobs: Sequence[Job]) -> list[Result]:
    results: list[Result | None] = [None] * len(jobs)
    with ExitStack() as stack:
        sessions: dict[int, AsrSession] = {}
        for index, job in enumerate(jobs):
            try:
                sessions[index] = stack.enter_context(closing(_filled(engine, job)))
            except EngineError as error:
                results[index] = error
        for index, found in zip(sessions, engine.finish_all(list(sessions.values())), strict=True):
            results[index] = found
    return [result for result in results if result is not None]


def _alone(engine: AsrEngine, job: Job) -> Result:
    try:
        with closing(_filled(engine, job)) as session:
            return session.finish()
    except EngineError as error:
        return error


def _filled(engine: AsrEngine, job: Job) -> AsrSession:
    """Open a session and give it all audio of a job."""
    session = engine.session(job.request)
    try:
        session.push(job.pcm)
    except BaseException:
        session.close()
        raise
    return session
