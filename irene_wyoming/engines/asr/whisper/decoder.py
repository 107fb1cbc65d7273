"""Decoder: text from one piece of speech, by a Whisper model in a window as long as the speech.

Whisper was trained on windows of 30 s, and its encoder is three quarters of the work, whether they hold speech or not.
It hears as well in a window that ends soon after the speech (whisper.cpp calls it ``audio_ctx``), in half of the CPU
time. Where the window is too short, the model says everything twice; then the whole window is decoded.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.asr.whisper.library import Tokenizer, get_compression_ratio, get_suppressed_tokens

BEHIND_S = 12.0
"""Silence behind the speech in a short window. With 1 s, 8 of 20 recorded orders came out two or three times; with 3 s,
2 did, and others had another word; with 8 s, none of 44 did. The encoder takes three times as long over 30 s."""

LONGEST_S = 28.0
"""Speech that is decoded in one window. What is longer is left to the library, which moves the window along."""

ROWS_PER_SECOND = 100
"""Rows of features in a second of audio."""

TOKENS_PER_SECOND = 12
"""Nobody speaks faster; a model that has lost its way repeats itself until it is stopped."""

MAX_TOKENS = 220
"""Tokens of one transcript: half of a model's 448. The other half is for what the model is told before it."""

REPEATS = 2.4
"""How far text that repeats itself can be compressed. Whisper's own limit; speech is below 1.6."""

NO_SPEECH, UNSURE = 0.45, -0.7
"""Where Whisper takes the sound for no speech with this probability, and its text is no likelier than this, nothing was
said. Its own limits are 0.6 and -1. With them, 4 of 34 pieces of a kitchen and of music became words in these windows.
All 34 had 0.52 to 0.79. Of 86 recorded words and orders 10 and 5 dB above that kitchen none had more than 0.39."""


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    language: str
    """The language that was spoken, as Whisper calls it."""
    confidence: float
    """The mean probability of a token, geometrically: 0 to 1."""
    reason: str | None = None
    """Why there is no text; None: there is some, or nothing was said."""


