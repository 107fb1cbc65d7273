"""Checks of single settings, as an engine uses them without a configuration."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from irene_wyoming.checks import (
    Fault,
    Wrong,
    discreet,
    guarded,
    hidden_parts,
    list_of,
    mapping_of,
    number,
    secret_path,
    setting,
    text,
    variable_name,
    whole,
)
from irene_wyoming.config.section import checked, flat, keys


def test_a_refusal_is_a_value_error_that_says_what_is_allowed() -> None:
    with pytest.raises(ValueError, match=r"^expected seconds, 1 to 60$"):
        number("seconds", 1, 60)(61)


@pytest.mark.parametrize("value", [True, "3", None, float("nan"), 3.5])
def test_a_whole_number_is_nothing_else(value: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a count, 0 to 9$"):
        whole("a count", 0, 9)(value)


def test_all_members_that_are_wrong_are_named_by_their_place() -> None:
    with pytest.raises(Wrong) as refusal:
        list_of(mapping_of(text, what="a name"))([{"a": "b"}, {"a": 1, "": "x"}])
    assert refusal.value.faults == (
        Fault((1, "a"), "expected text; put it in quotes"),
        Fault((1, ""), "expected a name, in quotes if it is a number"),
    )


@dataclass(frozen=True, slots=True)
class Size:
    width: int = setting(whole("a width", 1, 9))
    depth: int = setting(whole("a depth", 1, 9), default=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    size: Size = flat()
    inner: Size
    names: tuple[str, ...] = setting(list_of(text))
    volume: int = 0
    """A field that is no key."""

    def settled(self) -> "Box":
        if self.inner.width >= self.size.width:
            raise Wrong("expected less than the box's own", ("inner", "width"))
        return Box(size=self.size, inner=self.inner, names=self.names, volume=self.size.width * self.size.depth)


def test_keys_of_a_section_are_its_fields_with_checks() -> None:
    assert list(keys(Box)) == ["width", "depth", "inner", "names"]


def test_a_section_is_made_from_a_mapping_and_settled() -> None:
    box = checked(Box)({"width": 4, "depth": 2, "inner": {"width": 1}, "names": ["a"]})
    assert box == Box(size=Size(4, 2), inner=Size(1), names=("a",), volume=8)


def test_what_does_not_go_together_is_named_by_its_path() -> None:
    with pytest.raises(Wrong) as refusal:
        checked(Box)({"width": 4, "inner": {"width": 4}, "names": []})
    assert refusal.value.faults == (Fault(("inner", "width"), "expected less than the box's own"),)


def test_every_fault_of_a_section_comes_at_once() -> None:
    with pytest.raises(Wrong) as refusal:
        checked(Box)({"width": 0, "inner": {"witdh": 4}, "name": []})
    assert sorted((fault.path, fault.problem, fault.shown) for fault in refusal.value.faults) == [
        (("inner", "width"), "missing", False),
        (("inner", "witdh"), "unknown key; did you mean width?", False),
        (("name",), "unknown key; did you mean names?", False),
        (("names",), "missing", False),
        (("width",), "expected a width, 1 to 9", True),
    ]


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiIxYTJiM2MifQ.Qx3v-9_kZ0"


@pytest.mark.parametrize(
    "pasted", [JWT, f" {JWT}\n", "sk-proj-0123456789abcd", "0123456789abcdef" * 4, [JWT], {JWT: 1}]
)
def test_a_token_in_the_place_of_its_files_or_variables_name_is_never_shown(pasted: object) -> None:
    for check in (secret_path, variable_name):
        with pytest.raises(Wrong) as refusal:
            check(pasted)
        (fault,) = refusal.value.faults
        assert fault.problem.endswith("that holds it, not the key or token itself")
        assert not fault.shown


@pytest.mark.parametrize("name", ["/data/token", "token", "my-home-assistant-token.txt", f"./{JWT}", "~/Keys/Home1Key"])
def test_names_of_files_are_taken(name: str) -> None:
    assert secret_path(name) == Path(name).expanduser()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("https://host/v1/secret-key/audio: HTTP 404", "https://host/v1/***/audio: HTTP 404"),
        ("https://host/token/hunter2/v1", "https://host/***/***/v1"),
        ("wss://host:1/sk-abcdefgh123/v1", "wss://host:1/***/v1"),
        ("https://host/9f86d081884c7d659a2feaa0c55ad015/v1", "https://host/***/v1"),
        ("see 'https://host/v1?api_key=hunter2&b=1', yes", "see 'https://host/v1?api_key=***&b=***', yes"),
        ("https://host/v1?hunter2", "https://host/v1?***"),
        ("https://host/v1#hunter2", "https://host/v1#***"),
        ("http://me:p@ss/word@host/v1", "http://me:***@host/v1"),
        ("https://git/a/b/model-en-2023-06-26.tar.bz2", "https://git/a/b/model-en-2023-06-26.tar.bz2"),
        ("is it https://host/a? yes", "is it https://host/a? yes"),
    ],
)
def test_keys_in_addresses_are_not_shown(said: str, shown: str) -> None:
    assert discreet(said) == shown


def test_of_a_users_own_address_only_what_every_api_has_is_shown() -> None:
    assert guarded("https://host:1/hunter2/openai/v1") == "https://host:1/***/openai/v1"
    assert hidden_parts("https://host:1/hunter2/me/longer-hunter2/v1") == ("longer-hunter2", "hunter2")
