"""The packaged model, loaded once for all tests of the engine."""

import pytest

from irene_wyoming.engines.asr.guided.model import Moonshine, packaged


@pytest.fixture(scope="session")
def model() -> Moonshine:
    return Moonshine(packaged())