class Decoder:
    """Decodes with one model.

    :param model: a WhisperModel of faster-whisper.
    :param beam_size: how many ways of hearing are followed at once.
    :param initial_prompt: text in the style that is wanted; None: none.
    :param short_window: whether windows may be shorter than 30 s.
    """

    def __init__(self, model: Any, beam_size: int, initial_prompt: str | None, *, short_window: bool) -> None:
        self._model = model
        self._beam_size = beam_size
        self._initial_prompt = initial_prompt
        self._short_window = short_window

    def decode(self, samples: NDArray[np.float32], language: str | None, names: Sequence[str]) -> Decoded:
        """What was said.

        :param samples: 16 kHz mono, full scale 1.
        :param language: as Whisper calls it; None: found out from the sound.
        :param names: what the model is to lean towards, the most important first; as many as it takes are told to it.
        :raises RuntimeError, ValueError: the model breaks.
        """
        seconds = len(samples) / SPEECH.rate
        if seconds > LONGEST_S:
            return self._long(samples, language, names)
        features = self._model.feature_extractor(samples)
        if self._short_window:
            decoded = self._window(features, features.shape[1] + int(BEHIND_S * ROWS_PER_SECOND), language, names)
            if not said_again(decoded.text):
                return decoded
        decoded = self._window(features, self._whole, language, names)
        if endless(decoded.text) and names:  # they may have led it astray
            decoded = self._window(features, self._whole, language, ())
        return silenced(decoded, "repeats itself") if endless(decoded.text) else decoded

    @property
    def _whole(self) -> int:
        """Rows of a whole window."""
        rows: int = self._model.feature_extractor.nb_max_frames
        return rows

    def _window(self, features: NDArray[Any], rows: int, language: str | None, names: Sequence[str]) -> Decoded:
        """Decode the features in a window of so many rows."""
        rows = min(rows, self._whole)
        features = features[:, :rows]
        seconds = features.shape[1] / ROWS_PER_SECOND
        encoded = self._model.encode(np.pad(features, ((0, 0), (0, rows - features.shape[1]))))
        language = language or self._language(encoded)
        tokenizer = self._tokenizer(language)
        before = tokenizer.encode(" " + self._initial_prompt.strip())[:MAX_TOKENS] if self._initial_prompt else []
        told = told_names(tokenizer, names, MAX_TOKENS - len(before))
        prompt = self._model.get_prompt(tokenizer, before, without_timestamps=True, hotwords=told)
        (result,) = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=self._beam_size,
            max_length=len(prompt) + min(MAX_TOKENS, 10 + math.ceil(TOKENS_PER_SECOND * seconds)),
            suppress_tokens=get_suppressed_tokens(tokenizer, (-1,)),
            return_scores=True,
            return_no_speech_prob=True,
        )
        tokens = result.sequences_ids[0]
        likely = result.scores[0] * len(tokens) / (len(tokens) + 1)  # with the end of the text, which has none
        decoded = Decoded(tokenizer.decode(tokens).strip(), language, min(1.0, math.exp(likely)))
        nothing = result.no_speech_prob > NO_SPEECH and likely <= UNSURE
        return silenced(decoded, "no speech") if nothing else decoded

    def _tokenizer(self, language: str) -> Tokenizer:
        many = self._model.model.is_multilingual
        return Tokenizer(self._model.hf_tokenizer, many, task="transcribe", language=language)

    def _language(self, encoded: Any) -> str:
        """The likeliest one, as in ``<|en|>``."""
        if not self._model.model.is_multilingual:
            return "en"
        likeliest: str = self._model.model.detect_language(encoded)[0][0][0]
        return likeliest[2:-2]

    def _long(self, samples: NDArray[np.float32], language: str | None, names: Sequence[str]) -> Decoded:
        """More than one window of speech."""
        found, about = self._model.transcribe(
            samples,
            language=language,
            beam_size=self._beam_size,
            temperature=0.0,  # a second try with chance in it takes as long again, and is seldom right
            condition_on_previous_text=False,
            without_timestamps=True,
            initial_prompt=self._initial_prompt,
            hotwords=told_names(self._tokenizer(language or "en"), names, MAX_TOKENS),
            max_new_tokens=MAX_TOKENS,
        )
        segments = list(found)  # here it does the work
        text = "".join(segment.text for segment in segments).strip()
        return Decoded(text, about.language, confidence(segments))


def told_names(tokenizer: Tokenizer, names: Sequence[str], most: int) -> str | None:
    """The first names, as many whole ones as fit; None: none.

    The library would cut the last one in two, and half a name leads the model astray. Names take a token for every
    three letters in English, and up to two for every letter in other scripts.

    :param most: tokens.
    """
    told = list[str]()
    for name in names:
        most -= len(tokenizer.encode(f", {name}"))
        if most < 0:
            break
        told.append(name)
    return ", ".join(told) or None


def said_again(text: str) -> bool:
    """Whether all of the text is one phrase twice or more often, of which the last may be cut short."""
    words = "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()
    periods = range(1, len(words) // 2 + 1)
    return endless(text) or any(
        words[period:-1] == words[: -period - 1] and words[-period - 1].startswith(words[-1]) for period in periods
    )


def endless(text: str) -> bool:
    """Whether the text repeats itself over and over, as that of a model does which has lost its way."""
    return bool(text) and get_compression_ratio(text) > REPEATS


def silenced(decoded: Decoded, reason: str) -> Decoded:
    """What a model made of sound that is no speech."""
    return Decoded("", decoded.language, decoded.confidence, reason)


def confidence(segments: Sequence[Any]) -> float:
    """The mean probability of a token, geometrically: 0 to 1."""
    tokens = sum(len(segment.tokens) + 1 for segment in segments)
    likely = sum(segment.avg_logprob * (len(segment.tokens) + 1) for segment in segments)
    return min(1.0, math.exp(likely / tokens)) if tokens else 0.0
