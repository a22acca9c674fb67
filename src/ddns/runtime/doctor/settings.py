"""The settings, and the world that they describe, composed so that it can't write."""

from __future__ import annotations

import copy

from msgspec.structs import replace

from ddns import host
from ddns.config.load import Loaded
from ddns.config.schema import Retry
from ddns.cycle import World
from ddns.errors import SettingsError
from ddns.host.secrets import Vault
from ddns.runtime import RunRequest, Start, compose, loading
from ddns.runtime.doctor.finding import Finding, ok, problem, warning
from ddns.runtime.doctor.overheard import Overheard
from ddns.runtime.looking import NoLog, NoState, recall

AREA = "settings"


def look(places: host.Places) -> tuple[Loaded | None, list[Finding]]:
    """The settings, None when they can't be used; and what there is to say of them."""
    try:
        loaded, _ = loading.load(places)
    except SettingsError as error:
        if isinstance(error.__cause__, PermissionError):  # of a machine whose settings are not this account's to read
            return None, [warning(AREA, "file", error.message, "Run the command as an administrator.")]
        problems = error.problems or (error.message,)
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        return None, [problem(AREA, "file", f"{problems[0]}{more}", error.advice)]
    found = [ok(AREA, "file", f"{places.config_file} is valid")]
    if not loaded.settings.record:
        found.append(
            problem(AREA, "records", "no records are set", f"Add a [[record]] to {places.config_file}, then: ddns plan")
        )
    unused = set(loaded.settings.provider) - {record.provider for record in loaded.settings.record}
    if unused and loaded.settings.record:
        names = ", ".join(sorted(unused))
        found.append(warning(AREA, "providers", f"no record uses {names}", "Remove it, or name it in a [[record]]."))
    return loaded, found


def world(start: Start, loaded: Loaded, seams: compose.Seams) -> tuple[World, Overheard]:
    """What a run is made of, over a network that remembers. Its state keeps nothing; nothing is left alone for now."""
    vault = Vault(start.places.secrets, start.places.option)
    net = Overheard(seams.net(), seams.clock)
    loaded = copy.copy(loaded)
    loaded.settings = replace(loaded.settings, retry=Retry(attempts=2))  # somebody waits for the answer
    made = compose.world(
        loaded,
        RunRequest(start.data, now=True),
        recall(start),
        NoState(),
        vault,
        NoLog(),
        start.trace_id,
        replace(seams, net=lambda: net),
    )
    return replace(made, prove=True), net
