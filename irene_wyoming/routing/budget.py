"""Budget: how long one provider may still take for an utterance."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Budget:
    """Counts the seconds that one provider may still use.

    Where another one could answer, what counts is the time that this one takes after the end of the audio. Once it has
    used up its deadline, the utterance is handed over. The last provider has until ``allowed_s`` after the end, so that
    waiting loses no transcript. Each call before the end may take ``allowed_s``.

    :param allowed_s: the provider's deadline, or its longest time where it is the last.
    :param last: no other provider could answer.
    :param ended: the clock's reading at the end of the audio; None: it goes on.
    :param clock: monotonic seconds.
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
        """Seconds that a call may take if it begins now."""
        ended = self._ended()
        if ended is None:
            return self._allowed_s
        used_s = self._clock() - ended if self._last else self._used_s
        return max(0.0, self._allowed_s - used_s)

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Count the duration of the context, as far as it lies after the end of the audio."""
        began = self._clock()
        try:
            yield
        finally:
            ended = self._ended()
            if ended is not None:
                self._used_s += self._clock() - max(began, ended)
