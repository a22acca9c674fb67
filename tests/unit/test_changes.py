"""Changes of the network as Linux tells them: in a network of its own, where a test may change something."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from ddns.host.changes import Changes
from e2e.machine import SOURCE
from ground import NotHere, not_run

#: Says "ready", then of each wait whether something changed; a line of input begins the next one.
_LISTENER = """
import sys
from ddns.host.changes import Changes
with Changes() as changes:
    print("ready", flush=True)
    for line in sys.stdin:
        print(changes.wait(float(line)), flush=True)
"""


def test_nothing_happens_until_the_time_is_over() -> None:
    with Changes() as changes:
        began = time.monotonic()
        assert not changes.wait(0.02)
        assert time.monotonic() - began >= 0.02


def test_a_wait_can_be_cancelled_from_another_thread_and_stays_so() -> None:
    with Changes() as changes:
        canceller = threading.Timer(0.02, changes.cancel)
        canceller.start()
        assert not changes.wait(60)
        canceller.join()
        assert not changes.wait()
    changes.cancel()  # nobody waits any more


def _unshared() -> tuple[str, ...]:
    command = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")
    try:
        subprocess.run((*command, "true"), check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        not_run(NotHere("this machine makes no network of its own for a test (unshare --net)"))
    return command


@pytest.mark.parametrize(
    "change", [("addr", "add", "192.0.2.7/32", "dev", "lo"), ("addr", "add", "2001:db8::7/128", "dev", "lo")]
)
def test_a_new_address_is_a_change(change: tuple[str, ...]) -> None:
    listener = subprocess.Popen(
        (*_unshared(), sys.executable, "-c", _LISTENER),
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    with listener:
        assert listener.stdin is not None
        assert listener.stdout is not None

        def wait(seconds: float) -> str:
            assert listener.stdin is not None
            assert listener.stdout is not None
            listener.stdin.write(f"{seconds}\n")
            return listener.stdout.readline().strip()

        assert listener.stdout.readline() == "ready\n"
        assert wait(0) == "False"
        inside: tuple[str, ...] = ("nsenter", f"--net=/proc/{listener.pid}/ns/net")
        if os.geteuid() != 0:
            inside = ("nsenter", "--user", "--preserve-credentials", "--net", f"--target={listener.pid}")
        subprocess.run((*inside, "ip", "link", "set", "lo", "up"), check=True)
        while wait(0.2) == "True":
            pass  # that was news, too: the loopback has got its own addresses and routes
        subprocess.run((*inside, "ip", *change), check=True)
        assert wait(60) == "True"
        listener.stdin.close()
