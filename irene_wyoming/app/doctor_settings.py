"""The doctor's examination of the configuration: missing files and doubtful settings."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from irene_wyoming.app import doubts
from irene_wyoming.app.findings import Finding, Level
from irene_wyoming.app.links import Link, broken, doubtful, good
from irene_wyoming.app.opening import opened
from irene_wyoming.config.model import Config

NAME = "configuration"

CURES: Mapping[str, str] = {
    "servers": "set wake.enabled, asr.enabled or mic.enabled to true",
    "certificate": "put a certificate and its key there, or correct access.certificate and access.key",
    "token_file": "put a token there (openssl rand -hex 32), or correct access.token_file",
    "metrics address": "stop the other program, or set another metrics.port",
    "web address": "stop the other program, or set another web.port",
    "folders": "make the folder, or correct its path",
    "folder": "choose a folder that this program may write to",
    "data_dir": "choose a folder that this program may write to, or free some space",
    "configuration": "correct it: `irene-wyoming config` prints every setting with what it takes",
    "wake.default_models": "correct the word, or put its model into a folder of wake words",
    "wake.models": "correct the word's name: `irene-wyoming describe` lists those that are here",
    "asr.language": "set asr.default_provider to auto, which fetches a model, or fetch one: `irene-wyoming models`",
    "sentences": "write the sentence as it is said",
}
"""Cures by the end, or the start, of a finding's subject."""


async def of_settings(config: Config) -> AsyncIterator[Link]:
    """Examine whether everything that the configuration names exists, before any server is asked."""
    found = [finding async for finding in opened(config) if finding.level is not Level.OK]
    for finding in found:
        yield of_finding(finding)
    if not found:
        yield good(NAME, "valid, and what it names is here")


async def of_meaning(config: Config, words: Sequence[str], languages: Sequence[str]) -> AsyncIterator[Link]:
    """Examine settings for doubtful values.

    :param words: wake words that the server knows; empty: unknown.
    :param languages: languages that the speech-to-text server understands; empty: unknown.
    """
    told = doubts.of_words(config.wake, words, config.data_dir) if words and config.wake.enabled else []
    if config.asr.enabled:
        told += doubts.of_tags(config.asr, languages) if languages else []
        told += await asyncio.to_thread(doubts.of_sentences, config.asr)
    for doubt in told:
        about, _, text = doubt.partition(": ")
        yield of_finding(Finding(Level.WARNING, about, text))


def of_finding(finding: Finding) -> Link:
    """A finding of ``check`` as a link with its cure."""
    text = f"{finding.about}: {finding.text}" if finding.about != NAME else finding.text
    make = broken if finding.level is Level.ERROR else doubtful
    return make(NAME, text, cure_of(finding.about))


def cure_of(about: str) -> str:
    """The cure for a finding's subject."""
    ends = (cure for key, cure in CURES.items() if about.endswith(key) or about.startswith(f"{key}."))
    return next(ends, CURES["configuration"])


def refused(error: Exception) -> Link:
    """The link for a wrong configuration, with which no server starts."""
    return broken(NAME, str(error).replace("\n", "; "), CURES["configuration"])
