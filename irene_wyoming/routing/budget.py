"""Budget: how long one provider may still take for an utterance."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Budget:
    """Seconds for one provider.

    Where another one could answer, what counts is the time that this one takes after the end of the audio. Once it has
    used up its deadline, the utterance is handed over. Where none is left, it has until ``allowed_s`` after the end, so
    that nobody loses a transcript by waiting. Any one call before the end may take ``allowed_s``.

    :param allowed_s: the provider's deadline, or its longest time where it is the last.
    :param last: no other provider could answer.
    :param ended: when the audio has ended, by the clock; None: it goes on.
    :param clock: seconds, never going back.
    """

    def __init__(
        self, allowed_s: float, ended: Callable[[], float | None], clock: Callable[[], float], *, last: bool
    ) -> None:
        self._allowed_s = allowed_s
        self._ended = ended
        self._clock = clock
        self._last = last
        self._used_s = 0.0

    def left_s(self) -> float:
        """How long a call that begins now may take."""
        ended = self._ended()
        if ended is None:
            return self._allowed_s
        used_s = self._clock() - ended if self._last else self._used_s
        return max(0.0, self._allowed_s - used_s)

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Count the time that the context lasts, as far as the audio has ended."""
        began = self._clock()
        try:
            yield
        finally:
            ended = self._ended()
            if ended is not None:
                self._used_s += self._clock() - max(began, ended)
