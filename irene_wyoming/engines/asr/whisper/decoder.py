"""Decoder: transcribes one piece of speech by a Whisper model, in a window as long as the speech.

Whisper was trained on windows of 30 s, and its encoder is three quarters of the work for any content. A window that
ends soon after the speech (``audio_ctx`` in whisper.cpp) is as good, in half of the CPU time. In a window that is too
short the model repeats everything; then the whole window is decoded.
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
"""Seconds of silence behind the speech in a short window. With 1 s, 8 of 20 recorded orders were repeated; with 3 s, 2
were, and others had another word; with 8 s, none of 44 were. The encoder takes three times as long over 30 s.
"""

LONGEST_S = 28.0
"""Most seconds of speech in one window. The library moves the window along longer speech."""

ROWS_PER_SECOND = 100
"""Rows of features per second of audio."""

TOKENS_PER_SECOND = 12
"""Most tokens per second of speech; a model that has lost its way repeats itself until it is stopped."""

MAX_TOKENS = 220
"""Most tokens of one transcript: half of a model's 448. The other half is for the prompt."""

REPEATS = 2.4
"""Compression ratio of text from which it repeats itself. Whisper's own limit; speech is below 1.6."""

NO_SPEECH, UNSURE = 0.45, -0.7
"""No-speech probability from which, and mean log probability up to which, nothing was said. Whisper's own limits are
0.6 and -1. With those, 4 of 34 pieces of a kitchen and of music became words in these windows. All 34 had 0.52 to 0.79.
Of 86 recorded words and orders 10 and 5 dB above that kitchen none had more than 0.39.
"""


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    language: str
    """The spoken language by Whisper's code."""
    confidence: float
    """The geometric mean probability of a token, 0 to 1."""
    reason: str | None = None
    """The reason why there is no text; None: there is some, or nothing was said."""


class Decoder:
    """Decodes with one model.

    :param model: a WhisperModel of faster-whisper.
    :param beam_size: number of hypotheses followed at once.
    :param initial_prompt: text in the wanted style; None: none.
    :param short_window: whether windows may be shorter than 30 s.
    """

    def __init__(self, model: Any, beam_size: int, initial_prompt: str | None, *, short_window: bool) -> None:
        self._model = model
        self._beam_size = beam_size
        self._initial_prompt = initial_prompt
        self._short_window = short_window

    def decode(self, samples: NDArray[np.float32], language: str | None, names: Sequence[str]) -> Decoded:
        """Transcribe speech.

        :param samples: 16 kHz mono, full scale 1.
        :param language: Whisper's code; None: detect it from the sound.
        :param names: names to lean towards, the most important first; as many as fit are used.
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
        if endless(decoded.text) and names:  # the names may have led it astray
            decoded = self._window(features, self._whole, language, ())
        return silenced(decoded, "repeats itself") if endless(decoded.text) else decoded

    @property
    def _whole(self) -> int:
        """Rows of features in a whole window."""
        rows: int = self._model.feature_extractor.nb_max_frames
        return rows

    def _window(self, features: NDArray[Any], rows: int, language: str | None, names: Sequence[str]) -> Decoded:
        """Decode the features in a window of this many rows."""
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
        # includes the end of the text, which is no token here
        likely = result.scores[0] * len(tokens) / (len(tokens) + 1)
        decoded = Decoded(tokenizer.decode(tokens).strip(), language, min(1.0, math.exp(likely)))
        nothing = result.no_speech_prob > NO_SPEECH and likely <= UNSURE
        return silenced(decoded, "no speech") if nothing else decoded

    def _tokenizer(self, language: str) -> Tokenizer:
        many = self._model.model.is_multilingual
        return Tokenizer(self._model.hf_tokenizer, many, task="transcribe", language=language)

    def _language(self, encoded: Any) -> str:
        """The likeliest language, such as ``<|en|>``."""
        if not self._model.model.is_multilingual:
            return "en"
        likeliest: str = self._model.model.detect_language(encoded)[0][0][0]
        return likeliest[2:-2]

    def _long(self, samples: NDArray[np.float32], language: str | None, names: Sequence[str]) -> Decoded:
        """Decode more than one window of speech."""
        found, about = self._model.transcribe(
            samples,
            language=language,
            beam_size=self._beam_size,
            temperature=0.0,  # a second try with random choices takes as long again, and is seldom right
            condition_on_previous_text=False,
            without_timestamps=True,
            initial_prompt=self._initial_prompt,
            hotwords=told_names(self._tokenizer(language or "en"), names, MAX_TOKENS),
            max_new_tokens=MAX_TOKENS,
        )
        segments = list(found)  # the work is done here
        text = "".join(segment.text for segment in segments).strip()
        return Decoded(text, about.language, confidence(segments))


def told_names(tokenizer: Tokenizer, names: Sequence[str], most: int) -> str | None:
    """Join the first names, as many whole ones as fit; None: none fits.

    The library would cut the last one in two, and half a name leads the model astray. Names take a token for every
    three letters in English, and up to two for every letter in other scripts.

    :param most: most tokens.
    """
    told = list[str]()
    for name in names:
        most -= len(tokenizer.encode(f", {name}"))
        if most < 0:
            break
        told.append(name)
    return ", ".join(told) or None


def said_again(text: str) -> bool:
    """Whether the text is one phrase twice or more often; the last one may be cut short."""
    words = "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()
    periods = range(1, len(words) // 2 + 1)
    return endless(text) or any(
        words[period:-1] == words[: -period - 1] and words[-period - 1].startswith(words[-1]) for period in periods
    )


def endless(text: str) -> bool:
    """Whether the text repeats itself over and over, as of a model that has lost its way."""
    return bool(text) and get_compression_ratio(text) > REPEATS


def silenced(decoded: Decoded, reason: str) -> Decoded:
    """The result for a sound that is no speech."""
    return Decoded("", decoded.language, decoded.confidence, reason)


def confidence(segments: Sequence[Any]) -> float:
    """The geometric mean probability of a token, 0 to 1."""
    tokens = sum(len(segment.tokens) + 1 for segment in segments)
    likely = sum(segment.avg_logprob * (len(segment.tokens) + 1) for segment in segments)
    return min(1.0, math.exp(likely / tokens)) if tokens else 0.0
