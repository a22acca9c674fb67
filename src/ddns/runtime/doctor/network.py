"""The way to the Internet: routes, the public address, names, certificates, and the time that servers tell."""

from __future__ import annotations

import ipaddress
import queue
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence

from ddns.address import Family
from ddns.cycle import World, ask
from ddns.detection import Absent, Available
from ddns.errors import AddressError, Malformed, Transport, Untrusted
from ddns.net import ways
from ddns.net.proxies import NONE
from ddns.runtime.doctor.finding import Finding, ok, problem, warning
from ddns.runtime.doctor.overheard import Heard

AREA, ADDRESSES, TIME = "network", "addresses", "time"
#: Seconds that the system's resolver may take for all names.
_RESOLVING = 5.0
#: Seconds that a clock may be off unnoticed, and those that services with signed requests take (TSIG, SigV4: 300).
_NOTICED, _REFUSED = 30.0, 300.0
_CLOCK = "Set this machine's clock (w32tm /resync, or timedatectl), then: ddns run --now"
_DETECT = "See what each source answers: ddns detect"


def families(world: World) -> list[Family]:
    """Those of the records, both when there is none."""
    return sorted({target.family for target in world.targets if target.family is not None}) or list(Family)


def routes(world: World) -> list[Finding]:
    """Whether packets find a way out, by family."""
    found = []
    routed = {family: world.route(family) for family in Family}
    for family in families(world):
        what = f"IPv{family.value} route"
        if routed[family]:
            found.append(ok(AREA, what, f"there is a route to the Internet over IPv{family.value}"))
        elif any(routed.values()):
            rtype = "A" if family is Family.V4 else "AAAA"
            says = f"there is no route to the Internet over IPv{family.value}; {rtype} records are left alone"
            found.append(
                warning(
                    AREA, what, says, f"Nothing, unless this machine should have IPv{family.value}: see its router."
                )
            )
        else:
            says = "there is no route to the Internet"
            found.append(problem(AREA, what, says, "Check cable, wireless network and default gateway."))
    return found


def address(world: World, family: Family) -> list[Finding]:
    """What the sources say of one family's public address."""
    detected, what = ask(world, family, ask_all=True), f"IPv{family.value}"
    silent = [answer for answer in detected.answers if answer.address is None]
    found = detected.detection
    if isinstance(found, Available):
        verdict = ok(ADDRESSES, what, f"{found.address}, agreed by {', '.join(found.agreed_by)}")
    elif isinstance(found, Absent):
        return [ok(ADDRESSES, what, f"none: {found.by}")]
    else:
        verdict = problem(ADDRESSES, what, "the public address is not known", AddressError.default_advice)
    if not silent:
        return [verdict]
    says = f"{len(silent)} of {len(detected.answers)} sources did not tell it: {silent[0].problem or 'no answer'}"
    return [verdict, warning(ADDRESSES, f"{what} sources", says, _DETECT)]


def proxies(heard: Sequence[Heard]) -> list[Finding]:
    """Through which proxy the servers that are needed are asked; nothing where the settings name none."""
    chosen = ways.current().proxies
    if chosen.url == NONE:
        return []
    through: dict[str, set[str]] = {}
    found = []
    for host in sorted({item.host for item in heard if item.host and item.needed}):
        try:
            hop = chosen.hop(f"https://{f'[{host}]' if ':' in host else host}/")
        except Transport as error:
            found.append(problem(AREA, "proxy", f"{host}: {error.message}", error.advice))
            continue
        through.setdefault(f"through the proxy {hop}" if hop else "directly", set()).add(host)
    return found + [ok(AREA, "proxy", f"{how}: {', '.join(sorted(hosts))}") for how, hosts in through.items()]


