"""Giving this machine's key back at its gateways, and forgetting it here once they say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ddns.config.load import Loaded
from ddns.errors import BadCredentials, ProviderError, Retryable, StateUnwritable
from ddns.host.secrets import Vault
from ddns.ports import Deadline, Tools
from ddns.providers import gateway
from ddns.resilience import Retry
from ddns.secret import SecretRef

#: Seconds for all tries at one gateway.
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Farewell:
    """This machine at one gateway.

    `host` is its id there and `gateway` the gateway's name, "" where no key lies here that tells. `state`: ``enrolled``
    (nothing was asked), ``revoked``, ``absent`` (there is no key here), or ``failed`` with the `error`.
    """

    provider: str
    url: str
    host: str = ""
    gateway: str = ""
    state: str = "enrolled"
    error: ProviderError | None = None


def _gateways(loaded: Loaded, tools: Tools) -> Iterator[tuple[str, SecretRef, gateway.Gateway]]:
    for ident, settings in loaded.settings.provider.items():
        if isinstance(settings, gateway.Settings):
            yield ident, settings.token, gateway.connect(settings, tools)


def standing(loaded: Loaded, tools: Tools, vault: Vault) -> list[Farewell]:
    """This machine at each gateway of the settings; nothing is asked."""
    return [_standing(ident, ref, client, vault) for ident, ref, client in _gateways(loaded, tools)]


def _standing(ident: str, ref: SecretRef, client: gateway.Gateway, vault: Vault) -> Farewell:
    here = Farewell(ident, client.url)
    try:
        if not vault.there(ref):
            return replace(here, state="absent")
        identity = client.host()
    except BadCredentials as error:
        return replace(here, state="failed", error=error)
    return replace(here, host=identity.host, gateway=identity.gateway)


def revoke(
    loaded: Loaded,
    tools: Tools,
    vault: Vault,
    policy: Retry,
    random: Callable[[], float],
    *,
    sweep: Callable[[str], bool],
) -> list[Farewell]:
    """Give every key back; the local one goes only after the gateway's word. Raises StateUnwritable.

    `sweep(provider)`: whether that gateway also removes what it still has of this machine, such as the records of a
    state that was lost.
    """
    found = []
    for ident, ref, client in _gateways(loaded, tools):
        here = _standing(ident, ref, client, vault)
        if here.state == "enrolled":
            here = _revoked(here, client, tools, policy, random, sweep=sweep(ident))
        if here.state == "revoked":
            _forget(vault, ref)
        found.append(here)
    return found


def _revoked(
    here: Farewell,
    client: gateway.Gateway,
    tools: Tools,
    policy: Retry,
    random: Callable[[], float],
    *,
    sweep: bool,
) -> Farewell:
    deadline, attempt = Deadline(tools.clock, _SECONDS), 0
    while True:
        attempt += 1
        try:
            client.revoke(deadline, remove_records=sweep)
        except Retryable as error:
            if not policy.wait(attempt, [error], clock=tools.clock, deadline=deadline, random=random):
                return replace(here, state="failed", error=error)
        except ProviderError as error:
            return replace(here, state="failed", error=error)
        else:
            return replace(here, state="revoked")


def kept(loaded: Loaded, tools: Tools, vault: Vault) -> list[Farewell]:
    """As `standing`, where keys were to be given back and could not be yet: they sign for records that still stand."""
    cause = ProviderError("the key is kept until its records are gone", advice="Run the same command again.")
    return [
        replace(here, state="failed", error=cause) if here.state == "enrolled" else here
        for here in standing(loaded, tools, vault)
    ]


def _forget(vault: Vault, ref: SecretRef) -> None:
    try:
        vault.forget(ref)
    except OSError as error:
        raise StateUnwritable(
            f"the key is revoked, but {vault.path(ref)} can't be deleted: {error.strerror}",
            advice="Delete that file, or run the same command again.",
        ) from error
