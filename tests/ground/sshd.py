"""Machines to reach over SSH: an OpenSSH server on loopback, a port and a folder for each machine.

A machine's remote shell sees its own name and folder in the environment (COMPUTERNAME, DDNS_MACHINE), so that fifty
machines need four processes (one listens on 16 ports at most). Keys are thrown away with the folder; nothing of the
user's own ~/.ssh is read or written. sshd insists on a privilege separation user when it is root; where the package is
only unpacked there is none, and nss_wrapper (LD_PRELOAD) shows it one.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from ground import NotHere, debian
from windows import cache

HOST = "127.0.0.1"
#: Seconds in which sshd must listen after its start, and end after it was told to.
PATIENCE = 20.0
#: MAX_LISTEN_SOCKS of OpenSSH.
_PORTS = 16


@dataclass(frozen=True)
class Machine:
    """One machine: its name, its port on loopback, its folder."""

    name: str
    port: int
    folder: Path


class Sshd:
    """The server. `subsystem` is the command behind `Subsystem powershell`; `refused` names machines with another key.

    `dead` names machines whose port nobody listens to.
    """

    def __init__(
        self,
        folder: Path,
        names: Iterable[str],
        subsystem: str,
        *,
        refused: Iterable[str] = (),
        dead: Iterable[str] = (),
    ) -> None:
        if not shutil.which("ssh"):
            raise NotHere("ssh is not installed (package openssh-client)")
        self._program = debian.program("sshd", "openssh-server", "libnss-wrapper")
        self._folder = folder
        self._subsystem = subsystem
        self._refused, self._dead = frozenset(refused), frozenset(dead)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._names = tuple(names)
        self.machines: dict[str, Machine] = {}
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.key = folder / "key"
        self.log = folder / "sshd.log"

    def start(self) -> None:
        """Make keys, take ports, start; returns when every port answers."""
        for name in ("host", "key", "other"):
            _keygen(self._folder / name)
        for last in (False, False, True):
            self._place()
            self._launch()
            if self._listens():
                return
            self.stop()
            if last:
                raise RuntimeError(f"sshd did not come up:\n{self.log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """End the server and what its sessions started."""
        processes, self._processes = self._processes, []
        ports = {machine.port for machine in self.machines.values()}
        for process in processes:
            _kill(_descendants(process.pid))
            process.terminate()
        _kill(_sessions(ports))
        for process in processes:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _place(self) -> None:
        holders = [socket.socket() for _ in self._names]
        for name, holder in zip(self._names, holders, strict=True):
            holder.bind((HOST, 0))
            root = self._folder / "machines" / name
            root.mkdir(parents=True, exist_ok=True)
            self.machines[name] = Machine(name, holder.getsockname()[1], root)
        for holder in holders:
            holder.close()

    def _launch(self) -> None:
        living = self._living()
        with open(self.log, "wb") as log:
            for at in range(0, len(living), _PORTS):
                settings = self._folder / f"sshd_config_{at}"
                settings.write_text("\n".join(self._settings(living[at : at + _PORTS])) + "\n")
                self._processes.append(
                    subprocess.Popen(
                        (str(self._program.path), "-D", "-e", "-f", str(settings)),
                        env={"PATH": "/usr/bin:/bin", **self._program.env, **self._users()},
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                    )
                )

    def _settings(self, machines: list[Machine]) -> Iterable[str]:
        yield f"HostKey {self._folder / 'host'}"
        yield from (f"Port {machine.port}" for machine in machines)
        yield f"ListenAddress {HOST}"
        yield "PidFile none"
        yield "UsePAM no"
        yield "StrictModes no"
        yield "PermitRootLogin prohibit-password"
        yield "PasswordAuthentication no"
        yield "MaxStartups 200"
        yield f"AuthorizedKeysFile {self._folder / 'key.pub'}"
        yield f"Subsystem powershell {self._subsystem}"
        for machine in machines:
            yield f"Match LocalPort {machine.port}"
            yield f"  SetEnv COMPUTERNAME={machine.name} DDNS_MACHINE={machine.folder}"
            if machine.name in self._refused:
                yield f"  AuthorizedKeysFile {self._folder / 'other.pub'}"

    def _living(self) -> list[Machine]:
        return [machine for machine in self.machines.values() if machine.name not in self._dead]

    def _users(self) -> dict[str, str]:
        """What makes an unpacked sshd content as root: its user, and the folder it locks itself into."""
        if os.geteuid() != 0 or cache.root() not in self._program.path.parents:
            return {}
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        found = next(iter(self._program.path.parents[2].glob("usr/lib/*/libnss_wrapper.so")), None)
        if found is None:
            raise NotHere("the package libnss-wrapper holds no libnss_wrapper.so")
        users, groups = self._folder / "passwd", self._folder / "group"
        own = "sshd:x:65533:65533::/run/sshd:/usr/sbin/nologin\n"
        users.write_text(own + Path("/etc/passwd").read_text())
        groups.write_text("sshd:x:65533:\n" + Path("/etc/group").read_text())
        return {"LD_PRELOAD": str(found), "NSS_WRAPPER_PASSWD": str(users), "NSS_WRAPPER_GROUP": str(groups)}

    def _listens(self) -> bool:
        until = time.monotonic() + PATIENCE
        for machine in self._living():
            while not _answers(machine.port):
                if time.monotonic() > until or any(process.poll() is not None for process in self._processes):
                    return False
                time.sleep(0.02)
        return True


def _keygen(path: Path) -> None:
    if not path.exists():
        command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path))
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as link:
            return link.recv(4) == b"SSH-"
    except OSError:
        return False


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _sessions(ports: set[int]) -> list[int]:
    """What was started in a session on one of these ports: its server may have died first, and left it to nobody."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            environ = (entry / "environ").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        told = next((item for item in environ.split(b"\0") if item.startswith(b"SSH_CONNECTION=")), b"")
        address, _, port = told.decode("ascii", "replace").rpartition(" ")
        if address.endswith(" 127.0.0.1") and port.isdigit() and int(port) in ports:
            found.append(int(entry.name))
    return found


def _descendants(parent: int) -> list[int]:
    """Children of a process and theirs, from /proc."""
    found: list[int] = []
    try:
        with open(f"/proc/{parent}/task/{parent}/children") as file:
            children = [int(word) for word in file.read().split()]
    except OSError:
        return found
    for child in children:
        found += [child, *_descendants(child)]
    return found
