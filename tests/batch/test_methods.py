import pytest

from irene_wyoming.audio.format import method_names
from irene_wyoming.batch.methods import ConversionMethod, UseCase, optimal_path


def test_every_method_is_one_of_the_audio_core() -> None:
    qualities = [method.quality for method in ConversionMethod]
    assert set(qualities) <= set(method_names())
    assert len(set(qualities)) == len(qualities)


@pytest.mark.parametrize(
    ("source", "target", "use_case", "method"),
    [
        (48_000, 16_000, "voice_trigger", ConversionMethod.LINEAR),
        (48_000, 16_000, "general", ConversionMethod.POLYPHASE),
        (48_000, 16_000, "asr", ConversionMethod.SINC_KAISER),
        (8_000, 16_000, "voice_trigger", ConversionMethod.POLYPHASE),
        (47_999, 16_000, "voice_trigger", ConversionMethod.SINC_KAISER),
        (16_000, 16_000, "asr", None),
    ],
)
def test_the_path_follows_the_ratio_and_the_use(
    source: int, target: int, use_case: UseCase, method: ConversionMethod | None
) -> None:
    assert optimal_path(source, target, use_case).method == method


def test_the_path_says_why() -> None:
    assert "held back by 0.4" in optimal_path(48_000, 16_000, "voice_trigger").why
    assert "16000 Hz already" in optimal_path(16_000, 16_000, "asr").why
    assert "no short filter fits" in optimal_path(47_999, 16_000, "general").why


def test_linear_interpolation_is_never_chosen() -> None:
    cases: tuple[UseCase, ...] = ("general", "voice_trigger", "asr")
    rates = (8_000, 16_000, 44_100, 48_000)
    paths = [optimal_path(a, b, case).method for a in rates for b in rates for case in cases]
    assert ConversionMethod.LINEAR_INTERPOLATION not in paths
