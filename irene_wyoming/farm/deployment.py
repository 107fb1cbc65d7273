"""The deployment on Ray Serve: ``serve run packaging/ray/farm.yaml``. Needs the extra ``ray``.

Each replica is a process with one engine. Requests that arrive while it decodes become its next batch.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import serve
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from irene_wyoming.app.engines import context, create
from irene_wyoming.config.load import load
from irene_wyoming.engines.base import AsrEngine
from irene_wyoming.errors import ConfigError
from irene_wyoming.farm import forms
from irene_wyoming.farm.batch import Result, transcribed
from irene_wyoming.farm.forms import BadForm, Job

MAX_BYTES = 25 << 20
"""Most bytes of one request: OpenAI's own limit."""

MAX_FIELDS = 20
"""Most fields of a form: the API has nine."""

BATCH, WAIT_S = 8, 0.02
"""Most utterances of a batch, and seconds that the first one waits for others; docs/scale.md has figures."""

BATCH_HEADER = "X-Irene-Batch"
"""Response header with the number of utterances in the batch."""

ONGOING = 32
"""Most requests of one replica, including those that wait for the next batch."""


class Transcriber:
    """One engine behind ``/v1/audio/transcriptions`` and ``/v1/models``.

    :param config: a configuration of irene-wyoming; None: the packaged defaults.
    :param provider: the provider to serve, one of ``asr.providers``; None: ``asr.default_provider``.
    :raises ConfigError, EngineUnavailable: the engine cannot be made; the replica's log says why it does not start.
    """

    def __init__(self, config: str | None = None, provider: str | None = None) -> None:
        self._engine = engine(config, provider)

    def reconfigure(self, user_config: Mapping[str, Any]) -> None:
        """Take ``batch`` and ``wait_s`` of the deployment's user_config, while it runs."""
        self.decoded.set_max_batch_size(int(user_config.get("batch", BATCH)))
        self.decoded.set_batch_wait_timeout_s(float(user_config.get("wait_s", WAIT_S)))

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        path = request.url.path.rstrip("/")
        if request.method == "GET" and path == "/v1/models":
            return JSONResponse(forms.listed(self._engine.models(), self._engine.name))
        if request.method == "POST" and path == "/v1/audio/transcriptions":
            return await self._transcription(request)
        return sent(forms.refusal(404, f"{request.method} {path}: expected /v1/audio/transcriptions", "no_such_path"))

    async def _transcription(self, request: Request) -> Response:
        if int(request.headers.get("content-length", "0")) > MAX_BYTES:
            return sent(forms.refusal(413, f"expected at most {MAX_BYTES} bytes", "too_large"))
        try:
            job = await asked(request)
        except BadForm as error:
            return sent(forms.refusal(400, str(error), "bad_form"))
        result, together = await self.decoded(job)
        return sent(forms.answer(result), {BATCH_HEADER: str(together)})

    @serve.batch(max_batch_size=BATCH, batch_wait_timeout_s=WAIT_S)  # type: ignore[untyped-decorator]  # no types of Ray here
    async def decoded(self, jobs: list[Job]) -> list[tuple[Result, int]]:
        """Transcribe a batch; each result comes with the batch's size. Callers give one job, Ray makes the batch.

        While it runs, the next batch gathers.
        """
        return [(result, len(jobs)) for result in await asyncio.to_thread(transcribed, self._engine, jobs)]

    def __del__(self) -> None:
        """Close the engine when Ray ends the replica."""
        if hasattr(self, "_engine"):
            self._engine.close()


def sent(answer: forms.Answer, headers: Mapping[str, str] | None = None) -> Response:
    status, content = answer
    return JSONResponse(content, status, headers)


def engine(config: str | None, provider: str | None) -> AsrEngine:
    """Make and load the engine of a provider.

    :raises ConfigError: there is no such provider, or its options are wrong.
    :raises EngineUnavailable: something that it needs is missing.
    """
    settings = load(None if config is None else Path(config), os.environ)
    name = provider or settings.asr.default_provider
    if name not in settings.asr.providers:
        raise ConfigError(f"provider {name!r}: expected one of {', '.join(settings.asr.providers)}")
    made: AsrEngine = create("asr", name, settings.asr.providers[name].options, context(settings))
    return made


async def asked(request: Request) -> Job:
    """Read a request; raises BadForm where it is no form with a wav file."""
    async with request.form(max_files=1, max_fields=MAX_FIELDS) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise BadForm("file: expected a wav file in a form (multipart/form-data)")
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        return await asyncio.to_thread(forms.job, fields, await file.read())


deployment = serve.deployment(Transcriber, name="Transcriber", max_ongoing_requests=ONGOING)


def app(args: Mapping[str, str]) -> Any:
    """The application for Ray Serve's configuration.

    :param args: ``config`` and ``provider`` of Transcriber; both may be missing.
    :raises ConfigError: there is another argument.
    """
    if unknown := set(args) - {"config", "provider"}:
        raise ConfigError(f"args: {', '.join(sorted(unknown))}: expected config and provider")
    return deployment.bind(args.get("config"), args.get("provider"))
