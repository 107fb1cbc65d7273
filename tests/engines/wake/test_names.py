import pytest

from irene_wyoming.engines.wake.names import is_helper, resolve, resolved

KNOWN = ["okay_nabu", "hey_jarvis", "alexa", "hey_mycroft", "hey_rhasspy", "hey_zelda_v0.1", "hey_zelda_v0.2", "café"]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("okay_nabu", "okay_nabu"),
        ("ok_nabu", "okay_nabu"),
        ("Okay Nabu", "okay_nabu"),
        ("OK Nabu", "okay_nabu"),
        (" okay  nabu ", "okay_nabu"),
        ("oknabu", "okay_nabu"),
        ("ok_nabu_v0.1", "okay_nabu"),
        ("okay_nabu_20241226.3", "okay_nabu"),
        ("hey_jarvis_v0.1", "hey_jarvis"),
        ("hey-jarvis", "hey_jarvis"),
        ("hey_jarvis_v0.1.tflite", "hey_jarvis"),
        ("/share/openwakeword/hey_jarvis.tflite", "hey_jarvis"),
        ("ALEXA", "alexa"),
        ("alexa_v0.1", "alexa"),
        ("hey_zelda", "hey_zelda_v0.2"),
        ("Hey Zelda v0.1", "hey_zelda_v0.1"),
        ("hey_zelda_v0.3", "hey_zelda_v0.2"),
        ("Cafe", "café"),
        ("hey_jarvi", None),
        ("jarvis", None),
        ("", None),
        ("!!", None),
        ("_v0.1", None),
    ],
)
def test_a_name_means_the_model_that_people_mean(asked: str, meant: str | None) -> None:
    assert resolve(asked, KNOWN) == meant


def test_a_model_of_exactly_that_name_goes_first() -> None:
    assert resolve("ok_nabu", ["okay_nabu", "ok_nabu"]) == "ok_nabu"
    assert resolve("hey_zelda", ["hey_zelda_v2", "hey_zelda"]) == "hey_zelda"


def test_words_that_begin_with_ok_stay_apart() -> None:
    assert resolve("okapi", ["okay_nabu", "okapi"]) == "okapi"
    assert resolve("okapi", ["okay_nabu"]) is None


def test_a_partly_known_list_keeps_what_is_known() -> None:
    found = resolved(["ok_nabu", "hey_nobody", "okay_nabu", "Alexa"], KNOWN)
    assert found.asked == {"okay_nabu": "ok_nabu", "alexa": "Alexa"}
    assert found.unknown == ("hey_nobody",)


@pytest.mark.parametrize("name", ["vad", "VAD", "silero_vad", "melspectrogram", "embedding_model", "vad_v2"])
def test_models_that_help_others_are_no_words(name: str) -> None:
    assert is_helper(name)
    assert not is_helper("hey_vad")
