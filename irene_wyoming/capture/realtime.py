"""RealTime: real-time priority for the thread or process that captures, and for nothing else."""

import logging
import os

log = logging.getLogger(__name__)


class RealTime:
    """Gives a thread or process a real-time priority. A machine that does not allow it is logged once."""

    def __init__(self, priority: int) -> None:
        """:param priority: 1 to 99, of SCHED_FIFO; 0: none is wanted."""
        self._priority = priority

    def give(self, name: str, task: int = 0) -> None:
        """:param name: the source's, for the log.
        :param task: number of the thread or process; 0: the calling thread.
        """
        if not self._priority:
            return
        try:
            os.sched_setscheduler(task, os.SCHED_FIFO, os.sched_param(self._priority))
        except ProcessLookupError:
            return  # it has ended already, and its reader will say why
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
