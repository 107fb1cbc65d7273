"""google_cloud: Google's Speech-to-Text, streamed; a paid service on the internet."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from irene_wyoming.checks import boolean, or_null, secret_path
from irene_wyoming.engines.asr.options import languages, seconds, text
from irene_wyoming.engines.base import AsrEngine, EngineContext, EngineSpec, ModelInfo, Option

NAME = "google_cloud"


def create(values: Mapping[str, Any], context: EngineContext) -> AsrEngine:
    """Make the engine; raises EngineUnavailable where the credentials are missing or invalid."""
    from irene_wyoming.engines.asr.google_cloud.engine import Account, GoogleCloud, Recognition

    return GoogleCloud(
        offers(values, context)[0],
        Account(values["credentials_file"], values["endpoint"]),
        Recognition(language=context.language, vocabulary=context.vocabulary, single=values["single_utterance"]),
        connect_timeout_s=values["connect_timeout_s"],
        patience_s=values["response_timeout_s"],
    )


def offers(values: Mapping[str, Any], context: EngineContext) -> Sequence[ModelInfo]:
    """The configured model: all models hear the same languages, and one account uses one."""
    return [
        ModelInfo(
            name=values["model"],
            languages=values["languages"] or (context.language,),
            description=f"Google Cloud Speech-to-Text, {values['model']}",
            author="Google",
            url="https://cloud.google.com/speech-to-text",
        )
    ]


def model(value: Any) -> str:
    name = text(value)
    if not name:
        raise ValueError("expected a model, e.g. latest_short")
    return name


def endpoint(value: Any) -> str:
    """Check a host, host:port, or http://host:port; empty: Google's own."""
    expected = "expected a host such as eu-speech.googleapis.com, with a port if need be, or http://host:port"
    name = text(value)
    plain = name.startswith("http://")
    try:
        parts = urlsplit(name if plain else f"//{name}")
        port = parts.port
    except ValueError:
        raise ValueError(expected) from None
    rest = parts.path or parts.query or parts.fragment or parts.username is not None
    if name and (not parts.hostname or rest or (plain and not port)):
        raise ValueError(expected)
    return name


SPEC = EngineSpec(
    name=NAME,
    kind="asr",
    summary="Google Cloud Speech-to-Text: about every language, streamed; a paid service that hears what is said.",
    url="https://cloud.google.com/speech-to-text",
    author="Google",
    requires=("google.cloud.speech_v1",),
    install="pip install 'irene-wyoming[google]'",
    create=create,
    options={
        "credentials_file": Option(
            None, or_null(secret_path), "key file of a service account; null: the machine's own"
        ),
        "model": Option("latest_short", model, "Google's name of the model"),
        "languages": Option([], languages, "language tags with their region; []: the server's language"),
        "single_utterance": Option(False, boolean, "whether Google ends the utterance at the first pause"),
        "endpoint": Option("", endpoint, "host of a region's or a private endpoint; empty: Google's own"),
        "connect_timeout_s": Option(2.0, seconds, "seconds to connect, 0.1 to 120"),
        "response_timeout_s": Option(5.0, seconds, "seconds from the end of the audio to the transcript, 0.1 to 120"),
    },
    offers=offers,
)
