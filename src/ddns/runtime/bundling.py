"""What helpers ask for, gathered from this machine: settings, status, log, state, versions. Each part by itself.

A part that can't be had says why in its place: a bundle is wanted most where something is broken.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import re
import ssl
import sys
import tomllib
from collections.abc import Callable, Iterable
from importlib import metadata
from typing import Any

from ddns import __version__, host
from ddns.config.references import references, written
from ddns.config.words import dotted
from ddns.edition import NOTE
from ddns.errors import BadCredentials, DdnsError, SettingsError, StateError
from ddns.host.secrets import Vault
from ddns.runtime import loading, reading, shaping
from ddns.runtime.redaction import SECRET, Redactor
from ddns.secret import SecretRef
from ddns.state.schema import check, connect

#: Bytes of each log file, its end, and how many files.
_LOG_BYTES, _LOGS = 1 << 20, 3
_PACKAGES = ("click", "dnspython", "httpx", "keyring", "miniupnpc", "msgspec", "pywin32", "redis", "rich", "truststore")
#: Keys whose values name an account, and those whose values are secret though no reference is asked for there.
_ACCOUNT = re.compile(r"(?:^|_)(?:id|user(?:name)?|login|e?mail|contact|account|project|key_name)$")
_SENSITIVE = re.compile(r"token|secret|passw|key|auth|cookie|credential", re.IGNORECASE)


def redactor(data: str | None, *, addresses: bool) -> Redactor:
    """One that knows every secret and account of this machine that can be found."""
    places, made = host.places(data), Redactor(addresses=addresses)
    vault = Vault(places.secrets, places.option)
    for ref in {*_stored(vault), *_named(places)}:
        try:
            made.secret(vault.resolve(ref).reveal())
        except BadCredentials:
            continue  # what can't be opened here can't be in a part either
    raw = _raw(places)
    names = {text for path, text in raw if path[0] == "record"}
    for path, text in raw:
        key = str(path[-1])
        if _reference(text):
            continue
        for piece in shaping.paths(text) if "://" in text else ():
            made.path(piece)
        for token in {*_tokens(path, text)} - names:
            made.secret(token)
        if _ACCOUNT.search(key):
            made.account(text)
        elif path[0] != "record" and _SENSITIVE.search(key):
            made.secret(text)  # pasted where a reference belongs
        else:
            made.known(text)
    for address in _addresses(data):
        made.known(address)
    return made


def _addresses(data: str | None) -> Iterable[str]:
    """Those that this machine published, as its status tells; what is wrong with that its own part says."""
    with contextlib.suppress(DdnsError):
        records = reading.status(data).document.get("records")
        for record in records if isinstance(records, list) else ():
            yield str(record.get("address")) if isinstance(record, dict) else ""


def _stored(vault: Vault) -> list[SecretRef]:
    try:
        return [vault.reference(name) for name in vault.names()]
    except OSError:
        return []


def _named(places: host.Places) -> Iterable[SecretRef]:
    """References of the settings in force, of the file as it is, and of a gateway's settings beside it."""
    with contextlib.suppress(SettingsError):  # the file may still be TOML
        yield from (ref for _, ref in references(loading.load(places, missing=loading.DEFAULTS)[0].settings))
    for path in (places.config_file, os.path.join(places.config, "gateway.toml")):
        try:
            with open(path, "rb") as file:
                yield from (ref for _, ref in written(file.read(), path))
        except (OSError, SettingsError):
            continue


def _raw(places: host.Places) -> list[tuple[tuple[str | int, ...], str]]:
    """The texts in the settings file, as it is, and of those in force, each with its path."""
    found: list[tuple[tuple[str | int, ...], str]] = []
    with contextlib.suppress(SettingsError):  # the file may still be TOML
        for path, value in loading.load(places, missing=loading.DEFAULTS)[0].values.items():
            found += _texts(value, path)
    with contextlib.suppress(OSError, ValueError), open(places.config_file, "rb") as file:
        found += _texts(tomllib.load(file), ())
    return found


def _tokens(path: tuple[str | int, ...], text: str) -> list[str]:
    """What may be a token in a text of the settings where no reference is asked for."""
    if _templated(path):
        found = shaping.word_tokens(text)
    elif path[-1] == "command":
        found = shaping.argument_tokens(["", text])
    else:
        found = shaping.url_tokens(text) if "://" in text else []
    return [token for token in found if shaping.rare(token)]


