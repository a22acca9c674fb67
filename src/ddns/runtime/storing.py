"""Storing a secret."""

from __future__ import annotations

import os
import re

from ddns import host
from ddns.errors import StateUnwritable, UsageError
from ddns.host.secrets import Vault

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


def store(data: str | None, name: str, text: str) -> str:
    """Keep a secret where only its owner reads it; returns the reference for the settings. Raises StateUnwritable."""
    folder = host.places(data).secrets
    try:
        return str(Vault(folder).store(checked_name(name), text))
    except OSError as error:
        raise _unwritable(f"{folder}: {error.strerror}", data) from error
    except StateUnwritable as error:
        if error.advice != StateUnwritable.default_advice:
            raise
        raise _unwritable(error.message, data) from error


def _unwritable(problem: str, data: str | None) -> StateUnwritable:
    return StateUnwritable(f"the secret can't be stored in {problem}", advice=unwritable_advice(data))
