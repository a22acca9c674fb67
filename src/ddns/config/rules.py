"""What the types can't say: rules between keys, and forms of text (names, networks, servers).

They look at the values as the file has them, so that a wrong key beside them hides nothing. What is not of the right
type is passed over here: `convert` has reported it.
"""

from __future__ import annotations

import ipaddress
import ntpath
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ddns.address import HostRule
from ddns.config import connections, names
from ddns.config.convert import Report
from ddns.config.near import hint
from ddns.config.schema import Duration
from ddns.config.words import dotted, quoted
from ddns.net import wire
from ddns.net.urls import base_url

_TYPES = ("A", "AAAA", "CNAME", "TXT")
_FIXED = {"CNAME", "TXT"}
_LONGEST = Duration("366d")
#: What Windows calls a network.
CATEGORIES = ("public", "private", "domain")


def check(merged: Mapping[str, Any], kinds: Mapping[str, str], sources: Sequence[str], report: Report) -> None:
    """Report what is wrong between the keys of a whole file; `kinds` by provider ID, empty when the kind is wrong."""
    _records(merged, kinds, report)
    _detect(_table(merged, "detect"), {*sources, "gateway"}, report)
    wrong = _url(_table(merged, "gateway").get("url"))
    if wrong:
        report(("gateway", "url"), wrong)
    for index, server in _texts(_table(merged, "proof"), "servers"):
        if not _ip_port(server):
            report(("proof", "servers", index), f'expected "IP:PORT" such as "192.0.2.53:53", found {quoted(server)}')
    connections.check_lock(merged, report)
    connections.check_ways(merged, report)
    _within(merged, ("detect", "timeout"), report, zero=False)
    _within(merged, ("proof", "every"), report, zero=False, most=Duration("24h"))
    _within(merged, ("proof", "settle"), report)
    _within(merged, ("proof", "watch"), report, most=Duration("120s"))
    _within(merged, ("retry", "base"), report, most=Duration("10m"))
    _within(merged, ("retry", "jitter"), report, most=Duration("10m"))


