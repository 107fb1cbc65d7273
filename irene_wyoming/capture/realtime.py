"""RealTime: priority over everything else of this machine, for what captures and nothing more."""

import logging
import os

log = logging.getLogger(__name__)


class RealTime:
    """Gives a thread or process a real-time priority where this machine allows it. Where not, it says so once."""

    def __init__(self, priority: int) -> None:
        """``priority``: 1 to 99, of SCHED_FIFO; 0: none is wanted."""
        self._priority = priority

    def give(self, name: str, task: int = 0) -> None:
        """``name``: of the source, for the log; ``task``: number of the thread or process, 0 for the calling thread."""
        if not self._priority:
            return
        try:
            os.sched_setscheduler(task, os.SCHED_FIFO, os.sched_param(self._priority))
        except ProcessLookupError:
            return  # it has ended already, and whoever reads from it will say why
        except (OSError, AttributeError) as error:  # AttributeError: no Linux
            log.warning(
                "%s: goes on without real-time priority (%s); allow it with LimitRTPRIO=%d in the service's unit, or"
                " --cap-add SYS_NICE and --ulimit rtprio=%d for a container",
                name,
                getattr(error, "strerror", None) or "this system has none",
                self._priority,
                self._priority,
            )
            self._priority = 0
