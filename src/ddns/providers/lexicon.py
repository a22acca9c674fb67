"""Every service that dns-lexicon knows, through its providers: the extra ``lexicon``, not in ddns.exe.

Records are listed by exact name and type, and changed by Lexicon's identifier. What Lexicon's interface does not tell
(comments, weights, states) can't be kept: that is up to each of its providers, and some replace a record by removing
and making it. Source: https://dns-lexicon.readthedocs.io/en/latest/configuration_reference.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from ddns.errors import Malformed, NoSuchZone, foreign
from ddns.model import RecordKey, RRset, Value
from ddns.ports import Capabilities, Deadline, Provider, Tools
from ddns.providers import answers, bridge, writes
from ddns.providers.rows import Refusal, Row, RowProvider
from ddns.providers.zones import Zone
from ddns.secret import SecretRef

WHO = "dns-lexicon's services"
USUAL_MIN_TTL = 600
#: Only addresses: Lexicon's providers differ in quotes, and in dots and zones behind names.
CAPABILITIES = Capabilities(min_ttl=USUAL_MIN_TTL)
#: Seconds that one operation may take, which is several exchanges of Lexicon's.
OPERATION_LIMIT = 30.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of kind ``lexicon``."""

    provider: Annotated[str, Meta(pattern="^[a-z0-9_]+$", description="Lexicon's name of the service, such as gandi.")]
    zone: Annotated[str, Meta(min_length=1, description="The zone's name, as the service knows it.")]
    options: Annotated[
        dict[str, str | int | bool],
        Meta(description="What the provider takes beside secrets, such as api_protocol; see: lexicon NAME --help"),
    ] = {}
    secrets: Annotated[
        dict[str, SecretRef], Meta(description="Where its secrets lie, by option, such as auth_token.")
    ] = {}
    min_ttl: Annotated[int, Meta(ge=1, le=86400, description="The least TTL that the service takes.")] = USUAL_MIN_TTL

    def __post_init__(self) -> None:
        """Refuse what is told twice, and secrets that stand where they can be read."""
        for name in (*self.options, *self.secrets):
            if not name.isidentifier():
                raise ValueError(f'"{name[:40]}" is not an option of Lexicon\'s: write api_key for --api-key')
        twice = sorted(self.options.keys() & self.secrets.keys())
        if twice:
            raise ValueError(f"{twice[0]} stands in options and in secrets")
        for name in self.options:
            if name.endswith(("token", "password", "secret", "api_key", "private_key")):
                raise ValueError(f"options.{name} is a secret: name it in secrets, as a reference")


def connect(settings: Settings, tools: Tools) -> Provider:
    """Make the provider; nothing is sent yet. Raises SettingsError where Lexicon, or its provider, is not there."""
    bridge.require(settings.provider)
    api = Api(settings, tools)
    return RowProvider(api, api, tools.clock, replace(CAPABILITIES, min_ttl=settings.min_ttl))


class Api:
    """The operations; see `rows.Api`, and `zones.Finder`: the zone is that of the settings."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._zone = Zone(answers.ascii_name(settings.zone), min_ttl=settings.min_ttl)
        self._bridge = bridge.Bridge(settings.provider, self._zone.name, settings.options)

    def of(self, key: RecordKey, deadline: Deadline) -> Zone:
        """The zone of the settings. Raises NoSuchZone for a name that does not lie in it."""
        del deadline
        name = answers.ascii_name(key.name)
        if name != self._zone.name and not name.endswith(f".{self._zone.name}"):
            raise NoSuchZone(f"{key.name} does not lie in the zone {self._zone.name}")
        return self._zone

    def rows(self, zone: Zone, key: RecordKey, deadline: Deadline) -> list[Row]:
        """List by exact name and type."""
        del zone
        name, rtype = answers.ascii_name(key.name), str(key.type)
        listed = self._bridge.read(
            lambda it: it.list_records(rtype, name), self._secrets(), deadline.within(OPERATION_LIMIT)
        )
        items = answers.objects(listed, self._who())
        # Some of Lexicon's providers filter less than they should.
        return [
            self._row(item, key)
            for item in items
            if (str(item.get("name")).rstrip(".").lower(), str(item.get("type")).upper()) == (name, rtype)
        ]

    def add(self, zone: Zone, key: RecordKey, value: Value, after: RRset, deadline: Deadline) -> None:
        """create_record: where one of the same content is there, Lexicon does nothing."""
        name = answers.ascii_name(key.name)
        ttl = after.ttl or max(writes.DEFAULT_TTL, zone.min_ttl)
        self._write(lambda it: it.create_record(str(key.type), name, str(value)), ttl, deadline)

    def alter(self, zone: Zone, key: RecordKey, row: Row, value: Value, after: RRset, deadline: Deadline) -> None:
        """update_record, with the TTL that it has where none is asked for."""
        name = answers.ascii_name(key.name)
        ttl = after.ttl or row.ttl or max(writes.DEFAULT_TTL, zone.min_ttl)
        self._write(lambda it: it.update_record(row.raw["id"], str(key.type), name, str(value)), ttl, deadline)

    def drop(self, zone: Zone, key: RecordKey, row: Row, deadline: Deadline) -> None:
        """delete_record."""
        name = answers.ascii_name(key.name)
        ttl = row.ttl or zone.min_ttl
        self._write(lambda it: it.delete_record(row.raw["id"], str(key.type), name, str(row.value)), ttl, deadline)

    def _write(self, work: Callable[[bridge.Operations], object], ttl: int, deadline: Deadline) -> None:
        done = self._bridge.write(work, self._secrets(), ttl, deadline.within(OPERATION_LIMIT))
        if done is False:  # Lexicon's word for: it was not, or it was so already
            raise Refusal(f"{self._who()} did not carry it out")

    def _secrets(self) -> Mapping[str, str]:
        return {name: self._tools.resolve(ref).reveal() for name, ref in self._settings.secrets.items()}

    def _who(self) -> str:
        return f"Lexicon's {self._settings.provider}"

    def _row(self, item: Mapping[str, Any], key: RecordKey) -> Row:
        ttl, content = str(item.get("ttl") or ""), str(item.get("content"))
        if item.get("id") is None:
            raise Malformed(f"{self._who()}: a record without identifier")
        try:
            value = key.type.parse(content)
        except ValueError as error:
            raise Malformed(f"{self._who()}: {foreign(content, 80)} is not a value of type {key.type}") from error
        return Row(str(item["id"]), value, int(ttl) if ttl.isdecimal() else None, raw={"id": item["id"]})
