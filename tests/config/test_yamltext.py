"""Messages about invalid YAML name the place and the reason."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irene_wyoming.config.yamltext import parse
from irene_wyoming.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [1, 2\n", "x.yaml: line 3, column 1: expected ',' or ']', but got '<stream end>'"),
        ("a: 1\n\tb: 2\n", "x.yaml: line 2, column 1: found character '\\t' that cannot start any token"),
        ("a: 1\nb: 2\na: 3\n", "x.yaml: line 3, column 1: 'a' is there twice"),
        ("asr: {port: 1, port: 2}", "x.yaml: line 1, column 16: 'port' is there twice"),
        ("a: 2024-13-45", "x.yaml: line 1, column 4: cannot read '2024-13-45'; text needs quotes here"),
        ("a: !!bool maybe", "x.yaml: line 1, column 4: cannot read 'maybe'; text needs quotes here"),
        (
            "a: !!python/object/apply:os.system [ls]",
            "x.yaml: line 1, column 4: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object/apply:os.system'",
        ),
        ("[" * 100_000, "x.yaml: line 1, column 31: nested too deeply"),
        ("---\na: 1\n---\na: 2\n", "x.yaml: line 3, column 1: but found another document"),
    ],
)
def test_a_fault_is_placed(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse(text, "x.yaml")
    assert str(refusal.value) == message


def test_a_control_character_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^x\.yaml: not YAML: unacceptable character #x0001"):
        parse("a: \x01", "x.yaml")


def test_anchors_and_merge_keys_work() -> None:
    text = "asr: &one {port: 1}\nwake: {<<: *one, enabled: true}"
    assert parse(text, "x.yaml") == {"asr": {"port": 1}, "wake": {"port": 1, "enabled": True}}


def test_a_mapping_in_itself_is_read() -> None:
    assert parse("a: &a {<<: *a, b: 1}", "x.yaml") == {"a": {"b": 1}}


def test_a_merged_key_may_be_overruled_wherever_it_is_used() -> None:
    text = "a: {b: {c: &c {<<: {port: 1}, port: 2}}}\nd: {<<: *c}"
    assert parse(text, "x.yaml") == {"a": {"b": {"c": {"port": 2}}}, "d": {"port": 2}}


@given(st.text(alphabet="ab:-[]{}!&*<|>#'\"\n\t %@0.1~,?", max_size=60))
def test_whatever_the_text_it_is_read_or_refused(text: str) -> None:
    with suppress(ConfigError):
        parse(text, "x.yaml")
