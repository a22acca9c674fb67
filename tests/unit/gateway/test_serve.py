"""Starting and stopping: a gateway in a thread on a free port, and what keeps one from starting."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from ddns.errors import BusyError, DdnsError, SettingsError, StateUnwritable
from ddns.gateway import connection
from ddns.gateway.serve import opened, running
from ddns.secret import Secret
from ground.tls import Authority
from unit.gateway.stand import MASTER, Clock, Dns, settings


def run(folder: Path, providers: dict[str, Dns] | None = None, **tables: Any) -> Any:
    """The context of a gateway in a thread."""
    made = settings(folder, **tables)
    found = {"dns": Dns()} if providers is None else providers
    return running(made, found, lambda _ref: Secret(MASTER), Clock())


def address(url: str) -> tuple[str, int]:
    """Where a plain gateway listens."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    return host, int(port)


def tls(folder: Path, ca: Authority) -> dict[str, Any]:
    """The table `listen` with a certificate."""
    chain, key = ca.write_server_files(folder)
    return {"plain": False, "cert_file": str(chain), "key_file": str(key)}


def test_it_serves_over_tls_while_the_context_lasts(tmp_path: Path, ca: Authority) -> None:
    with run(tmp_path, listen=tls(tmp_path, ca)) as gateway, httpx.Client(verify=ca.client()) as client:
        assert gateway.url.startswith("https://127.0.0.1:")
        answer = client.get(f"{gateway.url}/ip", headers={"X-Forwarded-For": "192.0.2.1"})
        assert (answer.json(), "server" in answer.headers) == ({"address": "127.0.0.1"}, False)
        ready = client.get(f"{gateway.url}/readyz")
        assert (ready.status_code, ready.json()["publisher"]) == (200, True)
    with httpx.Client(verify=ca.client()) as client, pytest.raises(httpx.ConnectError):
        client.get(gateway.url)


def test_a_publisher_that_died_shows(tmp_path: Path) -> None:
    with run(tmp_path) as gateway:
        gateway.parts.publisher.stop()
        ready = httpx.get(f"{gateway.url}/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "down")


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port}"), run(tmp_path, listen={"port": port}):
            pass


@pytest.mark.parametrize("wrong", ["cert_file", "key_file"])
def test_a_certificate_that_can_not_be_loaded_is_said(tmp_path: Path, ca: Authority, wrong: str) -> None:
    listen = tls(tmp_path, ca)
    for text in (None, "no PEM"):
        if text is None:
            listen[wrong] = str(tmp_path / "nowhere.pem")
        else:
            Path(listen[wrong]).write_text(text)
        with pytest.raises(SettingsError, match="certificate and key"), run(tmp_path, listen=listen):
            pass


def test_a_zone_without_a_provider_and_a_data_folder_that_is_none_are_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="dns"), run(tmp_path, providers={}):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnwritable, match="can't be made"), run(tmp_path / "file"):
        pass


def test_a_second_gateway_on_the_same_folder_does_not_start(tmp_path: Path) -> None:
    with run(tmp_path) as first:
        port = address(first.url)[1]
        with pytest.raises(BusyError, match=f"another gateway is serving from the data folder {tmp_path}") as found:
            run(tmp_path, listen={"port": port}).__enter__()
        assert found.value.exit == 14
        with opened(settings(tmp_path), Clock()) as operator:
            assert operator.ledger.hosts() == []
        assert httpx.get(f"{first.url}/readyz").status_code == 200
    with run(tmp_path) as again:
        assert httpx.get(f"{again.url}/readyz").status_code == 200


def test_a_folder_that_can_not_be_locked_is_said(tmp_path: Path) -> None:
    (tmp_path / "serving.lock").mkdir()
    with pytest.raises(StateUnwritable, match="can't be written"), run(tmp_path):
        pass


def test_the_ledger_is_let_go_when_the_audit_log_can_not_be_opened(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").mkdir()
    with pytest.raises(DdnsError, match="audit"), opened(settings(tmp_path), Clock()):
        pass
    (tmp_path / "audit.jsonl").rmdir()
    with opened(settings(tmp_path), Clock()) as store:
        assert store.ledger.hosts() == []


WHOLE = b"GET /healthz HTTP/1.1\r\nHost: gw\r\n\r\n"
BODY = b"POST /v1/update HTTP/1.1\r\nHost: gw\r\nContent-Length: 100\r\n\r\n{"


@pytest.mark.parametrize("sent", [b"", WHOLE[:-2], BODY, WHOLE + WHOLE[:-2], WHOLE + BODY], ids=repr)
def test_a_request_that_does_not_become_whole_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connection, "REQUEST_LIMIT", 0.1)
    with run(tmp_path) as gateway, socket.create_connection(address(gateway.url), timeout=3) as client:
        client.sendall(sent)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(4096):
                answer += part
    assert answer.count(b"HTTP/1.1 ") == sent.count(WHOLE)


def test_an_answer_may_take_longer_than_its_request_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_LIMIT", 0.05)
    with run(tmp_path) as gateway:
        asked, waiting = threading.Event(), gateway.parts.ledger.waiting

        def slow() -> Any:
            asked.wait(0.2)  # nobody sets it: what is shown takes time
            return waiting()

        monkeypatch.setattr(gateway.parts.ledger, "waiting", slow)
        assert httpx.get(f"{gateway.url}/readyz").status_code == 200
