"""The bridge to dns-lexicon beyond what all providers owe: its exceptions, its bound, its secrets, its absence."""

from __future__ import annotations

import importlib.util
import sys
import threading
import traceback
import types
from importlib.machinery import ModuleSpec
from typing import Any, ClassVar

import msgspec
import pytest
import requests
from lexicon.config import ConfigResolver
from lexicon.exceptions import AuthenticationError
from urllib3.exceptions import MaxRetryError, NewConnectionError

from ddns import edition
from ddns.errors import (
    BadCredentials,
    Conflict,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    SettingsError,
    Transport,
    Untrusted,
)
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RRset
from ddns.ports import Provider
from ddns.providers import bridge, requests_time
from ddns.providers.lexicon import Settings
from ddns.secret import SecretRef
from ground.http import Ending, Reply, Request
from providers.cast import FIRST, HOME, SECOND, STRANGER, ZONE, addresses
from providers.doubles import lexicon as double
from providers.doubles.lexicon import Lexicon
from providers.stage import connect, deadline

TOKEN = "canary-token"


class Fake:
    """A provider of Lexicon's, as its loader finds one: `records` are there, `fails` is what it raises, and when."""

    records: ClassVar[list[dict[str, Any]]]
    fails: ClassVar[dict[str, Exception]]
    done: ClassVar[list[tuple[Any, ...]]]
    wait: threading.Event | None = None
    answer: bool = True

    def __init__(self, config: ConfigResolver) -> None:
        self._fail("open")
        self._config = config

    def _fail(self, what: str) -> None:
        if what in self.fails:
            raise self.fails[what]

    def authenticate(self) -> None:
        self.done.append(("login", self._config.resolve("lexicon:fake:auth_token")))
        self._fail("authenticate")

    def cleanup(self) -> None:
        self.done.append(("cleanup",))

    def list_records(self, rtype: str, name: str) -> list[dict[str, Any]]:
        self._fail("list")
        return self.records

    def _write(self, *what: Any) -> bool:
        self.done.append((*what, self._config.resolve("lexicon:ttl")))
        if self.wait is not None:
            self.wait.wait()
        self._fail("write")
        return self.answer

    def create_record(self, rtype: str, name: str, content: str) -> bool:
        return self._write("create", rtype, name, content)

    def update_record(self, identifier: object, rtype: str, name: str, content: str) -> bool:
        return self._write("update", identifier, rtype, name, content)

    def delete_record(self, identifier: object, rtype: str, name: str, content: str) -> bool:
        return self._write("delete", identifier, rtype, name, content)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[Fake]:
    """Lexicon has one more provider."""
    module = types.ModuleType("lexicon._private.providers.fake")
    own = type("Provider", (Fake,), {"records": [], "fails": {}, "done": [], "wait": None, "answer": True})
    module.Provider = own  # type: ignore[attr-defined]  # what Lexicon's loader looks for
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(bridge, "names", lambda: {"fake": True, "lacking": False})
    return own


def provider(**settings: Any) -> Provider:
    raw = {"provider": "fake", "zone": ZONE, "secrets": {"auth_token": "env:T"}, **settings}
    made = msgspec.convert(raw, Settings, dec_hook=lambda kind, text: kind(text))
    return connect("lexicon", made, {"env:T": TOKEN}, None)  # type: ignore[arg-type]  # Lexicon has a network of its own


def record(content: str, **more: Any) -> dict[str, Any]:
    return {"id": 7, "type": "A", "name": HOME.name, "content": content, "ttl": 900, **more}


def see(key: RecordKey = HOME) -> Observed | ProviderError:
    return provider().observe([key], deadline())[key]


def write(
    before: RRset | None, after: RRset | None, on: Provider | None = None, seconds: float = 10.0
) -> Applied | ProviderError:
    change = Change("1", HOME, before, after, Reason.ADDRESS)
    ((_, result),) = (on or provider()).apply([change], deadline(seconds))
    if isinstance(result, ProviderError):
        assert TOKEN not in "".join(traceback.format_exception(result))
        assert result.advice
    return result


