"""Checks of settings. Each takes the written value and returns the value to use, or says what is allowed.

A key of the configuration is a dataclass field that ``setting`` makes. An option of an engine takes the same checks.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[Any], Any]
"""Takes the written value and returns the value to use; raises ValueError saying what is allowed."""

_PASSWORD = re.compile(r"(?<=://)([^\s/@:'\"]*):[^\s'\"]*(?=@)")
_KEY = re.compile(r"(?<=://)[^\s/@:'\"]+(?=@)")
_QUERY = re.compile(r"(?<=[?&#;])([\w.-]+)=[^\s&#;'\"]+")
_BARE_QUERY = re.compile(r"(://[^\s'\"?#]+[?#])[^\s=&'\",;:]+(?![^\s'\",;:])")
_PATH = re.compile(r"\b(https?|wss?|tcp|tls)(://[^\s'\"/?#,;]+)(/[^\s'\"?#,;]+)")
_NAMES_KEY = re.compile(r"key|token|secret|passw|pwd", re.IGNORECASE)
_OF_KEY = re.compile(r"(?=[^.]*[0-9])(?=[^.]*[A-Za-z])[A-Za-z0-9]{16,}|(?:sk|pk|hf)[-_][\w-]{8,}", re.ASCII)
_OF_API = re.compile(r"v[0-9][\w.]{0,8}|api|openai|audio|models|transcriptions|realtime|speech|stt|asr|inference")

Keys = tuple[Any, ...]
"""The path to a value: keys from the top, and indices into lists."""

CHECK = "check"
"""The key of a field's metadata that holds its Check."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in a setting."""

    path: Keys
    problem: str
    """The values that are allowed, in words."""
    shown: bool = True
    """Whether messages include the value. False: the fault is about the key, or the value is secret."""


class Wrong(ValueError):
    """Raised for a value that is wrong in one or more places."""

    def __init__(self, problem: str = "", path: Keys = (), *, faults: tuple[Fault, ...] = ()) -> None:
        self.faults = faults or (Fault(path, problem),)
        super().__init__("; ".join(fault.problem for fault in self.faults))


def discreet(text: str) -> str:
    """Replace the secrets of addresses in a text by ``***``: passwords, user names, queries, and keys in a path.

    A part of a path counts as a key by its looks. Where the address is a user's own, ``guarded`` hides more.
    """
    return _PATH.sub(lambda found: found[1] + found[2] + _path(found[3], _like_a_key), _without_queries(text))


def guarded(text: str) -> str:
    """Replace every part of an address that may be a secret by ``***``, also each part of a path that no API needs."""
    return _PATH.sub(lambda found: found[1] + found[2] + _path(found[3], _unusual), _without_queries(text))


def hidden_parts(address: str) -> tuple[str, ...]:
    """The parts of an address's path that ``guarded`` hides, longest first, to be removed from other texts.

    Parts of up to three characters are left out, since they stand in other words, too.
    """
    parts = {part for part in urlsplit(address).path.split("/") if len(part) > 3 and _unusual("", part)}
    return tuple(sorted(parts, key=len, reverse=True))


def _without_queries(text: str) -> str:
    text = _KEY.sub("***", _PASSWORD.sub(r"\1:***", text))
    return _BARE_QUERY.sub(r"\1***", _QUERY.sub(r"\1=***", text))


def _path(path: str, hide: Callable[[str, str], bool]) -> str:
    """A path with ``***`` for the parts that ``hide`` names by the part before and the part itself."""
    parts = path.split("/")
    return "/".join(
        "***" if part and hide(before, part) else part for before, part in zip(["", *parts], parts, strict=False)
    )


def _like_a_key(before: str, part: str) -> bool:
    named = bool(_NAMES_KEY.search(part)) and "." not in part
    return named or bool(_NAMES_KEY.fullmatch(before)) or bool(_OF_KEY.fullmatch(part))


def _unusual(_before: str, part: str) -> bool:
    return not _OF_API.fullmatch(part)


def setting(check: Check, *, default: Any = MISSING) -> Any:
    """Make a dataclass field that is a key of the configuration.

    :param default: used where a user's mapping lacks the key; mappings are copied. Without it the key must be there,
        like every key of default.yaml.
    """
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata={CHECK: check})
    return field(default=default, metadata={CHECK: check})


@contextmanager
def collected(faults: list[Fault], *path: Any) -> Iterator[None]:
    """Collect the faults that a check inside the context finds, with ``path`` before theirs."""
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
    """Make a check for a whole number within a range; true and 1.0 are refused."""

    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Wrong(f"expected {what}, {low} to {high}")
        return value

    return check


def number(what: str, low: float, high: float) -> Check:
    """Make a check for a number within a range; true and NaN are refused."""

    def check(value: Any) -> float:
        if type(value) not in (int, float) or not low <= value <= high:
            raise Wrong(f"expected {what}, {low:g} to {high:g}")
        return float(value)

    return check