def _table(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = tree.get(key)
    return table if isinstance(table, dict) else {}


def _texts(table: Mapping[str, Any], key: str) -> Iterator[tuple[int, str]]:
    items = table.get(key)
    if isinstance(items, list):
        yield from ((index, item) for index, item in enumerate(items) if isinstance(item, str))


def _records(merged: Mapping[str, Any], kinds: Mapping[str, str], report: Report) -> None:
    records = merged.get("record")
    seen: dict[tuple[str, str], int] = {}
    standing: dict[str, dict[str, int]] = {}
    for index, record in enumerate(records if isinstance(records, list) else ()):
        if isinstance(record, dict):
            here = ("record", index)
            if isinstance(record.get("provider"), str):
                _reference(record["provider"], (*here, "provider"), merged, kinds, report)
            if isinstance(record.get("name"), str):
                _name(record, here, seen, standing, report)
            _values(record, _kinds(record), here, report)


def _kinds(record: Mapping[str, Any]) -> list[str]:
    """The types of a record, as far as they are types."""
    return [kind for _, kind in _texts(record, "types") if kind in _TYPES] if "types" in record else ["A"]


def _values(record: Mapping[str, Any], kinds: Sequence[str], here: tuple[str | int, ...], report: Report) -> None:
    """A fixed value where the type needs one, and nowhere else."""
    value, fixed = record.get("value"), [kind for kind in kinds if kind in _FIXED]
    if fixed and len(set(kinds)) > 1:
        report((*here, "types"), f'"{fixed[0]}" needs a [[record]] of its own: its value is not that of other types')
    elif fixed and "value" not in record:
        report((*here, "value"), f"required key is missing: what the {fixed[0]} record holds")
    elif value is not None and kinds and not fixed:
        report((*here, "value"), "only CNAME and TXT have a value of their own; A and AAAA hold the detected address")
    if isinstance(value, str) and len(fixed) == 1:
        wrong = (_alias if fixed == ["CNAME"] else _note)(value)
        if wrong:
            report((*here, "value"), wrong)
    if "TXT" in kinds and record.get("proxied") is not None:
        report((*here, "proxied"), "a TXT record is never proxied")
    _rule(record.get("host_rule"), kinds, (*here, "host_rule"), report)


def _alias(value: str) -> str | None:
    if value.startswith("*"):
        return "a CNAME can't stand for a wildcard"
    return names.complaint(names.normal(value))


def _note(value: str) -> str | None:
    if not (value.isascii() and value.isprintable()) or value != value.strip() or value.startswith('"'):
        return "expected printable ASCII, without quotes or blanks around it"
    return None


def _rule(rule: object, kinds: Sequence[str], here: tuple[str | int, ...], report: Report) -> None:
    if not isinstance(rule, str):
        return
    try:
        HostRule(rule)
    except ValueError as error:
        report(here, str(error))
    if kinds and set(kinds) != {"AAAA"}:
        report(here, 'a host rule makes IPv6 addresses: set types = ["AAAA"] for this record')


def _reference(
    ident: str, here: tuple[str | int, ...], merged: Mapping[str, Any], kinds: Mapping[str, str], report: Report
) -> None:
    if ident not in kinds:
        report(here, f"there is no table [{dotted(('provider', ident))}]{hint(ident, kinds)}")
    elif kinds[ident] == "gateway" and "gateway" not in merged:
        report(here, f"{quoted(ident)} is of the kind gateway, but there is no table [gateway]")


def _name(
    record: Mapping[str, Any],
    here: tuple[str | int, ...],
    seen: dict[tuple[str, str], int],
    standing: dict[str, dict[str, int]],
    report: Report,
) -> None:
    name = names.normal(record["name"])
    wrong = names.complaint(name)
    if wrong:
        report((*here, "name"), wrong)
        return
    types, number = _kinds(record), int(here[1])
    for kind in types:
        others = standing.setdefault(name, {})
        clash = next((other for other in others if (kind == "CNAME") != (other == "CNAME")), None)
        if clash is not None:
            where = f"record[{others[clash]}]" if others[clash] != number else "the same record"
            report((*here, "name"), f"{quoted(name)} can't have {kind} and {clash} (of {where}): a CNAME stands alone")
        others.setdefault(kind, number)
        first = seen.setdefault((name, kind), int(here[1]))
        if first != here[1]:
            report((*here, "name"), f"{quoted(name)} {kind} is already kept by record[{first}]")
    for kind in _TYPES:
        if types.count(kind) > 1:
            report((*here, "types"), f'"{kind}" is listed twice')


def _detect(detect: Mapping[str, Any], known: set[str], report: Report) -> None:
    if detect.get("sources") == []:
        report(("detect", "sources"), "at least one source is needed")
    for index, source in _texts(detect, "sources"):
        if source not in known:
            tail = hint(source, sorted(known)) or f"; the built-in ones are {', '.join(sorted(known))}"
            report(("detect", "sources", index), f"unknown source {quoted(source)}{tail}")
    _own_sources(detect.get("sources"), report)
    for family in (4, 6):
        wrong = _probe(detect.get(f"probe{family}"), family)
        if wrong:
            report(("detect", f"probe{family}"), wrong)
    for index, text in _texts(detect, "allow_private"):
        wrong = _network(text)
        if wrong:
            report(("detect", "allow_private", index), wrong)
    for index, text in _texts(detect, "networks"):
        wrong = None if mac(text) else _profile(text) if profile(text) else _network(text)
        if wrong:
            report(("detect", "networks", index), wrong)


def mac(text: str) -> str:
    """A MAC address in its usual form, "" when the text is none."""
    pairs = re.split("[:-]", text.strip().lower())
    return ":".join(pairs) if len(pairs) == 6 and all(re.fullmatch("[0-9a-f]{2}", pair) for pair in pairs) else ""


def profile(text: str) -> tuple[str, str] | None:
    """What is asked of Windows' profile of the network, ``name`` or ``category``, and its value; None: nothing."""
    kind, colon, value = text.partition(":")
    asked = {"profile": "name", "category": "category"}.get(kind.strip().lower())
    return (asked, value.strip().casefold()) if colon and asked else None


def _profile(text: str) -> str | None:
    asked, value = profile(text) or ("", "")
    if asked == "category" and value not in CATEGORIES:
        return f"expected category:{' or category:'.join(CATEGORIES)}, found {quoted(text)}"
    return None if value else f"expected profile:NAME, found {quoted(text)}"


def _own_sources(sources: object, report: Report) -> None:
    for index, source in enumerate(sources if isinstance(sources, list) else ()):
        if isinstance(source, dict):
            for key, wrong in _own_source(source):
                report(("detect", "sources", index, *([key] if key else [])), wrong)


def _own_source(source: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a table in `sources`: the key, "" for the whole of it, and why."""
    if ("url" in source) == ("command" in source):
        yield "", "a source of your own has either a url or a command"
    command, pattern, pointer = source.get("command"), source.get("regex"), source.get("json")
    if isinstance(command, list):
        if not command or not all(isinstance(part, str) and part for part in command):
            yield "command", 'expected a program and its arguments, such as ["/opt/address", "-4"]'
        elif not (posixpath.isabs(command[0]) or ntpath.isabs(command[0])):
            yield "command", f"expected the program's whole path, found {quoted(command[0])}"
        for key in ("json", "regex", "ca_file"):
            if key in source:
                yield key, "this is for a url, not for a command"
    if pattern and pointer:
        yield "regex", "json and regex exclude each other"
    if isinstance(pattern, str) and pattern and (wrong := _pattern(pattern)):
        yield "regex", wrong
    if isinstance(pointer, str) and pointer.startswith("/") and re.search("~(?![01])", pointer):
        yield "json", "in a JSON pointer a ~ is written ~0, and a / within a key ~1"


def _pattern(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        return f"not a regular expression: {error}"
    return "" if groups == 1 else f"expected one group, in parentheses, for the address; found {groups}"


def _probe(text: object, family: int) -> str | None:
    names = [probe.name for probe in wire.PROBES[family]]
    if not isinstance(text, str) or not text or text in names:
        return None
    try:
        wire.own_probe(text, family)
    except ValueError:
        forms = f"{', '.join(names)}, dns://IP:PORT/NAME or http://HOST:PORT/PATH"
        return f"expected {forms}, found {quoted(text)}{hint(text, names)}"
    return None


def _url(text: object) -> str | None:
    if not isinstance(text, str) or not text.startswith("https://"):
        return None  # the type says so
    try:
        base_url(text)
    except ValueError as error:
        return str(error)
    return None


def _within(
    tree: Mapping[str, Any], path: tuple[str, str], report: Report, *, zero: bool = True, most: Duration = _LONGEST
) -> None:
    text = _table(tree, path[0]).get(path[1])
    try:
        value = Duration(text) if isinstance(text, str) else None
    except ValueError:
        return
    if value is not None and value.seconds > most.seconds:
        report(path, f"expected at most {most}, found {value}")
    elif value is not None and not zero and not value.seconds:
        report(path, f"expected a time longer than {value}")


def _network(text: str) -> str | None:
    try:
        loose = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f'expected a network such as "10.0.0.0/8", found {quoted(text)}'
    if ipaddress.ip_interface(text).ip != loose.network_address:
        return f'{quoted(text)} has bits set beyond its prefix; did you mean "{loose}"?'
    return None


def _ip_port(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ipaddress.ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        return False
    if (address.version == 6) != bracketed or not colon:
        return False
    return port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 1 << 16