def test_an_update_is_by_identifier_and_keeps_the_ttl(fake: type[Fake]) -> None:
    fake.records = [record(FIRST)]
    assert write(addresses(FIRST), addresses(SECOND)) == Applied()
    assert [step for step in fake.done if step[0] not in ("login", "cleanup")] == [
        ("update", 7, "A", HOME.name, SECOND, 900)
    ]
    assert fake.done[0] == ("login", TOKEN), "secrets go to Lexicon as its provider's options"
    assert fake.done[-1] == ("cleanup",)


def test_a_new_record_and_a_removal(fake: type[Fake]) -> None:
    assert write(None, addresses(FIRST)) == Applied()
    assert ("create", "A", HOME.name, FIRST, 600) in fake.done
    fake.records = [record(FIRST)]
    assert write(addresses(FIRST), None) == Applied()
    assert ("delete", 7, "A", HOME.name, FIRST, 900) in fake.done


def test_what_lexicon_lists_too_much_is_left_out(fake: type[Fake]) -> None:
    """Some of its providers list by the start of a name, or every type."""
    others = [record("192.0.2.9", name=f"x{HOME.name}"), record("words", type="TXT"), record(SECOND, ttl="60")]
    fake.records = [*others, record(FIRST, name=f"{HOME.name}.", ttl="300")]
    seen = see()
    assert isinstance(seen, Observed)
    assert seen.rrset == addresses(FIRST, SECOND, ttl=60)


def test_what_is_so_already_is_not_sent(fake: type[Fake]) -> None:
    fake.records = [record(SECOND)]
    assert write(addresses(FIRST), addresses(SECOND)) == Applied()
    assert {step[0] for step in fake.done} == {"login", "cleanup"}


def test_what_somebody_else_wrote_stays(fake: type[Fake]) -> None:
    fake.records = [record("192.0.2.99")]
    assert isinstance(write(addresses(FIRST), addresses(SECOND)), Conflict)
    assert {step[0] for step in fake.done} == {"login", "cleanup"}


def test_false_is_read_again(fake: type[Fake]) -> None:
    fake.records, fake.answer = [record(FIRST)], False
    assert isinstance(write(addresses(FIRST), addresses(SECOND)), Conflict)


def test_a_name_of_another_zone_is_not_asked_for(fake: type[Fake]) -> None:
    assert isinstance(see(STRANGER), NoSuchZone)
    assert fake.done == []


def http_error(status: int, **headers: str) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    response.headers.update(headers)
    return requests.HTTPError(f"{status} for url: https://api.example.org/?key={TOKEN}", response=response)


REFUSED = requests.ConnectionError(MaxRetryError(None, "/", NewConnectionError(None, "refused")))  # type: ignore[arg-type]  # no pool


