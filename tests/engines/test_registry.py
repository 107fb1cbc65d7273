"""The registry: engines that are installed, and others."""

from dataclasses import replace

import pytest

from irene_wyoming.engines import registry
from irene_wyoming.errors import ConfigError, EngineUnavailable

SPEC = replace(
    registry.spec("asr", "guided"),
    requires=("json.decoder", "no_such_package", "no_such_package.part", "json.no_such_part"),
    install="pip install it",
)


def test_what_is_missing_is_found_within_packages_too() -> None:
    assert registry.missing(SPEC) == ["no_such_package", "no_such_package.part", "json.no_such_part"]


def test_an_engine_that_is_not_installed_says_what_to_do() -> None:
    with pytest.raises(EngineUnavailable, match=r"guided: no_such_package, .* is not installed; pip install it"):
        registry.require(SPEC)


def test_a_name_that_nobody_registered_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"asr provider 'giuded': expected one of .*guided"):
        registry.spec("asr", "giuded")
