"""AsrRouter: several speech-to-text providers as one. When one fails, the next hears the utterance from its start."""

import time
from collections.abc import Callable, Sequence

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.base import AsrRequest, ModelInfo, unknown_model
from irene_wyoming.routing.admission import Admission
from irene_wyoming.routing.cascade import Cascade
from irene_wyoming.routing.policy import Policy
from irene_wyoming.routing.provider import Provider
from irene_wyoming.routing.utterance import Utterance


class AsrRouter:
    """Chooses among providers that all take the same audio format.

    :param providers: at least one, in order of preference.
    :param cascade: judges whether the first answer is good enough; None: it always is.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        policy: Policy,
        admission: Admission,
        cascade: Cascade | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.providers = tuple(providers)
        self.policy = policy
        self.admission = admission
        self.cascade = cascade
        self.clock = clock

    @property
    def format(self) -> AudioFormat:
        return SPEECH

    def models(self) -> Sequence[ModelInfo]:
        return [info for provider in self.providers for info in provider.models()]

    def utterance(self, request: AsrRequest) -> Utterance:
        return Utterance(request, self.format, self.order, self.admission, self.cascade, self.clock)

    def order(self, request: AsrRequest) -> list[Provider]:
        """The providers to ask, one after the other. A request that names a model goes only to those that have it.

        :raises UnknownModel: no provider has the named model.
        """
        able = self.providers
        if request.model is not None:
            able = tuple(one for one in able if any(info.name == request.model for info in one.models()))
            if not able:
                raise unknown_model(request.model, self.models())
        by_name = {provider.name: provider for provider in able}
        return [by_name[name] for name in self.policy.order([provider.standing for provider in able])]
