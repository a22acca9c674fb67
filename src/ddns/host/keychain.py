"""The keyring of the system or the desktop (Windows' credentials, Secret Service, KWallet), by the package `keyring`.

The package is an extra that most installations, ddns.exe among them, do not have: it is imported when it is used.
Source: https://keyring.readthedocs.io/en/latest/#api-interface
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, cast

from ddns.errors import BadCredentials, StateUnwritable, foreign

#: What entries of ours are called there; the ID of a secret is the entry's user name.
SERVICE = "ddns"
_EXTRA = 'Install it with: pip install "ddns-fleet[keyring]", or store the secret without --keyring.'
_UNLOCK = "See that the account that runs ddns has a keyring and that it is unlocked, or store the secret in a file."


class _Keyring(Protocol):
    """The part of the package that is used."""

    def get_password(self, service: str, name: str, /) -> str | None: ...
    def set_password(self, service: str, name: str, text: str, /) -> None: ...
    def delete_password(self, service: str, name: str, /) -> None: ...


@contextmanager
def _opened(kind: type[BadCredentials | StateUnwritable], problem: str) -> Iterator[_Keyring]:
    """The package; that it is not there, and what it fails with, becomes an error of `kind`."""
    try:
        package = cast("_Keyring", importlib.import_module("keyring"))
        failure: type[Exception] = importlib.import_module("keyring.errors").KeyringError
    except ModuleNotFoundError:
        raise kind(f"{problem}: this installation has no keyring package", advice=_EXTRA) from None
    try:
        yield package
    except failure as error:
        # Some go on about how to install packages.
        said = foreign(str(error).partition(". ")[0]) or type(error).__name__
        raise kind(f"{problem}: {said}", advice=_UNLOCK) from error


def read(name: str) -> str | None:
    """The secret, None when there is none under that name. Raises BadCredentials."""
    with _opened(BadCredentials, f"the secret keyring:{name} can't be opened") as keyring:
        return keyring.get_password(SERVICE, name)


def store(name: str, text: str) -> None:
    """Keep a secret. Raises StateUnwritable."""
    with _opened(StateUnwritable, f"the secret keyring:{name} can't be stored") as keyring:
        keyring.set_password(SERVICE, name, text)


def remove(name: str) -> None:
    """Take a secret away. Raises StateUnwritable, also when there is none."""
    with _opened(StateUnwritable, f"the secret keyring:{name} can't be removed") as keyring:
        keyring.delete_password(SERVICE, name)
