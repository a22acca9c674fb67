"""Values as services spell them: names with or without the final dot, texts with or without quotes."""

from __future__ import annotations

from ddns.errors import Malformed, foreign
from ddns.model import RecordType, RRset, Value
from ddns.net import txt

#: Of `Capabilities.types`: for services that take every type that a client may own.
EVERY_TYPE = frozenset(RecordType)


def dotted(rtype: RecordType, value: Value) -> str:
    """A value whose names end with a dot, and whose texts have no quotes."""
    return f"{value}." if rtype is RecordType.CNAME else str(value)


def presented(rtype: RecordType, value: Value) -> str:
    """A value in presentation form, as zone files have it: names end with a dot, texts are quoted."""
    return txt.quoted(str(value)) if rtype is RecordType.TXT else dotted(rtype, value)


def all_presented(rtype: RecordType, rrset: RRset | None) -> list[str]:
    """The values of an RRset in presentation form, sorted; none for none."""
    return sorted(presented(rtype, value) for value in rrset.values) if rrset is not None else []


def parsed(rtype: RecordType, text: str) -> Value:
    """A value from presentation form; texts may come without quotes. Raises ValueError."""
    return rtype.parse(txt.unquoted(text) if rtype is RecordType.TXT else text)


def received(rtype: RecordType, text: str, who: str) -> Value:
    """As `parsed`, of an answer of the service `who`. Raises Malformed."""
    try:
        return parsed(rtype, text)
    except ValueError as error:
        raise Malformed(f"{who}: {foreign(text, 80)} is not a value of type {rtype}") from error
