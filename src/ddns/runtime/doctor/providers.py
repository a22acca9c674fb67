"""A provider's credentials, by a harmless real operation: its records are read, as a run would read them."""

from __future__ import annotations

from ddns.cycle import World
from ddns.errors import BadCredentials, Held, ProviderError
from ddns.model import Observed
from ddns.runtime.doctor.finding import Finding, ok, problem, warning

AREA = "credentials"


def look(world: World, ident: str, kind: str) -> list[Finding]:
    """What reading its records tells. A provider that no record uses has nothing to be asked for."""
    keys = [target.key for target in world.targets if target.key.provider == ident]
    if not keys:
        return []
    seen = world.providers[ident].observe(keys, world.deadline.within(world.deadline.left() / 2))
    errors = [result for result in seen.values() if isinstance(result, ProviderError)]
    read = [result for result in seen.values() if isinstance(result, Observed)]
    found = [_refused(ident, error) for error in _different(errors)]
    if read and _asks_itself(world, ident):
        records = f"{read[0].key}" + (f" and {len(read) - 1} more" if len(read) > 1 else "")
        found.append(ok(AREA, ident, f"{kind} lets us read {records}; nothing was written"))
    elif read:
        says = f"{read[0].key} was read at {read[0].by}; {kind} has no way to try its credentials without a write"
        found.append(warning(AREA, ident, says, "Nothing, if runs are fine: ddns status"))
    return found


def _asks_itself(world: World, ident: str) -> bool:
    return world.providers[ident].capabilities.read


def _different(errors: list[ProviderError]) -> list[ProviderError]:
    """One of each code, in their order."""
    return list({error.code: error for error in reversed(errors)}.values())[::-1]


def _refused(ident: str, error: ProviderError) -> Finding:
    if isinstance(error, Held):
        return warning(AREA, ident, error.message, error.advice)
    what = f"{ident}: secret" if isinstance(error, BadCredentials) else ident
    return problem(AREA, what, error.message, error.advice)
