"""Code that several commands share."""

import pytest

from irene_wyoming.cli.common import address


def test_the_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert address("tcp://irene:10400").token == ""
    monkeypatch.setenv("IRENE_WYOMING_TOKEN", "correct horse battery staple")
    assert address("tcp://irene:10400").token == "correct horse battery staple"
    assert address("tcp://irene:10400").uri == "tcp://irene:10400"
