"""`ddns providers`: where records can be kept, and what each place can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ddns.cli import options
from ddns.cli.output import emit

if TYPE_CHECKING:
    from ddns.ports import Capabilities
    from ddns.render import Cell, Screen


@click.command(**options.examples("ddns providers", "ddns providers --json"))
@options.as_json
def providers(*, as_json: bool) -> None:
    """Show every kind of provider, and every service that is known by name.

    What is read back is read from the provider itself (API) or, where it only takes updates, from the zone's name
    servers. A fenced write holds only while the record is as it was read. The services of dns-lexicon are there where
    its extra is installed; those with a * need more packages.
    """
    from ddns.runtime import catalogue

    lexicon = catalogue.lexicon()
    told = {
        "kinds": [{"kind": kind.kind, "title": kind.title, **_can(kind.can)} for kind in catalogue.kinds()],
        "services": [
            {
                "kind": "dyndns2",
                "service": known.service,
                "title": known.title,
                "page": known.page,
                "least_seconds": known.least or None,
                **_can(known.can),
            }
            for known in catalogue.services()
        ],
        "lexicon": None if lexicon is None else [{"provider": name, "complete": so} for name, so in lexicon.items()],
    }
    if as_json:
        emit("providers", told)
    else:
        from ddns.render import Screen

        draw(Screen(), told)


def _can(can: Capabilities) -> dict[str, Any]:
    types = sorted(map(str, can.types))
    return {
        "read_back": "api" if can.read else "dns",
        "types": types,
        "ipv6": "AAAA" in types,
        "batch": can.batch,
        "compare_and_set": can.compare_and_set,
        "min_ttl": can.min_ttl,
    }


def draw(screen: Screen, told: dict[str, Any]) -> None:
    """A table of kinds, a table of services."""
    head = ("kind", "", "types", "read back", "batch", "fenced", "least TTL")
    screen.table(map(_kind, told["kinds"]), head=head, right=("least TTL",))
    screen.line()
    screen.line(('kind = "dyndns2", service = …', "strong"))
    screen.table(map(_service, told["services"]), head=("service", "", "types", "at most every"))
    screen.line()
    screen.line(('kind = "lexicon", provider = …', "strong"))
    if told["lexicon"] is None:
        screen.line("needs dns-lexicon, which is not installed here", indent=2)
    else:
        screen.flow([one["provider"] + ("" if one["complete"] else "*") for one in told["lexicon"]], indent=2)


def _kind(told: dict[str, Any]) -> list[Cell]:
    by_dns = told["read_back"] == "dns"
    return [
        (told["kind"], "strong"),
        told["title"],
        ", ".join(told["types"]),
        ("name servers", "waiting") if by_dns else "API",
        _yes(told["batch"]),
        _yes(told["compare_and_set"]),
        ("theirs", "dim") if by_dns else f"{told['min_ttl']} s" if told["min_ttl"] > 1 else ("none", "dim"),
    ]


def _yes(so: object) -> Cell:
    return ("yes", "fine") if so else ("no", "dim")


def _service(told: dict[str, Any]) -> list[Cell]:
    least = told["least_seconds"]
    every = "" if not least else f"{least // 60} min" if least >= 60 else f"{least} s"
    return [(told["service"], "strong"), told["title"], ", ".join(told["types"]), (every, "dim")]
