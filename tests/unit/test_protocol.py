"""The signature both sides build: nothing that differs shares a base string, and what is written is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns import protocol
from ddns.protocol import Identity, ProtocolError, Signed

TOKENS = st.text("abcXYZ019._-", min_size=1, max_size=20)
SIGNED = st.builds(
    Signed,
    host=TOKENS,
    ts=st.integers(0, 10**12),
    nonce=TOKENS,
    seq=st.integers(0, 10**12),
    idem=st.text("abc019._-", max_size=20),
)
REQUESTS = st.tuples(
    SIGNED,
    st.text("gw:.1", min_size=1, max_size=5),
    st.sampled_from(["GET", "POST"]),
    st.text("/v1?&=ab", min_size=1, max_size=8),
    st.binary(max_size=8),
)
KEY = bytes(range(32))


@given(REQUESTS, REQUESTS)
def test_two_requests_share_a_base_string_only_if_they_are_the_same(
    one: tuple[Signed, str, str, str, bytes], other: tuple[Signed, str, str, str, bytes]
) -> None:
    first, second = one[0].base(*one[1:]), other[0].base(*other[1:])
    assert (first == second) == (one == other)


@given(REQUESTS)
def test_what_is_signed_is_read_and_verified(request: tuple[Signed, str, str, str, bytes]) -> None:
    signed, gateway, method, target, body = request
    read, sig = protocol.parse(signed.header(KEY, gateway, method, target, body))
    assert read == signed
    assert protocol.verify(read, sig, KEY, gateway, method, target, body)
    assert not protocol.verify(read, sig, KEY[::-1], gateway, method, target, body)


@given(st.text(max_size=80))
def test_any_text_is_a_header_or_a_protocol_error(text: str) -> None:
    try:
        protocol.parse(f"DDNS1 {text}")
    except ProtocolError:
        return
    pytest.fail("no such text was expected to be a header")


def test_a_line_break_is_never_signed() -> None:
    with pytest.raises(ProtocolError, match="line break"):
        Signed("h", 1, "n", 1, "i").base("gw", "GET", "/a\n/b", b"")


def test_the_base_string_is_that_of_the_documents() -> None:
    base = Signed("h1", 1700000000, "n1", 7, "i1").base("gw.example", "post", "/v1/update?a=1", b"{}")
    assert base.decode().split("\n") == [
        "DDNS1",
        "gw.example",
        "POST",
        "/v1/update?a=1",
        "1700000000",
        "n1",
        "h1",
        "7",
        "i1",
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    ]


GOOD = "host=h,ts=1,nonce=n,seq=1,idem=i,sig=s"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic abc",
        "DDNS1",
        f"DDNS2 {GOOD}",
        f"DDNS1 {GOOD},extra=1",
        f"DDNS1 {GOOD},host=h",
        "DDNS1 " + GOOD.replace("ts=1", "ts=-1"),
        "DDNS1 " + GOOD.replace("ts=1", "ts=１"),
        "DDNS1 " + GOOD.replace("seq=1", "seq=9999999999999999999"),
        "DDNS1 " + GOOD.replace("host=h", "host="),
        "DDNS1 " + GOOD.replace("nonce=n", "nonce=n n"),
        "DDNS1 " + GOOD.replace("sig=s", "sig=\x1b[0m"),
    ],
)
def test_a_header_that_is_not_of_the_form_is_refused(header: str) -> None:
    with pytest.raises(ProtocolError):
        protocol.parse(header)


@given(host=TOKENS, key=st.binary(min_size=32, max_size=64), gateway=st.text("gw.example:8443", min_size=1))
def test_an_identity_is_read_as_it_was_written_and_keeps_its_key_to_itself(host: str, key: bytes, gateway: str) -> None:
    identity = Identity(host, key, gateway)
    assert Identity.parse(identity.text() + "\n") == identity
    assert protocol.encode_key(key) not in repr(identity)


@pytest.mark.parametrize(
    "text", ["", "h", "h:short:gw", "h::gw", ":" + "A" * 43 + ":gw", "h:" + "A" * 43 + ":", "h:" + "é" * 43 + ":gw"]
)
def test_a_token_of_another_form_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        Identity.parse(text)
    assert "AAAA" not in str(caught.value)


def test_a_problem_type_is_read_back_and_foreign_ones_are_not_ours() -> None:
    assert protocol.problem_slug(protocol.problem_type("conflict")) == "conflict"
    assert [protocol.problem_slug(uri) for uri in ("about:blank", None, 7)] == ["", "", ""]
