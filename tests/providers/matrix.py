"""The fault matrix of the providers: each fault played against each kind's double, and what came of it.

`row` plays one kind; ``python -m providers.matrix``, with src, tests and packaging on the path, writes the table of
docs/reference/faults.md anew. A test plays again and holds the page to it.
"""

from __future__ import annotations

import enum
import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import msgspec

from ddns.errors import ProviderError
from ddns.model import Applied, AppliedState, Change, Observed, Reason
from ddns.ports import Provider
from ddns.providers import table
from providers.cast import FIRST, HOME, NEAR, NEIGHBOUR, SECOND, Double, Fault, addresses
from providers.stage import LIMIT, SHORT_LIMIT, connect, deadline, media

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "faults.md"
BEGIN, END = "<!-- providers -->", "<!-- end of providers -->"


class More(enum.StrEnum):
    """Faults that are not on the wire but in what stands there, or in the service's own words."""

    LIMITED = "429, Retry-After"
    DUPLICATE = "duplicate"


Trouble = Fault | More
TROUBLES: tuple[Trouble, ...] = (*Fault, *More)
#: Faults under which no whole answer comes.
_ENDLESS = {Fault.SLOW, Fault.SILENT}


class Cell(msgspec.Struct, frozen=True):
    """What one fault led to. `seen`: a reading under the fault, None where the kind is not read; `standing`: the
    record's values afterwards, behind the provider's back; `near`: whether the neighbour's record was touched.
    """

    seen: Observed | ProviderError | None
    written: Applied | ProviderError | None
    standing: frozenset[str]
    before: frozenset[str]
    near: bool

    def __str__(self) -> str:
        """As the page words it, without what no reading is: ``code`` of the error, ``?`` when the end is in doubt."""
        if self.written is None:
            return "no such answer"
        return _said(self.written)


def _said(result: Applied | Observed | ProviderError) -> str:
    if isinstance(result, ProviderError):
        return result.code.removeprefix("provider.").replace("_", " ") + ("?" if result.in_doubt else "")
    return "written" if isinstance(result, Applied) else "read"


def kinds() -> list[str]:
    """The kinds that have a double: all of them, which a test holds."""
    return [kind for kind in sorted(table.MODULES) if "double" in media(kind)]


@contextmanager
def _connected(kind: str) -> Iterator[tuple[Double, Provider]]:
    with importlib.import_module(f"providers.doubles.{kind}").serve() as served:
        double = cast("Double", served)
        double.zone.put(NEIGHBOUR.name, NEIGHBOUR.type, NEAR)
        gateway_url = getattr(double, "gateway_url", "")  # of the gateway's double only
        yield (
            double,
            connect(kind, double.settings, double.secrets, double.net, double.proof_servers, gateway_url),
        )


def play(kind: str, trouble: Trouble) -> Cell:
    """One write of `SECOND` over `FIRST` under the trouble, and one reading.

    `DUPLICATE`: the record is created, while somebody else creates it with `FIRST` after we have looked.
    """
    with _connected(kind) as (double, provider):
        new = trouble is More.DUPLICATE
        if not new:
            double.zone.put(HOME.name, HOME.type, FIRST)
        before = provider.observe([HOME], deadline())[HOME]
        assert isinstance(before, Observed), before
        if new:
            double.zone.put(HOME.name, HOME.type, FIRST)
        stood = double.zone.get(HOME.name, HOME.type)
        if trouble is More.LIMITED and not double.limit():
            return Cell(None, None, stood, stood, near=False)
        if isinstance(trouble, Fault):
            double.fail(trouble)
        change = Change("change-1", HOME, before.rrset, addresses(SECOND), Reason.ADDRESS)
        limit = SHORT_LIMIT if trouble in _ENDLESS else LIMIT
        ((_, written),) = provider.apply([change], deadline(limit))
        seen = provider.observe([HOME], deadline(limit))[HOME] if provider.capabilities.read else None
        standing = double.zone.get(HOME.name, HOME.type)
        near = double.zone.get(NEIGHBOUR.name, NEIGHBOUR.type) != {NEAR}
        return Cell(seen, written, standing, stood, near)


def applied(cell: Cell) -> bool:
    """Whether the write was said to be in DNS."""
    return isinstance(cell.written, Applied) and cell.written.state is AppliedState.APPLIED


def row(kind: str) -> dict[Trouble, Cell]:
    """All troubles of one kind."""
    return {trouble: play(kind, trouble) for trouble in TROUBLES}


def line(kind: str, cells: Mapping[Trouble, Cell]) -> str:
    """One kind's line of the page."""
    return _line(f"`{kind}`", [str(cells[trouble]) for trouble in TROUBLES])


def _line(first: str, cells: Sequence[str]) -> str:
    return "| " + " | ".join((first, *cells)) + " |"


HEAD = [_line("kind", list(TROUBLES)), _line("---", ["---"] * len(TROUBLES))]


def provider_table() -> str:
    """The whole table, played anew."""
    return "\n".join([*HEAD, *(line(kind, row(kind)) for kind in kinds())])


def rewrite() -> None:
    """Put the table anew between the page's marks."""
    text = PAGE.read_text("utf-8")
    first, _, rest = text.partition(f"{BEGIN}\n")
    _, _, last = rest.partition(END)
    PAGE.write_text(f"{first}{BEGIN}\n{provider_table()}\n{END}{last}", "utf-8")


if __name__ == "__main__":
    rewrite()
