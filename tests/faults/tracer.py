"""Run a program, number what it does to files and to the network, and kill it at one of these effects.

``python -m faults.tracer TRACE FOLDER LABEL NUMBER SIDE PROGRAM ARGUMENTS...``

An effect is a system call that writes to a file below FOLDER or flushes it, or that sends on an Internet socket. Its
label goes to TRACE, one a line: "write state.db", "flush state.db", "send PORT" (0 where the socket has no peer). The
process is killed, as by SIGKILL, at the NUMBER-th effect (from 1) with that LABEL: before the kernel carries it out, or
right after. With NUMBER 0 it runs to its end. The exit code is that of the program, 137 when it was killed.

The program is any process of Linux on x86-64, a Windows program under Wine as well, and does not know of this. It is
the kernel that stops it: a seccomp filter picks the calls (seccomp(2)), ptrace(2) holds it there. Threads and children
are followed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Side = Literal["before", "after"]

# asm/unistd_64.h; all but the flushes have the descriptor first, as these do.
_WRITES = {1: "write", 18: "write", 20: "write", 296: "write", 74: "flush", 75: "flush", 77: "write"}
_SENDS = {44: "send", 46: "send", 307: "send", 1: "send", 20: "send"}
_NUMBERS = sorted({*_WRITES, *_SENDS})

_TRACEME, _PEEKUSER, _CONT, _SYSCALL, _SETOPTIONS = 0, 3, 7, 24, 0x4200
_SYSGOOD, _FORK, _VFORK, _CLONE, _EXEC, _SECCOMP, _EXITKILL = 1, 2, 4, 8, 16, 128, 1 << 20
_OPTIONS = _SYSGOOD | _FORK | _VFORK | _CLONE | _EXEC | _SECCOMP | _EXITKILL
_EVENT_SECCOMP = 7
_SYSCALL_STOP = signal.SIGTRAP | 0x80
# Offsets in struct user_regs_struct of x86-64: the first argument, and the number of the system call.
_RDI, _ORIG_RAX = 14 * 8, 15 * 8
_WALL = 0x40000000
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    ctypes.set_errno(0)
    result = int(_libc.ptrace(request, pid, address, data))
    code = ctypes.get_errno()
    if code:
        raise OSError(code, os.strerror(code))
    return result


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def _pick_calls() -> None:
    """Have the kernel stop this process, and what it becomes, at the numbered calls."""
    code = [_Instruction(0x20, 0, 0, 0)]  # load the number of the call
    for index, number in enumerate(_NUMBERS):
        code.append(_Instruction(0x15, len(_NUMBERS) - index, 0, number))  # it is this one: to the last line
    code += [_Instruction(0x06, 0, 0, _ALLOW), _Instruction(0x06, 0, 0, _TRACE)]
    lines = (_Instruction * len(code))(*code)
    program = _Program(len(code), ctypes.cast(lines, ctypes.POINTER(_Instruction)))
    if _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or _libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program)):
        raise OSError(ctypes.get_errno(), "seccomp")


@dataclass
class Tracer:
    """Follows one program; `cut` is where it ends."""

    trace: str
    folder: Path
    cut: tuple[str, int, Side]
    _seen: dict[str, int] = field(default_factory=dict)
    _last: set[int] = field(default_factory=set)  # what was let into the call after which it is killed
    _known: set[int] = field(default_factory=set)

    def run(self, command: list[str]) -> int:
        """The program's exit code, 137 when it was killed."""
        child = os.fork()
        if child == 0:
            _ptrace(_TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            _pick_calls()
            os.execvp(command[0], command)
        os.waitpid(child, _WALL)
        _ptrace(_SETOPTIONS, child, 0, _OPTIONS)
        self._known.add(child)
        _ptrace(_CONT, child)
        return self._follow(child)

    def _follow(self, first: int) -> int:
        code = 1
        while True:
            try:
                pid, status = os.waitpid(-1, _WALL)
            except ChildProcessError:
                return code
            if not os.WIFSTOPPED(status):
                self._known.discard(pid)
                if pid == first:
                    code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
                continue
            try:
                self._stopped(pid, status)
            except OSError as error:
                if error.errno != errno.ESRCH:  # killed while it was stopped
                    raise

    def _stopped(self, pid: int, status: int) -> None:
        number, event = os.WSTOPSIG(status), status >> 16
        if event == _EVENT_SECCOMP:
            self._called(pid)
        elif number == _SYSCALL_STOP:
            self._returned(pid)
        elif event or (number == signal.SIGSTOP and pid not in self._known):
            self._known.add(pid)
            _ptrace(_CONT, pid)
        else:
            _ptrace(_CONT, pid, 0, number)

    def _called(self, pid: int) -> None:
        label = self._label(pid)
        if label:
            self._seen[label] = self._seen.get(label, 0) + 1
            with open(self.trace, "a", encoding="utf-8") as file:
                file.write(label + "\n")
            if (label, self._seen[label]) == self.cut[:2]:
                if self.cut[2] == "before":
                    os.kill(pid, signal.SIGKILL)
                    return
                self._last.add(pid)
                _ptrace(_SYSCALL, pid)
                return
        _ptrace(_CONT, pid)

    def _returned(self, pid: int) -> None:
        """The way out of the call after which it is killed."""
        if pid in self._last:
            os.kill(pid, signal.SIGKILL)
        else:
            _ptrace(_CONT, pid)

    def _label(self, pid: int) -> str:
        """The effect that this call is, "" when it is none."""
        call = _ptrace(_PEEKUSER, pid, _ORIG_RAX)
        try:
            target = os.readlink(f"/proc/{pid}/fd/{_ptrace(_PEEKUSER, pid, _RDI) & 0xFFFFFFFF}")
        except OSError:
            return ""
        if target.startswith("socket:[") and call in _SENDS:
            port = _peer(pid, target[8:-1])
            return "" if port is None else f"send {port}"
        if call in _WRITES and target.startswith(f"{self.folder}/"):
            return f"{_WRITES[call]} {os.path.basename(target)}"
        return ""


def _peer(pid: int, inode: str) -> int | None:
    """The port at the other end of an Internet socket; None when it is no such socket. proc(5): /proc/net/tcp."""
    for table in ("tcp", "udp"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:
            for line in file:
                fields = line.split()
                if fields[9] == inode:
                    return int(fields[2].rpartition(":")[2], 16)
    return None


if __name__ == "__main__":
    at, below, label_, number_, side_ = sys.argv[1:6]
    assert side_ in ("before", "after")
    sys.exit(
        Tracer(at, Path(below), (label_, int(number_), "before" if side_ == "before" else "after")).run(sys.argv[6:])
    )
