"""Checks of settings: each takes the value that was written, and returns the value to use or says what is allowed.

A key of the configuration is a dataclass field that ``setting`` makes. An option of an engine takes the same checks.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[Any], Any]
"""Takes what was written, returns what to use, raises ValueError saying what is allowed."""

_PASSWORD = re.compile(r"(?<=://)([^\s/@:'\"]*):[^\s'\"]*(?=@)")
_KEY = re.compile(r"(?<=://)[^\s/@:'\"]+(?=@)")
_QUERY = re.compile(r"(?<=[?&])([\w.-]+)=[^\s&'\"]+")

Keys = tuple[Any, ...]
"""Keys from the top to a value; in a list, its index."""

CHECK = "check"
"""Under this name a field's metadata holds its Check."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    path: Keys
    problem: str
    """What is allowed."""
    shown: bool = True
    """Whether a message gives the value, too. False: the fault is about the key, or the value is secret."""


class Wrong(ValueError):
    """A value that is wrong in one or more places."""

    def __init__(self, problem: str = "", path: Keys = (), *, faults: tuple[Fault, ...] = ()) -> None:
        self.faults = faults or (Fault(path, problem),)
        super().__init__("; ".join(fault.problem for fault in self.faults))


def discreet(text: str) -> str:
    """The text with ``***`` for what an address in it keeps secret: a password, a key that stands where a user's name
    does, and whatever stands in its query.
    """
    return _QUERY.sub(r"\1=***", _KEY.sub("***", _PASSWORD.sub(r"\1:***", text)))


def setting(check: Check, *, default: Any = MISSING) -> Any:
    """A dataclass field that is a key of the configuration.

    :param default: stands in where a user's mapping lacks the key, a mapping as a copy of its own. Without it the key
        must be there, as every key of default.yaml is.
    """
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata={CHECK: check})
    return field(default=default, metadata={CHECK: check})


@contextmanager
def collected(faults: list[Fault], *path: Any) -> Iterator[None]:
    """Gather what a check inside finds wrong, as seen from where ``path`` begins."""
    try:
        yield
    except Wrong as wrong:
        faults += [Fault((*path, *fault.path), fault.problem, fault.shown) for fault in wrong.faults]
    except (ValueError, TypeError) as error:
        faults.append(Fault(path, str(error)))


def boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise Wrong("expected true or false")
    return value


def whole(what: str, low: int, high: int) -> Check:
    """A whole number within a range; true and 1.0 are none."""

    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Wrong(f"expected {what}, {low} to {high}")
        return value

    return check


def number(what: str, low: float, high: float) -> Check:
    """A number within a range, whole or not; true and NaN are none."""

    def check(value: Any) -> float:
        if type(value) not in (int, float) or not low <= value <= high:
            raise Wrong(f"expected {what}, {low:g} to {high:g}")
        return float(value)

    return check


class Secret(str):
    """Text that must not be seen where settings are shown: it is printed as ``***``, and read by ``str.encode`` and the
    like.
    """

    def __repr__(self) -> str:
        return "'***'"

    __slots__ = ()


def secret(value: Any) -> Secret:
    """A key or password: printable ASCII without blanks, or nothing. No message gives it."""
    if value in (None, ""):
        return Secret()
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise Wrong(faults=(Fault((), "expected a key of printable ASCII characters without blanks", shown=False),))
    return Secret(value)


def any_text(value: Any) -> str:
    """Printable characters, or none."""
    if not isinstance(value, str):
        quotes = "" if value is None or isinstance(value, (dict, list, tuple)) else "; put it in quotes"
        raise Wrong(f"expected text{quotes}")
    if not value.isprintable():
        raise Wrong("expected text without control characters")
    return value


def text(value: Any) -> str:
    """At least one printable character; no blanks around it."""
    stripped = any_text(value).strip()
    if not stripped:
        raise Wrong("expected text that is not empty")
    return stripped


def short_text(max_bytes: int) -> Check:
    """Printable characters, or none, that take at most ``max_bytes`` in UTF-8."""

    def check(value: Any) -> str:
        if len(any_text(value).encode()) > max_bytes:
            raise Wrong(f"expected at most {max_bytes} bytes of text")
        return str(value)

    return check


def one_of(choices: Iterable[str]) -> Check:
    """One of these words; gives the choice itself, so that members of an enumeration come out as such."""
    known = {str(choice): choice for choice in choices}

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise Wrong(f"expected one of {', '.join(known)}")
        return known[value]

    return check


def list_of(each: Check, *, what: str = "a list", at_least: int = 0) -> Check:
    """A list whose members pass ``each``, as a tuple."""

    def check(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) < at_least:
            raise Wrong(f"expected {what}")
        members: list[Any] = []
        faults: list[Fault] = []
        for index, member in enumerate(value):
            with collected(faults, index):
                members.append(each(member))
        if faults:
            raise Wrong(faults=tuple(faults))
        return tuple(members)

    return check


def mapping_of(each: Check, *, what: str) -> Check:
    """A mapping whose keys are text that the user chose and whose values pass ``each``.

    :param what: what the keys are, for the message.
    """

    def check(value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise Wrong(f"expected a mapping, by {what}")
        members: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, member in value.items():
            with collected(faults, name):
                if not isinstance(name, str) or not name.strip():
                    raise Wrong(f"expected {what}, in quotes if it is a number")
                members[name] = each(member)
        if faults:
            raise Wrong(faults=tuple(faults))
        return members

    return check


def or_null(check: Check) -> Check:
    """What ``check`` takes, or null."""

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
        except Wrong as error:
            raise Wrong(f"{error}, or 0") from error

    return check_or_zero


def path(value: Any) -> Path:
    """A path; ``~`` is the home folder."""
    try:
        return Path(text(value)).expanduser()
    except RuntimeError as error:
        raise Wrong("expected a path; whose home folder this is, is not known") from error


def host(value: Any) -> str:
    """A host's name or address; the brackets that some write around IPv6 are taken off."""
    name = text(value)
    if any(c.isspace() or c in "/@" for c in name):
        raise Wrong("expected a host name or an address, such as 0.0.0.0")
    return name.removeprefix("[").removesuffix("]")


def web_address(value: Any) -> str:
    """An address that starts with http:// or https:// and names a host."""
    address = text(value)
    try:
        parts = urlsplit(address)
        (parts.hostname or "").encode("idna")  # as whoever connects does; it refuses empty and endless labels
        usable = parts.port != 0
    except ValueError as error:
        raise Wrong(f"expected an address such as https://host/path: {error}") from error
    if not usable:
        raise Wrong("expected a port, 1 to 65535")
    if parts.scheme not in ("http", "https") or not parts.hostname or any(c.isspace() for c in address):
        raise Wrong("expected an address that starts with http:// or https://")
    return address
