"""Checks of single values: each takes what was written and returns what to use, or says what is allowed."""

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import voluptuous as vol

from irene_wyoming.audio.format import FIRST, LOUDEST, MAX_CHANNELS, MEAN, Mix
from irene_wyoming.config.model import Address, Network
from irene_wyoming.engines.base import Option
from irene_wyoming.errors import ConfigError

Check = Callable[[Any], Any]


def boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise vol.Invalid("expected true or false")
    return value


def whole(what: str, low: int, high: int) -> Check:
    """A whole number within a range; true and 1.0 are none."""

    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise vol.Invalid(f"expected {what}, {low} to {high}")
        return value

    return check


def number(what: str, low: float, high: float) -> Check:
    """A number within a range, whole or not; true is none."""

    def check(value: Any) -> float:
        if type(value) not in (int, float) or not low <= value <= high:
            raise vol.Invalid(f"expected {what}, {low:g} to {high:g}")
        return float(value)

    return check


def mix(value: Any) -> Mix:
    """How several channels become one."""
    if value in (MEAN, FIRST, LOUDEST) or (type(value) is int and 0 <= value < MAX_CHANNELS):
        return value  # type: ignore[no-any-return]  # it is one of those now
    raise vol.Invalid(f"expected {MEAN}, {FIRST}, {LOUDEST}, or the index of a channel, 0 to {MAX_CHANNELS - 1}")


def text(value: Any) -> str:
    """At least one printable character; no blanks around it."""
    stripped = any_text(value).strip()
    if not stripped:
        raise vol.Invalid("expected text that is not empty")
    return stripped


def any_text(value: Any) -> str:
    """Printable characters, or none."""
    if not isinstance(value, str):
        quotes = "" if value is None or isinstance(value, (dict, list)) else "; put it in quotes"
        raise vol.Invalid(f"expected text{quotes}")
    if not value.isprintable():
        raise vol.Invalid("expected text without control characters")
    return value


def short_text(max_bytes: int) -> Check:
    """Printable characters, or none, that take at most ``max_bytes`` in UTF-8."""

    def check(value: Any) -> str:
        if len(any_text(value).encode()) > max_bytes:
            raise vol.Invalid(f"expected at most {max_bytes} bytes of text")
        return str(value)

    return check


def matching(pattern: str, expected: str) -> Check:
    def check(value: Any) -> str:
        try:
            return str(vol.Match(rf"(?:{pattern})\Z")(value))
        except vol.Invalid as error:
            raise vol.Invalid(f"expected {expected}") from error

    return check


def one_of(choices: Iterable[str]) -> Check:
    """One of these words; gives the choice itself, so that members of an enumeration come out as such."""
    known = {str(choice): choice for choice in choices}

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise vol.Invalid(f"expected one of {', '.join(known)}")
        return known[value]

    return check


def list_of(each: Check, *, what: str = "a list", at_least: int = 0) -> Check:
    """A list whose members pass ``each``, as a tuple."""
    members = vol.Schema([each])

    def check(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) < at_least:
            raise vol.Invalid(f"expected {what}")
        return tuple(members(value))

    return check


def mapping_of(each: Check, *, what: str) -> Check:
    """A mapping whose keys are text that the user chose and whose values pass ``each``.

    :param what: what the keys are, for the message.
    """
    members = vol.Schema({str: each})

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise vol.Invalid(f"expected a mapping, by {what}")
        for key in value:
            if not isinstance(key, str) or not key.strip():
                raise vol.Invalid(f"expected {what}, in quotes if it is a number", [key])
        checked: dict[str, Any] = members(value)
        return checked

    return check


def or_null(check: Check) -> Check:
    def check_or_null(value: Any) -> Any:
        return None if value is None else check(value)

    return check_or_null


def or_zero(check: Check) -> Check:
    """What ``check`` takes, or 0 where it stands for something else."""

    def check_or_zero(value: Any) -> Any:
        if type(value) is int and value == 0:
            return 0
        try:
            return check(value)
        except vol.Invalid as error:
            raise vol.Invalid(f"{error.msg}, or 0") from error

    return check_or_zero


def path(value: Any) -> Path:
    """A path; ``~`` is the home folder."""
    try:
        return Path(text(value)).expanduser()
    except RuntimeError as error:
        raise vol.Invalid("expected a path; whose home folder this is, is not known") from error


def host(value: Any) -> str:
    """A host's name or address; the brackets that some write around IPv6 are taken off."""
    name = text(value)
    if any(c.isspace() or c in "/@" for c in name):
        raise vol.Invalid("expected a host name or an address, such as 0.0.0.0")
    return name.removeprefix("[").removesuffix("]")


PRIVATE = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",  # the three of RFC 1918
            "100.64.0.0/10",  # RFC 6598: providers' own and VPNs such as Tailscale
            "169.254.0.0/16",
            "fe80::/10",  # link-local
            "fc00::/7",  # RFC 4193: the private ones of IPv6
        ),
    )
)
ANY = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def networks(value: Any) -> tuple[Network, ...]:
    """``private``, ``any``, an address or a network such as 192.168.1.0/24."""
    words: dict[Any, tuple[Network, ...]] = {"private": PRIVATE, "any": ANY}
    if isinstance(value, str) and value in words:
        return words[value]
    try:
        return (ip_network(text(value)),)
    except ValueError as error:
        raise vol.Invalid("expected private, any, or a network such as 192.168.1.0/24 or fd00::/8") from error


def permissions(value: Any) -> int:
    """Of a file, as ``chmod`` takes them: three octal digits."""
    if not isinstance(value, str) or not re.fullmatch("0?[0-7]{3}", value):
        raise vol.Invalid('expected three octal digits in quotes, such as "660"')
    return int(value, 8)


def uri(value: Any) -> Address:
    try:
        return Address.parse(text(value))
    except ConfigError as error:
        raise vol.Invalid(str(error).removeprefix(f"{value!r}: ")) from error


def device(value: Any) -> str:
    """Name, part of a name, or index of a sound input, as text."""
    return str(value) if type(value) is int and value >= 0 else any_text(value)


def option(known: Option) -> Check:
    """What an engine says of its own option."""

    def check(value: Any) -> Any:
        try:
            return known.check(value)
        except (ValueError, TypeError) as error:
            raise vol.Invalid(str(error)) from error

    return check
