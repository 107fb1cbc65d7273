"""Methods of resampling by name: the quality levels, explicit ones, and those that other packages register.

A package registers a method under the entry point ``irene_wyoming.resampler``: a callable that takes (source rate,
target rate, channels, live) and gives a Resampler. It must pass the tests in tests/audio/test_methods.py.
"""

from collections.abc import Callable
from importlib.metadata import entry_points

from irene_wyoming.audio import fir
from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.format import LINEAR, METHOD_ENTRY_POINT, SOXR, Quality, method_names
from irene_wyoming.audio.plans import fir_plan
from irene_wyoming.audio.resample import FirResampler, LinearResampler, Resampler, SoxrResampler
from irene_wyoming.errors import AudioError

Make = Callable[[int, int, int, bool], Resampler]


def resampler(
    source_rate: int, target_rate: int, channels: int, method: str | AdaptivePolicy, *, live: bool
) -> Resampler:
    """Make the resampler for one new stream.

    :param method: a quality level, ``linear``, ``soxr``, a registered name; or the policy of an adaptive level.
    :param live: somebody waits for each chunk: levels use short filters, but for ratios whose table would be large.
    :raises AudioError: nobody registered that name.
    """
    if method == LINEAR:
        return LinearResampler(source_rate, target_rate, channels)
    if method == SOXR:
        return SoxrResampler(source_rate, target_rate, channels)
    policy = AdaptivePolicy() if method == Quality.ADAPTIVE else method
    level = policy if isinstance(policy, str) else policy.level(source_rate, target_rate)
    if level not in fir.LEVELS:
        return registered(str(level))(source_rate, target_rate, channels, live)
    if not live or not fir.fits(source_rate, target_rate, Quality(level)):
        return SoxrResampler(source_rate, target_rate, channels)
    return FirResampler(fir_plan(source_rate, target_rate, Quality(level)), channels)


def registered(name: str) -> Make:
    """Look up the method that another package has registered.

    :raises AudioError: there is none of that name.
    """
    for point in entry_points(group=METHOD_ENTRY_POINT, name=name):
        make: Make = point.load()
        return make
    raise AudioError(f"resampling method {name!r}: expected one of {', '.join(method_names())}")
