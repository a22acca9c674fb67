"""What every provider owes its callers, held by one suite over all kinds, against their dialogues and their doubles."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import msgspec
import pytest

from ddns.errors import (
    BadCredentials,
    Malformed,
    NoSuchZone,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    Transport,
)
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RRset
from ddns.providers import table
from providers.cast import FIRST, HOME, HOME6, NEAR, NEIGHBOUR, SECOND, STRANGER, WAIT, Fault, Scene, addresses
from providers.stage import LIMIT, SHORT_LIMIT, Stage, deadline, media, stage

CASES = [(kind, medium) for kind in sorted(table.MODULES) for medium in media(kind)]


class Audience:
    """Takes the steps of a scene, and keeps what was said, to look for secrets in it at the end."""

    def __init__(self, on: Stage) -> None:
        self.on = on
        self._heard: list[object] = []

    def see(self, key: RecordKey) -> Observed | ProviderError:
        seen = self.on.provider.observe([key], deadline())
        assert set(seen) == {key}
        self._heard.append(seen[key])
        return seen[key]

    def values(self, key: RecordKey) -> frozenset[str]:
        seen = self.see(key)
        assert isinstance(seen, Observed), seen
        assert seen.key == key
        assert seen.by
        return frozenset() if seen.rrset is None else frozenset(seen.rrset.texts())

    def rrset(self, key: RecordKey) -> RRset | None:
        seen = self.see(key)
        assert isinstance(seen, Observed), seen
        return seen.rrset

    def write(self, change: Change, limit: float = LIMIT) -> Applied | ProviderError:
        results = list(self.on.provider.apply([change], deadline(limit)))
        assert [done for done, _ in results] == [change]
        self._heard.append(results[0][1])
        return results[0][1]

    def check(self) -> None:
        for said in self._heard:
            texts = [str(said), repr(said)]
            if isinstance(said, ProviderError):
                texts += [said.message, said.advice, *traceback.format_exception(said)]
                assert said.message
                assert said.advice
            for secret in self.on.secrets:
                assert not any(secret in text for text in texts), texts


Open = Callable[[Scene], "Audience | None"]


@pytest.fixture(params=CASES, ids="-".join)
def play(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens a scene for one kind and medium; None when the protocol has no words for it."""
    kind, medium = request.param
    with ExitStack() as stack:
        audiences: list[Audience] = []

        def open_scene(scene: Scene) -> Audience | None:
            ready = stack.enter_context(stage(kind, medium, scene))
            if ready is None:
                return None
            audiences.append(Audience(ready))
            return audiences[-1]

        yield open_scene
        for audience in audiences:
            audience.check()


def opened(play: Open, scene: Scene) -> Audience:
    audience = play(scene)
    assert audience is not None, f"every protocol must have words for {scene}"
    return audience


def change(before: RRset | None, *after: str, key: RecordKey = HOME) -> Change:
    reason = Reason.ADDRESS if after and before else Reason.CREATE if after else Reason.REMOVE
    return Change("change-1", key, before, addresses(*after) if after else None, reason)


def test_every_kind_of_the_registry_is_here() -> None:
    silent = {kind for kind in table.MODULES if not media(kind)}
    assert not silent, "each kind needs dialogues/<kind>.json or doubles/<kind>.py"


def test_it_can_do_what_lists_say_of_it(play: Open, request: pytest.FixtureRequest) -> None:
    kind, _ = request.node.callspec.params["play"]
    listed, can = table.load(kind).CAPABILITIES, opened(play, Scene.UPDATE).on.provider.capabilities
    assert msgspec.structs.replace(can, read=listed.read) == listed
    assert can.read or not listed.read, "only a webhook's settings give it a way to read"
    assert table.load(kind).WHO


def test_create(play: Open) -> None:
    audience = opened(play, Scene.CREATE)
    audience.on.act("before")
    assert audience.values(HOME) == set()
    audience.on.act("write")
    assert audience.write(change(None, FIRST)) == Applied()
    audience.on.act("after")
    assert audience.values(HOME) == {FIRST}
    assert audience.on.near_is_untouched()


