"""The listening socket: more connections than there is room for do no harm, and room that is left is used."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ddns.gateway import listener
from ddns.gateway.serve import running
from ddns.secret import Secret
from unit.gateway.stand import MASTER, Clock, Dns, settings


@pytest.fixture
def files() -> Iterator[None]:
    """Whatever the test does to the number of files that this process may open is undone."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("files")
def test_the_limit_is_raised_to_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    monkeypatch.setattr(listener, "MOST", 300)
    assert listener.room() == 300
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300 + listener.SPARE


def test_a_crowd_of_connections_is_hung_up_on_and_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MOST", 5)
    with running(settings(tmp_path), {"dns": Dns()}, lambda _ref: Secret(MASTER), Clock()) as gateway:
        host, _, port = gateway.url.removeprefix("http://").rpartition(":")
        with contextlib.ExitStack() as crowd:
            crowded = [crowd.enter_context(socket.create_connection((host, int(port)), timeout=5)) for _ in range(5)]
            for held in crowded:
                held.sendall(b"GET /healthz HTTP/1.1\r\nHost: gw\r\n\r\n")
                assert held.recv(4096).startswith(b"HTTP/1.1 200")
            for _ in range(20):
                with pytest.raises(httpx.TransportError):
                    httpx.get(f"{gateway.url}/healthz")
            crowded[0].close()
            for _ in range(50):  # until the gateway has seen that one is gone
                with contextlib.suppress(httpx.TransportError):
                    assert httpx.get(f"{gateway.url}/healthz").status_code == 200
                    break
            else:
                pytest.fail("nobody is served any more")
