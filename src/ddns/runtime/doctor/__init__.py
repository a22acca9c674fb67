"""`ddns doctor`: looks at everything a run needs, and changes nothing. Each look is a module here.

Providers are asked as a run would ask them: records are read, none is written. What the network says on the way
(names, certificates, the time) is overheard, so that exactly those servers are judged that a run needs.
"""

from __future__ import annotations

from collections.abc import Callable

from ddns.runtime import Start, compose
from ddns.runtime.doctor.finding import Finding as Finding
from ddns.runtime.doctor.finding import Verdict as Verdict


def examine(data: str | None, tell: Callable[[str], None], seams: compose.Seams | None = None) -> list[Finding]:
    """All findings, in the order in which they are best read. `tell` hears what is looked at just now.

    Raises StateError when the folders can't be used at all.
    """
    from ddns.runtime.doctor import folders, lock, memory, network, providers, settings, timer

    start, seams = Start(data), seams or compose.Seams()
    tell("settings and folders")
    loaded, found = settings.look(start.places)
    found += folders.look(start.places)
    tell("state and timer")
    found += memory.look(start.places, seams.clock.now())
    found += timer.look(start.places)
    if loaded is None:
        return found
    world, net = settings.world(start, loaded, seams)
    tell("the way to the Internet")
    found += network.routes(world)
    for family in network.families(world):
        tell(f"the public address, IPv{family.value}")
        found += network.address(world, family)
    net.needed = True
    for ident in loaded.settings.provider:
        tell(f"the provider {ident}")
        found += providers.look(world, ident, loaded.kinds[ident])
    tell("the fleet's lock")
    found += lock.look(world)
    tell("names, certificates and the time")
    found += network.proxies(net.heard)
    return found + network.names(net.heard) + network.trust(net.heard) + network.clock(net.heard)
