"""Entry point. What Task Scheduler starts, exactly `run` or `run --data DIR`, goes to `runtime` without click."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False  # as typing has it, whose import the no-change run can't afford
if TYPE_CHECKING:
    from types import TracebackType
    from typing import TextIO


def scheduled(arguments: list[str]) -> tuple[bool, str | None]:
    """Whether these arguments are the scheduled form of `run`, and its data folder."""
    if arguments == ["run"]:
        return True, None
    if len(arguments) == 3 and arguments[:2] == ["run", "--data"] and arguments[2] and arguments[2][0] != "-":
        return True, arguments[2]
    return False, None


def monitored(arguments: list[str]) -> tuple[bool, str | None]:
    """Whether these arguments are `status --json`, as monitoring asks it, and its data folder."""
    match arguments:
        case ["status", "--json"]:
            return True, None
        case ["status", "--json", "--data", data] | ["status", "--data", data, "--json"] if data[:1] not in {"", "-"}:
            return True, data
    return False, None


def _streams() -> None:
    """Give a windowless process streams that nobody reads, and let no character end a run.

    Windows would have pipes and files in the code page of its language: what others read there is UTF-8, too.
    """
    encoding = "utf-8" if sys.platform == "win32" else None
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    setattr(sys, "stderr", _Messages(sys.stderr))  # noqa: B010 - what the type checker would ask of it nobody uses


class _Messages:
    """Standard error, for messages that nobody may be able to take: one that is lost must not end a run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:  # noqa: SIM105 - contextlib costs the cheap path
            self._stream.flush()
        except OSError:
            pass


def _without_foreign_libraries() -> None:
    """Let OpenSSL read no configuration: it can name libraries to load, which would run with this program's rights.

    On Windows it is a folder that no system keeps, or what the environment says. On Linux it is the system's policy.
    """
    if sys.platform == "win32":
        os.environ["OPENSSL_CONF"] = "NUL"


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell a crash as Python does, and to the event log: a windowless process has nobody else to tell."""
    sys.__excepthook__(kind, error, trace)
    from ddns.runtime.events import crashed

    crashed(kind, trace)


def main() -> None:
    """Run, and leave without tear-down: a short run spends more time freeing memory than working (10 to 15 ms)."""
    _streams()
    _without_foreign_libraries()
    sys.excepthook = _crashed
    try:
        code = _code()
    except KeyboardInterrupt:  # while it was still importing
        code = 130
    os._exit(code)


def _code() -> int:
    direct, data = scheduled(sys.argv[1:])
    if direct:
        gc.disable()
        from ddns.runtime import RunRequest, run

        code = run(RunRequest(data))
        try:  # noqa: SIM105 - contextlib costs the cheap path
            sys.stdout.flush()
        except (OSError, ValueError):
            pass  # the work is done, and its code is what counts
        return code
    try:
        code = _answer()
        sys.stdout.flush()
    except OSError as error:
        from ddns.unread import undelivered, unread

        if not undelivered(error):
            raise
        code = unread(error)
    return code


def _answer() -> int:
    """Everything but the scheduled run."""
    if sys.argv[1:] == ["--version"]:  # what monitoring asks of a whole fleet: not worth an import of click
        from ddns import __version__
        from ddns.edition import NOTE

        sys.stdout.write(f"ddns {__version__}{NOTE}\n")
        return 0
    direct, data = monitored(sys.argv[1:])
    if direct:
        gc.disable()
        from ddns.cli import answer

        code = answer.status(data)
        if code is not None:
            return code
    from ddns.cli.main import main as command_line

    return command_line(sys.argv[1:])


if __name__ == "__main__":
    main()
