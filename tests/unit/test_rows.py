"""Values to rows and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.model import RecordKey, RecordType, RRset, Value
from ddns.state import rows

TTLS = st.none() | st.integers(1, 604800)
EXTRA = st.dictionaries(st.text(max_size=5), st.booleans() | st.text(max_size=5), max_size=3)


def rrsets(values: st.SearchStrategy[Value]) -> st.SearchStrategy[RRset]:
    return st.builds(RRset, st.frozensets(values, max_size=4), TTLS, EXTRA)


@pytest.mark.parametrize(
    ("rtype", "values"),
    [
        (RecordType.A, st.ip_addresses(v=4)),
        (RecordType.AAAA, st.ip_addresses(v=6)),
        (RecordType.TXT, st.text()),
        (RecordType.CNAME, st.text().map(RecordType.CNAME.parse)),
    ],
)
@given(data=st.data())
def test_an_rrset_comes_back(rtype: RecordType, values: st.SearchStrategy[Value], data: st.DataObject) -> None:
    rrset = data.draw(rrsets(values))
    assert rows.decode(rows.encode(rrset), rtype) == rrset


def test_no_rrset_is_null() -> None:
    assert rows.encode(None) is None
    assert rows.decode(None, RecordType.A) is None


def test_a_key_in_columns() -> None:
    assert rows.place(RecordKey("dns", "home.example.com", RecordType.AAAA)) == ("dns", "home.example.com", "AAAA")
