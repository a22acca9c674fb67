"""Storing secrets, telling which there are, and removing them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ddns import host
from ddns.config.references import references, written
from ddns.errors import BadCredentials, SettingsError, StateError, StateUnwritable, UsageError
from ddns.host import keychain
from ddns.host.secrets import Vault
from ddns.runtime import loading
from ddns.secret import SecretRef

#: The settings of a gateway, which may lie beside the client's and name secrets of the same folder.
GATEWAY = "gateway.toml"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


def checked_name(name: str) -> str:
    """A secret's id. Raises UsageError when it could not be a file's name everywhere."""
    if not _NAME.fullmatch(name):
        raise UsageError(f'"{name}" is no id for a secret', advice="Use letters, digits, hyphens and dots, at most 64.")
    return name


def unwritable_advice(data: str | None) -> str:
    """What to do where files can't be written below `--data`, or in the usual places."""
    if data is None:
        return "Run as an administrator, or name a folder with --data."
    return f"Give this account the right to write in {os.path.abspath(data)}."


def store(data: str | None, name: str, text: str, *, keyring: bool = False) -> str:
    """Keep a secret where only its owner reads it; returns the reference for the settings. Raises StateUnwritable."""
    checked_name(name)
    if keyring:
        keychain.store(name, text)
        return f"keyring:{name}"
    folder = host.places(data).secrets
    try:
        return str(Vault(folder).store(name, text))
    except OSError as error:
        raise _unwritable(f"stored in {folder}: {error.strerror}", data) from error
    except StateUnwritable as error:
        if error.advice != StateUnwritable.default_advice:
            raise
        raise _unwritable(f"stored in {error.message}", data) from error


def _unwritable(problem: str, data: str | None) -> StateUnwritable:
    return StateUnwritable(f"the secret can't be {problem}", advice=unwritable_advice(data))


@dataclass(frozen=True, slots=True)
class Kept:
    """A secret that is stored, or that settings name. `place`: the file, the variable, or the keyring's entry.

    `problem` says why it can't be told whether it is there; `used_by` are keys of settings.
    """

    reference: str
    place: str
    there: bool
    problem: str
    used_by: tuple[str, ...]


def stored_ids(data: str | None) -> list[str]:
    """The ids of the secrets that are kept in files. Raises StateError when their folder can't be looked at."""
    places = host.places(data)
    try:
        return Vault(places.secrets, places.option).names()
    except OSError as error:
        raise StateError(
            f"{places.secrets} can't be looked at: {error.strerror}",
            advice="Run the command as an administrator, or as the account that runs ddns.",
        ) from error


def kept(data: str | None) -> tuple[list[Kept], str]:
    """Every secret, and why it can't be told which of them are used, "" when it can. Never a value of one.

    Raises StateError when the folder of secrets can't be looked at.
    """
    places = host.places(data)
    vault = Vault(places.secrets, places.option)
    stored = [str(vault.reference(name)) for name in stored_ids(data)]
    try:
        used, problem = uses(places), ""
    except SettingsError as error:
        used, problem = {}, error.message
    return [_kept(SecretRef(text), vault, used) for text in sorted({*stored, *used})], problem


def _kept(ref: SecretRef, vault: Vault, used: Mapping[str, list[str]]) -> Kept:
    problem = ""
    try:
        there = vault.there(ref)
    except BadCredentials as error:
        there, problem = False, error.message
    place = {"env": "environment", "keyring": "keyring"}.get(ref.scheme) or vault.path(ref)
    return Kept(str(ref), place, there, problem, tuple(used.get(str(ref), ())))


def uses(places: host.Places) -> dict[str, list[str]]:
    """The keys that name each reference, in the settings and those of a gateway beside them. Raises SettingsError."""
    found: dict[str, list[str]] = {}
    loaded, _ = loading.load(places, missing=loading.DEFAULTS)
    for key, ref in references(loaded.settings):
        found.setdefault(str(ref), []).append(key)
    for key, ref in _of_a_gateway(os.path.join(places.config, GATEWAY)):
        found.setdefault(str(ref), []).append(f"{key} ({GATEWAY})")
    return found


def _of_a_gateway(path: str) -> list[tuple[str, SecretRef]]:
    try:
        with open(path, "rb") as file:
            return list(written(file.read(), GATEWAY))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}") from error


def remove(data: str | None, name: str, *, keyring: bool = False, force: bool = False) -> str:
    """Remove a stored secret; returns its reference. One in use only with `force`.

    Raises UsageError when it is not there or in use, StateUnwritable.
    """
    checked_name(name)
    places = host.places(data)
    vault = Vault(places.secrets, places.option)
    ref = SecretRef(f"keyring:{name}") if keyring else vault.reference(name)
    if not force:
        _refuse_if_used(str(ref), places)
    where = "the keyring of this account" if keyring else places.secrets
    try:
        if not vault.there(ref):
            raise UsageError(f"there is no secret {ref} in {where}", advice="See what there is with: ddns secret list")
        if keyring:
            keychain.remove(name)
        else:
            os.remove(vault.path(ref))
    except BadCredentials as error:
        raise StateUnwritable(error.message, advice=error.advice) from error
    except OSError as error:
        raise _unwritable(f"removed from {where}: {error.strerror}", data) from error
    return str(ref)


def _refuse_if_used(reference: str, places: host.Places) -> None:
    try:
        keys = uses(places).get(reference, [])
    except SettingsError as error:
        raise UsageError(
            f"whether {reference} is in use can't be told: {error.message}",
            advice="Correct the settings (ddns config validate), or remove it all the same with --force.",
        ) from error
    if keys:
        raise UsageError(
            f"the secret {reference} is in use: {', '.join(keys)}",
            advice="Change the settings first, or remove it all the same with --force.",
        )