@pytest.mark.parametrize(
    ("when", "error", "expected", "in_doubt"),
    [
        ("open", Exception("auth_token not defined"), BadCredentials, False),
        ("open", KeyError("pdns_server"), BadCredentials, False),
        ("authenticate", AuthenticationError(f"bad token {TOKEN}"), BadCredentials, False),
        ("authenticate", AuthenticationError("Domain example.com not found"), NoSuchZone, False),
        ("authenticate", Exception("No domain found"), NoSuchZone, False),
        ("authenticate", Exception("account is closed"), NotPermitted, False),
        ("authenticate", http_error(401), BadCredentials, False),
        ("authenticate", http_error(403), NotPermitted, False),
        ("authenticate", http_error(404), NoSuchZone, False),
        ("authenticate", KeyError("zones"), Malformed, False),
        ("list", http_error(429, **{"Retry-After": "9"}), RateLimited, False),
        ("list", http_error(500), ServerSide, False),
        ("list", requests.exceptions.JSONDecodeError("no", "<html>", 0), Malformed, False),
        ("list", REFUSED, Transport, False),
        ("write", http_error(409), Rejected, False),
        ("write", http_error(503), ServerSide, True),
        ("write", requests.ConnectionError("reset"), Transport, True),
        ("write", REFUSED, Transport, False),
        ("write", requests.ConnectTimeout(), Transport, False),
        ("write", requests.ReadTimeout(), Transport, True),
        ("write", requests.exceptions.SSLError("bad"), Untrusted, False),
        ("write", Exception(f"record refused, key {TOKEN}"), Rejected, True),
        ("write", TypeError("'NoneType' is not subscriptable"), Malformed, True),
        ("write", OSError(104, "reset by peer"), Transport, True),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_lexicon_raises(
    fake: type[Fake], when: str, error: Exception, expected: type[ProviderError], in_doubt: bool
) -> None:
    fake.records, fake.fails = [record(FIRST)], {when: error}
    result = write(addresses(FIRST), addresses(SECOND))
    assert type(result) is expected
    assert isinstance(result, ProviderError)
    assert result.in_doubt is in_doubt
    assert "fake" in result.message
    if isinstance(result, RateLimited):
        assert result.retry_after == 9


def test_records_that_are_none(fake: type[Fake]) -> None:
    fake.records = [{"type": "A", "name": HOME.name, "content": FIRST}]
    assert isinstance(see(), Malformed)
    fake.records = [record("not an address")]
    assert isinstance(see(), Malformed)
    fake.records = "records"  # type: ignore[assignment]  # as a provider of Lexicon's may
    assert isinstance(see(), Malformed)


def test_a_write_that_never_ends_is_left_and_no_other_begun(fake: type[Fake]) -> None:
    fake.records, fake.wait = [record(FIRST)], threading.Event()
    on = provider()
    result = write(addresses(FIRST), addresses(SECOND), on, 0.3)
    assert isinstance(result, Transport)
    assert result.in_doubt
    assert isinstance(on.observe([HOME], deadline())[HOME], Observed), "it must be possible to look what came of it"
    again = write(addresses(FIRST), addresses(SECOND), on)
    assert isinstance(again, Transport)
    assert not again.in_doubt
    assert "not ended" in again.message
    fake.wait.set()


def test_a_read_that_is_left_behind_does_not_hide_the_write_before_it(fake: type[Fake]) -> None:
    fake.records, fake.wait = [record(FIRST)], threading.Event()
    on, hold = provider(), threading.Event()
    plain = fake.list_records
    assert isinstance(write(addresses(FIRST), addresses(SECOND), on, 0.3), Transport)
    fake.list_records = lambda *_: hold.wait()  # type: ignore[assignment,method-assign]  # a slow service
    before = set(threading.enumerate())
    assert isinstance(on.observe([HOME], deadline(0.1))[HOME], Transport)
    (late,) = set(threading.enumerate()) - before
    hold.set()
    late.join()
    fake.list_records = plain  # type: ignore[method-assign]  # it is quick again
    assert "not ended" in getattr(write(addresses(FIRST), addresses(SECOND), on), "message", "")
    fake.wait.set()


def test_an_update_of_two_requests_that_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lexicon's PowerDNS removes and makes anew: the record is gone, the write in doubt, and made by the next one."""
    with double.serve() as served:
        assert isinstance(served, Lexicon)
        served.zone.put(HOME.name, "A", FIRST)
        on = connect("lexicon", served.settings, served.secrets, served.net)
        honest = served.web._answer

        def cut(request: Request) -> Reply:
            reply = honest(request)
            return Reply(ending=Ending.RESET) if request.method == "PATCH" else reply

        served.web._answer = cut
        result = write(addresses(FIRST), addresses(SECOND), on)
        assert isinstance(result, Transport)
        assert result.in_doubt
        served.web._answer = honest
        seen = on.observe([HOME], deadline())[HOME]
        assert isinstance(seen, Observed)
        assert seen.rrset is None
        assert write(None, addresses(SECOND), on) == Applied()
        assert served.zone.get(HOME.name, "A") == {SECOND}


def lexicons() -> list[threading.Thread]:
    """Threads of calls that have not ended."""
    return [thread for thread in threading.enumerate() if thread.name == "lexicon powerdns"]


def test_no_request_begins_once_the_time_is_over() -> None:
    """The removal of an update is answered late: what it would make anew is not sent behind our back any more."""
    with double.serve() as served:
        assert isinstance(served, Lexicon)
        served.zone.put(HOME.name, "A", FIRST)
        on = connect("lexicon", served.settings, served.secrets, served.net)
        honest, late, sent = served.web._answer, threading.Event(), list[Request]()

        def slow(request: Request) -> Reply:
            reply = honest(request)
            if request.method == "PATCH":
                sent.append(request)
                assert late.wait(20)
            return reply

        served.web._answer = slow
        on.observe([HOME], deadline())
        result = write(addresses(FIRST), addresses(SECOND), on, 2.0)
        assert isinstance(result, Transport)
        assert result.in_doubt
        for thread in lexicons():
            thread.join(5)
        assert lexicons() == [], "it ended by itself, though nobody has answered yet"
        late.set()
        assert len(sent) == 1
        served.web._answer = honest
        assert write(None, addresses(SECOND), on) == Applied(), "so that the next write need not wait for it"


def test_other_threads_keep_the_timeouts_that_they_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def send(self: object, request: object, **options: object) -> requests.Response:
        asked.append(options["timeout"])
        return requests.Response()

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    with requests_time.bounded(deadline(5)):
        for timeout in (None, 60, 1, (60, 1), (None, 60)):
            requests.get("http://127.0.0.1:9/", timeout=timeout)
        other = threading.Thread(target=lambda: requests.get("http://127.0.0.1:9/", timeout=60))
        other.start()
        other.join()
    requests.get("http://127.0.0.1:9/", timeout=60)
    assert asked[2] == 1
    assert [_most(timeout) for timeout in (asked[0], asked[1], asked[3], asked[4])] == pytest.approx([5] * 4, abs=1)
    assert asked[3][1] == 1
    assert asked[5:] == [60, 60]


def _most(timeout: object) -> float:
    return max(timeout) if isinstance(timeout, tuple) else float(str(timeout))


def test_nothing_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXICON_POWERDNS_AUTH_TOKEN", "canary-of-the-environment")
    raw = {"provider": "powerdns", "zone": ZONE, "options": {"pdns_server": "http://127.0.0.1:9"}}
    on = connect("lexicon", msgspec.convert(raw, Settings), {}, None)  # type: ignore[arg-type]  # as above
    seen = on.observe([HOME], deadline())[HOME]
    assert isinstance(seen, BadCredentials)
    assert "auth_token" in seen.message


def test_lexicons_own_names() -> None:
    known = bridge.names()
    assert {"cloudflare", "gandi", "hetzner", "ovh", "powerdns"} <= known.keys()
    assert "auto" not in known


@pytest.mark.parametrize(
    ("note", "words"), [("", 'pip install "ddns-fleet[lexicon]"'), (" (Windows)", "ddns.exe comes without it")]
)
def test_lexicon_is_not_there(monkeypatch: pytest.MonkeyPatch, note: str, words: str) -> None:
    real = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "lexicon" else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    monkeypatch.setattr(edition, "NOTE", note)
    assert bridge.names() == {}
    with pytest.raises(SettingsError, match="needs dns-lexicon") as caught:
        provider()
    assert words in caught.value.advice


def test_a_provider_that_is_not_there(fake: type[Fake]) -> None:
    with pytest.raises(SettingsError, match='no provider "fake2"'):
        provider(provider="fake2")
    with pytest.raises(SettingsError, match="more packages") as caught:
        provider(provider="lacking")
    assert "dns-lexicon[lacking]" in caught.value.advice


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"options": {"auth_token": "canary"}}, "options.auth_token is a secret"),
        ({"options": {"pdns-server": "x"}}, "write api_key for --api-key"),
        ({"options": {"a": 1}, "secrets": {"a": "env:T"}}, "a stands in options and in secrets"),
        ({"provider": "../x"}, "provider"),
        ({"zone": ""}, "zone"),
    ],
)
def test_settings_that_can_not_be(settings: dict[str, Any], words: str) -> None:
    raw = {"provider": "fake", "zone": ZONE, **settings}
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(raw, Settings, dec_hook=lambda kind, text: kind(text))


def test_a_reference_within_a_table_is_one() -> None:
    raw = {"provider": "fake", "zone": ZONE, "secrets": {"t": "env:T"}}
    made = msgspec.convert(raw, Settings, dec_hook=lambda kind, text: kind(text))
    assert made.secrets == {"t": SecretRef("env:T")}
