"""The data of a transcribe event, valid and invalid."""

from typing import Any

import pytest

from irene_wyoming.engines.base import AsrRequest
from irene_wyoming.errors import ProtocolError, UnsupportedRequest
from irene_wyoming.servers.request import MAX_HINTS, asr_request


def test_nothing_asked_is_the_default() -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("name", "language", "context", "vad_sensitivity", "transcript_names", "transcript_terms")
    )
    assert asr_request({}, "en") == asr_request(nothing, "en") == AsrRequest(language="en")


def test_everything_asked_is_passed_on() -> None:
    data = {
        "name": "base.en",
        "language": "de-AT",
        "context": {"turn": 2},
        "vad_sensitivity": "relaxed",
        "transcript_names": ["Wohnzimmer", " Anna  Lisa ", "Wohnzimmer", " "],
        "transcript_terms": ["dimmen"],
    }
    assert asr_request(data, "en") == AsrRequest(
        "base.en", "de-AT", ("Wohnzimmer", "Anna Lisa"), ("dimmen",), {"turn": 2}, "relaxed"
    )


def test_hints_beyond_the_limit_are_left_out() -> None:
    names = [f"lamp {number}" for number in range(MAX_HINTS + 10)] + ["x" * 10_000]
    assert asr_request({"transcript_names": names}, "en").names == tuple(names[:MAX_HINTS])


@pytest.mark.parametrize(
    "data",
    [
        {"name": 1},
        {"language": ["en"]},
        {"context": "text"},
        {"context": {str(number): 0 for number in range(101)}},
        {"transcript_names": "lamp"},
        {"transcript_names": [1]},
        {"transcript_terms": {"a": 1}},
    ],
)
def test_another_type_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError, match=next(iter(data))):
        asr_request(data, "en")


def test_a_sensitivity_that_nobody_knows_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnsupportedRequest, match="default, relaxed, aggressive"):
        asr_request({"vad_sensitivity": "patient"}, "en")