class Secret(str):
    """Secret text. It prints as ``***``; methods such as ``str.encode`` give the real text."""

    def __repr__(self) -> str:
        return "'***'"

    __slots__ = ()


def secret(value: Any) -> Secret:
    """Check a key or password: printable ASCII without blanks, or empty. No message shows it."""
    if value in (None, ""):
        return Secret()
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise Wrong(faults=(Fault((), "expected a key of printable ASCII characters without blanks", shown=False),))
    return Secret(value)


def any_text(value: Any) -> str:
    """Check a text of printable characters, which may be empty."""
    if not isinstance(value, str):
        quotes = "" if value is None or isinstance(value, (dict, list, tuple)) else "; put it in quotes"
        raise Wrong(f"expected text{quotes}")
    if not value.isprintable():
        raise Wrong("expected text without control characters")
    return value


def text(value: Any) -> str:
    """Check a text: at least one printable character, no blanks around it."""
    stripped = any_text(value).strip()
    if not stripped:
        raise Wrong("expected text that is not empty")
    return stripped


def short_text(max_bytes: int) -> Check:
    """Make a check for a text of printable characters, maybe empty, of at most ``max_bytes`` in UTF-8."""

    def check(value: Any) -> str:
        if len(any_text(value).encode()) > max_bytes:
            raise Wrong(f"expected at most {max_bytes} bytes of text")
        return str(value)

    return check


def one_of(choices: Iterable[str]) -> Check:
    """Make a check for one of these words. It returns the choice itself, such as a member of an enumeration."""
    known = {str(choice): choice for choice in choices}

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise Wrong(f"expected one of {', '.join(known)}")
        return known[value]

    return check


def list_of(each: Check, *, what: str = "a list", at_least: int = 0) -> Check:
    """Make a check for a list whose members pass ``each``; it returns a tuple."""

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
    """Make a check for a mapping with keys of the user's choice and values that pass ``each``.

    :param what: the meaning of the keys, for the message.
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
    """Make a check that also allows null."""

    def check_or_null(value: Any) -> Any:
        return None if value is None else check(value)

    return check_or_null


def or_zero(check: Check) -> Check:
    """Make a check that also allows 0 as a special value."""

    def check_or_zero(value: Any) -> Any:
        if type(value) is int and value == 0:
            return 0
        try:
            return check(value)
        except Wrong as error:
            raise Wrong(f"{error}, or 0") from error

    return check_or_zero


MAX_PATH, MAX_NAME = 1_024, 255
"""Most bytes of a path, and of one part of it. Linux takes four times the first; names are still appended."""


def path(value: Any) -> Path:
    """Check a path; ``~`` is the home folder."""
    try:
        found = Path(text(value)).expanduser()
    except RuntimeError as error:
        raise Wrong("expected a path; whose home folder this is, is not known") from error
    if len(os.fsencode(found)) > MAX_PATH or any(len(os.fsencode(part)) > MAX_NAME for part in found.parts):
        raise Wrong(f"expected a path of at most {MAX_PATH} bytes, and {MAX_NAME} between two slashes")
    return found


_TOKEN = re.compile(r"[0-9a-fA-F]{32,}|(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[^/]{20,}|(sk|hf|gsk)[-_][^/]{10,}")
"""Matches keys and tokens, and hardly any file's name."""


def secret_path(value: Any) -> Path:
    """Check the path of a file with a key or token. Messages never show a key that was pasted in its place."""
    if not isinstance(value, str) or _TOKEN.fullmatch(value.strip()):
        problem = "expected the path of a file that holds it, not the key or token itself"
        raise Wrong(faults=(Fault((), problem, shown=False),))
    return path(value)


def variable_name(value: Any) -> str:
    """Check the name of an environment variable, or empty. Messages never show a key that was pasted in its place."""
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z_]\w{0,99}", value) or _TOKEN.fullmatch(value):
        problem = "expected the name of an environment variable that holds it, not the key or token itself"
        raise Wrong(faults=(Fault((), problem, shown=False),))
    return value


def host(value: Any) -> str:
    """Check a host's name or address; brackets around IPv6 are removed."""
    name = text(value)
    if any(c.isspace() or c in "/@" for c in name):
        raise Wrong("expected a host name or an address, such as 0.0.0.0")
    return name.removeprefix("[").removesuffix("]")


def web_address(value: Any) -> str:
    """Check an address that starts with http:// or https:// and names a host."""
    address = text(value)
    try:
        parts = urlsplit(address)
        (parts.hostname or "").encode("idna")  # as clients encode it; refuses empty and too long labels
        usable = parts.port != 0
    except ValueError as error:
        raise Wrong(f"expected an address such as https://host/path: {error}") from error
    if not usable:
        raise Wrong("expected a port, 1 to 65535")
    if parts.scheme not in ("http", "https") or not parts.hostname or any(c.isspace() for c in address):
        raise Wrong("expected an address that starts with http:// or https://")
    return address
