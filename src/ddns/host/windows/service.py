"""The service itself: this process as the service manager started it. No other program is needed for that."""

from __future__ import annotations

import sys
from collections.abc import Callable

assert sys.platform == "win32"

import pywintypes
import servicemanager
import win32service as scm

from ddns.errors import UsageError
from ddns.host.servicing import NAME

#: Milliseconds that a change of state may take before the manager thinks that we hang.
_HINT = 10_000
_ENDS = (scm.SERVICE_CONTROL_STOP, scm.SERVICE_CONTROL_SHUTDOWN, scm.SERVICE_CONTROL_PRESHUTDOWN)
_ACCEPTED = (
    scm.SERVICE_ACCEPT_STOP
    | scm.SERVICE_ACCEPT_SHUTDOWN
    | scm.SERVICE_ACCEPT_PRESHUTDOWN
    | scm.SERVICE_ACCEPT_POWEREVENT
)
#: PBT_APMRESUMEAUTOMATIC: the machine woke up, with or without a user.
_RESUMED = 0x12
#: ERROR_SERVICE_SPECIFIC_ERROR: the exit code is our own.
_OWN_ERROR = 1066
#: ERROR_FAILED_SERVICE_CONTROLLER_CONNECT: a person started us.
_NO_MANAGER = 1063


class _Service:
    """What `servicemanager` makes when the manager calls. It has no arguments to give but the service's name."""

    _svc_name_ = NAME
    work: Callable[[], int]
    stop: Callable[[], None]
    resumed: Callable[[], None]
    exit = 0

    def __init__(self, arguments: tuple[str, ...]) -> None:
        self._handle = servicemanager.RegisterServiceCtrlHandler(arguments[0], self._control, True)
        self._report(scm.SERVICE_START_PENDING)

    def SvcRun(self) -> None:  # noqa: N802 - the name that `servicemanager` calls
        """Work, in a thread of the manager's, until the end."""
        kind = type(self)
        kind.exit = 1  # what the manager hears if the work ends by an exception
        self._report(scm.SERVICE_RUNNING)
        try:
            kind.exit = kind.work()
        finally:
            self._report(scm.SERVICE_STOPPED, kind.exit)

    def _control(self, control: int, kind: int, _data: object) -> int:
        """The manager says something, in yet another thread."""
        if control in _ENDS:
            self._report(scm.SERVICE_STOP_PENDING)
            type(self).stop()
        elif control == scm.SERVICE_CONTROL_POWEREVENT and kind == _RESUMED:
            type(self).resumed()
        return 0

    def _report(self, state: int, code: int = 0) -> None:
        accepted = _ACCEPTED if state == scm.SERVICE_RUNNING else 0
        hint = 0 if state in (scm.SERVICE_RUNNING, scm.SERVICE_STOPPED) else _HINT
        status = (scm.SERVICE_WIN32_OWN_PROCESS, state, accepted, _OWN_ERROR if code else 0, code, 0, hint)
        scm.SetServiceStatus(self._handle, status)


def serve(work: Callable[[], int], stop: Callable[[], None], resumed: Callable[[], None]) -> int:
    """Be the service: do `work` until it returns its exit code, which the manager is told.

    `stop` (stop it, or the machine goes down) and `resumed` (it woke up) are called from other threads. Raises
    UsageError when no service manager started this process.
    """

    class Service(_Service):
        pass

    Service.work, Service.stop, Service.resumed = staticmethod(work), staticmethod(stop), staticmethod(resumed)
    servicemanager.Initialize(NAME, "")
    servicemanager.PrepareToHostSingle(Service)
    try:
        servicemanager.StartServiceCtrlDispatcher()  # type: ignore[no-untyped-call]  # by its stubs
    except pywintypes.error as error:
        if error.winerror != _NO_MANAGER:
            raise
        raise UsageError(
            "Windows' service manager did not start this process", advice="Start the service: ddns service start"
        ) from error
    return Service.exit
