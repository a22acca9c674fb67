"""The service as its manager keeps it: made, changed, started, stopped, removed, looked at."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

assert sys.platform == "win32"

import pywintypes
import win32service as scm

from ddns.errors import UsageError
from ddns.host.servicing import NAME, Service, service_sid
from ddns.host.windows import events, grants

if TYPE_CHECKING:
    from _win32typing import PySC_HANDLE

_DISPLAY = "DDNS"
_DESCRIPTION = "Keeps DNS records at this machine's public address."
#: Milliseconds after which it is started again when it ended by itself: the first, second, and every later time.
_RESTARTS = (60_000, 60_000, 300_000)
#: Seconds without a failure after which the count begins anew.
_RESET = 86_400
#: Milliseconds that a shutdown waits for it.
_PRESHUTDOWN = 5_000
#: SERVICE_SID_TYPE_UNRESTRICTED: the service's own identifier is in its token, beside the account's.
_UNRESTRICTED = 1
#: Who made the event source.
_OWNER = "service"

#: The right to remove it, which has the same number for every kind of object; and those that looking needs.
_DELETE = 0x10000
_LOOKING = scm.SERVICE_QUERY_STATUS | scm.SERVICE_QUERY_CONFIG

#: Windows' error numbers.
_DENIED, _INVALID_LEVEL, _ALREADY_RUNNING, _NO_SERVICE = 5, 124, 1056, 1060
_NOT_ACTIVE, _MARKED, _EXISTS = 1062, 1072, 1073
_ADVICE = {
    _DENIED: "Run the command in a console that was opened as an administrator.",
    _NO_SERVICE: "Install it first: ddns service install",
    _MARKED: "Close every program that looks at the service (Services, Task Manager), then try again.",
}
_ELSE = "See Windows' log System, source Service Control Manager, and the log Application, source DDNS."
_STATES = {
    scm.SERVICE_STOPPED: "stopped",
    scm.SERVICE_START_PENDING: "starting",
    scm.SERVICE_STOP_PENDING: "stopping",
    scm.SERVICE_RUNNING: "running",
    scm.SERVICE_CONTINUE_PENDING: "starting",
    scm.SERVICE_PAUSE_PENDING: "pausing",
    scm.SERVICE_PAUSED: "paused",
}
_STARTS = {scm.SERVICE_AUTO_START: "automatic", scm.SERVICE_DEMAND_START: "manual", scm.SERVICE_DISABLED: "disabled"}
#: ERROR_SERVICE_SPECIFIC_ERROR: what it ended with is its own number. ERROR_SERVICE_NEVER_STARTED: it has not ended.
_OWN_ERROR, _NEVER_STARTED = 1066, 1077
#: Seconds that a start, a stop or a removal is waited for, and how often it is looked at.
_PATIENCE, _LOOK = 20.0, 0.05


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """What Windows refuses becomes a UsageError."""
    try:
        yield
    except pywintypes.error as error:
        number = int(error.winerror)
        said = "administrator's rights are needed" if number == _DENIED else f"{error.strerror.rstrip('.')} ({number})"
        raise UsageError(f"the service can't be {what}: {said}", advice=_ADVICE.get(number, _ELSE)) from error


@contextlib.contextmanager
def _manager(rights: int) -> Iterator[PySC_HANDLE]:
    manager = scm.OpenSCManager(None, None, rights)
    try:
        yield manager
    finally:
        scm.CloseServiceHandle(manager)


@contextlib.contextmanager
def _opened(rights: int) -> Iterator[PySC_HANDLE]:
    with _manager(scm.SC_MANAGER_CONNECT) as manager:
        service = scm.OpenService(manager, NAME, rights)
        try:
            yield service
        finally:
            scm.CloseServiceHandle(service)


def install(command: Sequence[str], account: str, reading: Sequence[str], writing: Sequence[str]) -> list[str]:
    """Make the service, or make an existing one so; returns what this Windows does not know of that, for people.

    It starts with the machine, a little later than others. Its own identifier gets rights to the folders. Raises
    UsageError.
    """
    program, *arguments = command
    line = f'"{program}" {subprocess.list2cmdline(arguments)}'.rstrip()
    with _told("installed"):
        with _manager(scm.SC_MANAGER_CONNECT | scm.SC_MANAGER_CREATE_SERVICE) as manager:
            service = _made(manager, line, account)
            try:
                unknown = list(_configure(service))
            finally:
                scm.CloseServiceHandle(service)
        sid = service_sid(NAME)
        for folder in reading:
            grants.grant(folder, sid, grants.READ)
        for folder in writing:
            grants.grant(folder, sid, grants.MODIFY)
        _register()
    return unknown


def _register() -> None:
    try:
        events.register(_OWNER)
    except OSError as error:
        raise UsageError(f"the event source can't be registered: {error.strerror}", advice=_ADVICE[_DENIED]) from error


def _made(manager: PySC_HANDLE, line: str, account: str) -> PySC_HANDLE:
    kinds = (scm.SERVICE_WIN32_OWN_PROCESS, scm.SERVICE_AUTO_START, scm.SERVICE_ERROR_NORMAL)
    rights = scm.SERVICE_ALL_ACCESS
    try:
        return scm.CreateService(manager, NAME, _DISPLAY, rights, *kinds, line, None, False, None, account, None)
    except pywintypes.error as error:
        if error.winerror != _EXISTS:
            raise
    service = scm.OpenService(manager, NAME, rights)
    scm.ChangeServiceConfig(service, *kinds, line, None, False, None, account, None, _DISPLAY)
    return service


def _configure(service: PySC_HANDLE) -> Iterator[str]:
    """Set the rest; yields what this Windows does not know."""
    restarts = [(scm.SC_ACTION_RESTART, milliseconds) for milliseconds in _RESTARTS]
    actions = {"ResetPeriod": _RESET, "RebootMsg": "", "Command": "", "Actions": restarts}
    for level, value, what in (
        (scm.SERVICE_CONFIG_DESCRIPTION, _DESCRIPTION, "a description"),
        (scm.SERVICE_CONFIG_FAILURE_ACTIONS, actions, "recovery actions"),
        (scm.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, True, "recovery after an end with an error"),
        (scm.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, True, "a delayed start"),
        (scm.SERVICE_CONFIG_SERVICE_SID_INFO, _UNRESTRICTED, "a service's own identifier"),
        (scm.SERVICE_CONFIG_PRESHUTDOWN_INFO, _PRESHUTDOWN, "a time limit at shutdown"),
    ):
        try:
            scm.ChangeServiceConfig2(service, level, value)
        except pywintypes.error as error:
            if error.winerror != _INVALID_LEVEL:
                raise
            yield what


def query() -> Service:
    """What the manager says; needs no rights. Raises UsageError."""
    with _told("looked at"):
        try:
            with _opened(_LOOKING) as service:
                return _described(service)
        except pywintypes.error as error:
            if error.winerror != _NO_SERVICE:
                raise
            return Service("not installed")


def _described(service: PySC_HANDLE) -> Service:
    status: dict[str, int] = scm.QueryServiceStatusEx(service)  # type: ignore[assignment]  # the stubs say a tuple
    _, start, _, command, _, _, _, account, _ = scm.QueryServiceConfig(service)
    code = 0 if status["Win32ExitCode"] == _NEVER_STARTED else status["Win32ExitCode"]
    return Service(
        _STATES.get(status["CurrentState"], str(status["CurrentState"])),
        account,
        command,
        _STARTS.get(start, str(start)),
        status["ProcessId"],
        status["ServiceSpecificExitCode"] if code == _OWN_ERROR else code,
    )


def start() -> Service:
    """Start it and wait until it runs, or has ended; one that runs is left alone. Raises UsageError."""
    with _told("started"), _opened(scm.SERVICE_START | _LOOKING) as service:
        try:
            scm.StartService(service, None)
        except pywintypes.error as error:
            if error.winerror != _ALREADY_RUNNING:
                raise
        return _settled(service, "starting")


def stop() -> Service:
    """Stop it and wait for its end; one that does not run is left alone. Raises UsageError."""
    with _told("stopped"), _opened(scm.SERVICE_STOP | _LOOKING) as service:
        return _stopped(service)


def _stopped(service: PySC_HANDLE) -> Service:
    try:
        scm.ControlService(service, scm.SERVICE_CONTROL_STOP)
    except pywintypes.error as error:
        if error.winerror != _NOT_ACTIVE:
            raise
    return _settled(service, "stopping", "running")


def _settled(service: PySC_HANDLE, *passing: str) -> Service:
    """Wait while the state is one of these; what it is then, or after a while."""
    ends = time.monotonic() + _PATIENCE
    while True:
        found = _described(service)
        if found.state not in passing or time.monotonic() > ends:
            return found
        time.sleep(_LOOK)


def remove(folders: Sequence[str]) -> bool:
    """Stop it, remove it and its rights to `folders`; whether there was one. Raises UsageError."""
    with _told("removed"):
        found = query().installed
        if found:
            with _opened(scm.SERVICE_STOP | _DELETE | _LOOKING) as service:
                _stopped(service)
                scm.DeleteService(service)
            _gone()
        for folder in folders:
            grants.revoke(folder, service_sid(NAME))
        try:
            events.unregister(_OWNER)
        except OSError as error:
            raise UsageError(f"the event source can't be removed: {error.strerror}", advice=_ADVICE[_DENIED]) from error
    return found


def _gone() -> None:
    """Wait until the manager has forgotten it: others may still look at it. Raises pywintypes.error."""
    ends = time.monotonic() + _PATIENCE
    while query().installed:
        if time.monotonic() > ends:
            raise pywintypes.error(_MARKED, "DeleteService", "It is marked for deletion.")
        time.sleep(_LOOK)
