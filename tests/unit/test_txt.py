"""How the text of TXT records is written and read."""

from __future__ import annotations

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.net.txt import quoted, unquoted

PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=700)


@given(PRINTABLE)
def test_what_is_written_is_what_dns_reads_and_what_we_read_again(text: str) -> None:
    text = text.strip()
    if not text or text.startswith('"'):
        return
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, quoted(text))
    assert b"".join(rdata.strings).decode() == text  # type: ignore[attr-defined]  # of TXT, as every TXT-like type
    assert unquoted(quoted(text)) == text
    assert unquoted(rdata.to_text()) == text


@given(st.text(max_size=60))
def test_whatever_a_service_shows_is_written_again_as_it_was(text: str) -> None:
    shown = text.strip()
    value = unquoted(shown)
    assert value == shown or quoted(value) == shown


@pytest.mark.parametrize(
    ("shown", "value"),
    [
        ('"abc"', "abc"),
        ("abc", "abc"),
        ('"a b" "c"', '"a b" "c"'),  # somebody cut it there: it stays so
        ('"\\195\\164"', '"\\195\\164"'),
        ('"half', '"half'),
        ('""', ""),
        ('"say \\"hi\\""', 'say "hi"'),
    ],
)
def test_reading(shown: str, value: str) -> None:
    assert unquoted(shown) == value
    assert quoted(value) in (shown, f'"{shown}"')
