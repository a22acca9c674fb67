"""Every place where records can be kept, for `ddns providers`: what each can do is what its code says of itself."""

from __future__ import annotations

import msgspec

from ddns.ports import Capabilities
from ddns.providers import bridge, dyndns2, table
from ddns.providers.presets import SERVICES


class Kind(msgspec.Struct, frozen=True):
    """A kind of provider, its name, and what it can do with the settings' defaults."""

    kind: str
    title: str
    can: Capabilities


class Known(msgspec.Struct, frozen=True):
    """A service that a kind knows by name. `least`: seconds it wants between two updates of a name, 0: none told."""

    service: str
    title: str
    page: str
    can: Capabilities
    least: int


def kinds() -> list[Kind]:
    """All kinds, by name."""
    modules = [(kind, table.load(kind)) for kind in sorted(table.MODULES)]
    return [Kind(kind, module.WHO, module.CAPABILITIES) for kind, module in modules]


def services() -> list[Known]:
    """The services of kind ``dyndns2``, by name."""
    return [
        Known(name, known.title, known.page, dyndns2.capabilities(known), known.least)
        for name, known in sorted(SERVICES.items())
    ]


def lexicon() -> dict[str, bool] | None:
    """dns-lexicon's services, and whether the packages that each needs are there; None where Lexicon is not."""
    return bridge.names() if bridge.installed() else None
