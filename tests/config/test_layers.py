"""Layers of settings: which one wins, and which one a message blames."""

from irene_wyoming.config.layers import Layer, blame, dotted, merge, nested

DEFAULTS = Layer("defaults", {"asr": {"port": 1, "vocabulary": {"areas": ["a", "b"]}}, "level": "info"})
FILE = Layer("file", {"asr": {"vocabulary": {"areas": ["c"]}}, "extra": 1})
VARIABLES = Layer("environment", {"asr": {"port": 3}}, {("asr", "port"): "ASR__PORT"})


def test_mappings_merge_and_lists_are_replaced() -> None:
    assert merge([DEFAULTS, FILE, VARIABLES]) == {
        "asr": {"port": 3, "vocabulary": {"areas": ["c"]}},
        "level": "info",
        "extra": 1,
    }


def test_merging_leaves_the_layers_as_they_are() -> None:
    merge([DEFAULTS, FILE, VARIABLES])
    assert DEFAULTS.data == {"asr": {"port": 1, "vocabulary": {"areas": ["a", "b"]}}, "level": "info"}


def test_nothing_over_a_mapping_leaves_it_and_nothing_over_a_value_stands() -> None:
    assert merge([DEFAULTS, Layer("file", {"asr": None, "level": None})])["asr"] == DEFAULTS.data["asr"]
    assert merge([DEFAULTS, Layer("file", {"level": None})])["level"] is None


def test_the_last_to_say_a_value_is_to_blame() -> None:
    layers = [DEFAULTS, FILE, VARIABLES]
    assert blame(layers, ("asr", "port")).source == "environment"
    assert blame(layers, ("asr", "vocabulary", "areas", 0)).source == "file"
    assert blame(layers, ("extra",)).source == "file"


def test_a_default_that_no_longer_fits_is_for_the_user_to_mend() -> None:
    assert blame([DEFAULTS, FILE, VARIABLES], ("level",)).source == "file"
    assert blame([DEFAULTS], ("level",)).source == "defaults"


def test_a_place_is_named_in_its_own_words() -> None:
    assert VARIABLES.name(("asr", "port")) == "ASR__PORT"
    assert VARIABLES.name(("asr", "port", 2, "x")) == "ASR__PORT[2].x"
    assert VARIABLES.name(("asr",)) == "ASR__PORT"
    assert FILE.name(("asr", "port")) == "asr.port"


def test_paths_are_dotted_and_indices_bracketed() -> None:
    assert dotted(("wake", "default_models", 1)) == "wake.default_models[1]"
    assert nested(("a", "b"), [1]) == {"a": {"b": [1]}}