def test_update_twice_with_one_id(play: Open) -> None:
    audience = opened(play, Scene.UPDATE)
    audience.on.act("before")
    before = audience.rrset(HOME)
    assert before is not None
    update = change(before, SECOND)
    audience.on.act("write")
    assert audience.write(update) == Applied()
    audience.on.act("again")
    assert audience.write(update) == Applied()
    audience.on.act("after")
    after = audience.rrset(HOME)
    assert after is not None
    assert after.texts() == [SECOND]
    assert (after.ttl, after.extra) == (before.ttl, before.extra), "only the address was to change"
    assert audience.on.near_is_untouched()


def test_remove(play: Open) -> None:
    audience = play(Scene.REMOVE)
    if audience is None:
        audience = opened(play, Scene.UPDATE)
        assert isinstance(audience.write(change(addresses(FIRST))), Rejected)
        return
    audience.on.act("before")
    before = audience.rrset(HOME)
    audience.on.act("write")
    result = audience.write(change(before))
    if isinstance(result, Rejected):
        assert audience.on.provider.capabilities.read is False
        return
    assert result == Applied()
    audience.on.act("after")
    assert audience.values(HOME) == set()
    assert audience.on.near_is_untouched()


def test_every_key_is_in_the_answer(play: Open) -> None:
    audience = opened(play, Scene.MANY)
    keys = [HOME, HOME6, NEIGHBOUR, STRANGER]
    audience.on.act("observe")
    seen = audience.on.provider.observe(keys, deadline())
    assert set(seen) == set(keys)
    home, home6, near, stranger = (seen[key] for key in keys)
    assert isinstance(home, Observed)
    assert home.rrset is not None
    assert home.rrset.texts() == [FIRST]
    assert isinstance(home6, Observed)
    assert home6.rrset is None
    assert isinstance(near, Observed)
    assert near.rrset is not None
    assert near.rrset.texts() == [NEAR]
    assert isinstance(stranger, ProviderError)


def test_unknown_zone(play: Open) -> None:
    audience = opened(play, Scene.UNKNOWN_ZONE)
    if audience.on.provider.capabilities.read:
        audience.on.act("observe")
        assert isinstance(audience.see(STRANGER), NoSuchZone)
    audience.on.act("write")
    assert isinstance(audience.write(change(None, FIRST, key=STRANGER)), NoSuchZone)


def test_bad_credentials(play: Open) -> None:
    audience = opened(play, Scene.BAD_CREDENTIALS)
    if audience.on.provider.capabilities.read:
        audience.on.act("observe")
        assert isinstance(audience.see(HOME), BadCredentials)
    audience.on.act("write")
    assert isinstance(audience.write(change(addresses(FIRST), SECOND)), BadCredentials)


def test_rate_limit(play: Open) -> None:
    audience = play(Scene.RATE_LIMITED)
    if audience is None:
        return  # the protocol has no such answer; its dialogue says so under `lacks`
    if audience.on.provider.capabilities.read:
        audience.on.act("observe")
        _is_limited(audience.see(HOME))
    audience.on.act("write")
    _is_limited(audience.write(change(addresses(FIRST), SECOND)))


def _is_limited(result: object) -> None:
    assert isinstance(result, RateLimited)
    assert result.retry_after == WAIT


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.SERVER_ERROR, (ServerSide,)),
        (Fault.HALF_A_BODY, (Malformed, Transport)),
        (Fault.GARBAGE, (Malformed, Transport)),
        (Fault.REFUSED, (Transport,)),
    ],
)
def test_fault(play: Open, fault: Fault, expected: tuple[type[ProviderError], ...]) -> None:
    audience = opened(play, Scene.UPDATE)
    audience.on.act("before")
    before = audience.rrset(HOME)
    audience.on.fail(fault)
    audience.on.act("write")
    result = audience.write(change(before, SECOND))
    assert isinstance(result, expected)
    if fault is Fault.REFUSED:
        assert isinstance(result, Transport)
        assert not result.in_doubt, "nothing left this machine"
    if audience.on.provider.capabilities.read:
        audience.on.act("after")
        assert isinstance(audience.see(HOME), expected)
    assert audience.on.near_is_untouched()


def test_no_answer_after_the_write(play: Open) -> None:
    audience = opened(play, Scene.UPDATE)
    audience.on.act("before")
    before = audience.rrset(HOME)
    audience.on.fail(Fault.SILENT)
    audience.on.act("write")
    result = audience.write(change(before, SECOND), SHORT_LIMIT)
    assert isinstance(result, Transport)
    assert result.in_doubt
    audience.on.fail(None)
    audience.on.act("after")
    assert audience.values(HOME) == {SECOND}, "the write had been carried out"
