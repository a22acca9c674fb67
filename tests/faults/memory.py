"""A kind of provider for settings files of tests: ``kind = "memory"``, whose records are in a fake of the test."""

from __future__ import annotations

import msgspec

from ddns.ports import Provider, Tools

KIND = "memory"
#: The fakes, by the place that the settings name.
PLACES: dict[str, Provider] = {}


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a provider of this kind."""

    place: str


def connect(settings: Settings, tools: Tools) -> Provider:
    """The fake of that place."""
    return PLACES[settings.place]