def names(heard: Sequence[Heard], resolve: Callable[[str], object] | None = None) -> list[Finding]:
    """Whether the system's resolver knows the servers that were asked."""
    hosts = sorted({item.host for item in heard if item.host and not _literal(item.host)})
    needed = {item.host for item in heard if item.needed}
    if not hosts:
        return []
    wrong = _unresolved(hosts, resolve or (lambda host: socket.getaddrinfo(host, None)))
    if not wrong:
        return [ok(AREA, "names", f"the system's resolver knows {hosts[0]}{_and_more(hosts)}")]
    host, why = wrong[0]
    says = f"the system's resolver does not know {host}{_and_more(wrong)}: {why}"
    advice = "Check this machine's name servers: " + (
        "Get-DnsClientServerAddress and Resolve-DnsName"
        if sys.platform == "win32"
        else "resolvectl status, or /etc/resolv.conf"
    )
    harmless = len(wrong) < len(hosts) and not needed & {host for host, _ in wrong}
    return [(warning if harmless else problem)(AREA, "names", says, advice)]


def _unresolved(hosts: Sequence[str], resolve: Callable[[str], object]) -> list[tuple[str, str]]:
    """Those that are not known, and why. Asked all at once: a resolver may take its time for each."""
    answers: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()

    def work(host: str) -> None:
        try:
            resolve(host)
            answers.put((host, ""))
        except (OSError, UnicodeError) as error:
            answers.put((host, getattr(error, "strerror", None) or str(error)))

    for host in hosts:
        threading.Thread(target=work, args=(host,), daemon=True).start()
    told, ends = dict[str, str](), time.monotonic() + _RESOLVING
    while len(told) < len(hosts):
        try:
            host, why = answers.get(timeout=max(ends - time.monotonic(), 0.01))
        except queue.Empty:
            break
        told[host] = why
    return [(host, told.get(host, "no answer in time")) for host in hosts if told.get(host, "late")]


def trust(heard: Sequence[Heard]) -> list[Finding]:
    """Which servers answered over TLS, and who vouches for each."""
    found = []
    for host, port, ca_file in sorted({(item.host, item.port, item.ca_file) for item in heard if item.secure}):
        asked = [item for item in heard if (item.host, item.port, item.ca_file) == (host, port, ca_file)]
        where = host if port == 443 else f"{host}:{port}"
        by = f"the authority in {ca_file}" if ca_file else "an authority that this system trusts"
        answered = [item for item in asked if item.error is None or isinstance(item.error, Malformed)]
        last = asked[-1].error
        untrusted = next((item.error for item in asked if isinstance(item.error, Untrusted)), None)
        if untrusted is not None:
            found.append(problem(AREA, "TLS", untrusted.message, untrusted.advice))
        elif answered:
            found.append(ok(AREA, "TLS", f"{where} answers, and {by} vouches for it"))
        elif last is not None:
            tell = problem if any(item.needed for item in asked) else warning
            found.append(tell(AREA, "TLS", last.message, last.advice))
    return found


def clock(heard: Sequence[Heard]) -> list[Finding]:
    """How far this machine's clock is from those of servers: from the middle one, so that one liar counts little."""
    skews = {item.host: item.skew for item in heard if item.skew is not None}
    if not skews:
        return [warning(TIME, "clock", "no server told the time, so that the clock could not be compared", _DETECT)]
    ahead = statistics.median(skews.values())
    way = "behind" if ahead > 0 else "ahead"
    servers = "1 server" if len(skews) == 1 else f"{len(skews)} servers"
    far = "right" if abs(ahead) < 0.5 else f"{abs(ahead):.0f} s {way}"
    says = f"this machine's clock is {far}, by {servers}"
    if abs(ahead) <= _NOTICED:
        return [ok(TIME, "clock", says)]
    if abs(ahead) <= _REFUSED:
        return [warning(TIME, "clock", says, _CLOCK)]
    return [problem(TIME, "clock", f"{says}: signed requests are refused", _CLOCK)]


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _and_more(items: Sequence[object]) -> str:
    return f" and {len(items) - 1} more" if len(items) > 1 else ""