def _templated(path: tuple[str | int, ...]) -> bool:
    """Whether it is a body or a header of a request."""
    return path[0] == "provider" and (path[-1] == "body" or "headers" in path[2:])


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterable[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str) and path:
        yield path, value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from _texts(below, (*path, key))
    elif isinstance(value, list):
        for below in value:
            yield from _texts(below, path)


def _reference(text: str) -> bool:
    try:
        SecretRef(text)
    except ValueError:
        return False
    return True


def parts(data: str | None) -> dict[str, Callable[[], Any]]:
    """File name -> what makes its content: JSON values, or the text of a log. None of them raises DdnsError."""
    places = host.places(data)
    made: dict[str, Callable[[], Any]] = {
        "versions.json": versions,
        "settings.json": lambda: _settings(places),
        "status.json": lambda: reading.status(data).document,
        "state.json": lambda: _state(places),
    }
    made |= {os.path.basename(path): functools.partial(_end, path) for path in _logs(places.log_file)}
    return {name: _told(make) for name, make in made.items()}


def _told(make: Callable[[], Any]) -> Callable[[], Any]:
    def told() -> Any:
        try:
            return make()
        except DdnsError as error:
            return {"error": error.code, "message": error.message, "advice": error.advice}
        except OSError as error:
            return {"error": "os", "message": f"{error.filename}: {error.strerror}"}

    return told


def versions() -> dict[str, Any]:
    """The program, what it stands on, and the system."""
    return {
        "ddns": __version__ + NOTE,
        "python": sys.version,
        "openssl": ssl.OPENSSL_VERSION,
        "system": platform.platform(),
        "machine": platform.machine(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _settings(places: host.Places) -> dict[str, Any]:
    """As `ddns config show --json`, or the problems; where each secret lies is told, and whether it is there."""
    try:
        loaded, _ = loading.load(places)
    except SettingsError as error:
        return {"file": places.config_file, "message": error.message, "problems": list(error.problems)}
    values = {dotted(path): _shown(path, value) for path, value in loaded.values.items()}
    told = {key: {"value": value, "layer": loaded.origins[key].layer} for key, value in values.items()}
    return {"file": places.config_file, "values": told, "warnings": loading.warnings(loaded, places)}


def _shown(path: tuple[str | int, ...], value: Any) -> Any:
    """A value, unless its key says that it is secret and it is no reference; the shape of what may hold a token."""
    if isinstance(value, str) and _templated(path):
        return shaping.words(value)
    if isinstance(value, list) and path[-1] == "command":
        return shaping.arguments(value)
    sensitive = path[0] == "provider" and any(_SENSITIVE.search(str(part)) for part in path[2:])
    account = bool(_ACCOUNT.search(str(path[-1])))
    return SECRET if sensitive and not account and isinstance(value, str) and not _reference(value) else value


def _state(places: host.Places) -> dict[str, Any]:
    """The shape of the state: its format, tables, columns and how many rows; nothing of what is in them."""
    base = connect(places.state_file)
    try:
        tables = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        shape = {
            name: {
                "columns": [row[1] for row in base.execute(f"PRAGMA table_info({name})")],
                "rows": base.execute(f"SELECT count(*) FROM {name}").fetchone()[0],  # noqa: S608 - its own table
            }
            for name in tables
            if name.isidentifier()
        }
        format_ = dict(base.execute("SELECT key, value FROM meta WHERE key IN ('schema', 'min_writer')"))
        return {"format": format_, "tables": shape, "whole": _whole(base, places.state_file)}
    finally:
        base.close()


def _whole(base: Any, path: str) -> str:
    try:
        check(base, path)
    except StateError as error:
        return error.message
    return "yes"


def _logs(path: str) -> list[str]:
    """The log and those that were set aside last, as far as they are there."""
    return [path, *(f"{path}.{number}" for number in range(1, _LOGS) if os.path.exists(f"{path}.{number}"))]


def _end(path: str) -> str:
    """The last lines of a log, whole ones. Raises OSError."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LOG_BYTES))
        content = file.read(_LOG_BYTES).decode("utf-8", "replace")
    return content if size <= _LOG_BYTES else content.partition("\n")[2]


def keep(path: str, content: bytes) -> None:
    """Write a new file that only its owner reads. Raises FileExistsError, OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)
