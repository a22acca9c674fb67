"""Hosts' keys at rest: AES-256-GCM under the master key, bound to the host's id.

A sealed key copied to another host's row does not open. Form: a zero byte (version), 12 bytes nonce, ciphertext.
"""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ddns.errors import SettingsError, StateError
from ddns.secret import Secret

_VERSION = b"\0"
_NONCE = 12


def new_master_key() -> str:
    """A fresh master key, as text to be stored."""
    return base64.b64encode(AESGCM.generate_key(256)).decode()


class Sealer:
    """Seals and opens keys."""

    def __init__(self, master_key: Secret) -> None:
        try:
            key = base64.b64decode(master_key.reveal().strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            raise SettingsError(
                "master_key: 32 bytes in base64 are needed",
                advice="Make one with: head -c 32 /dev/urandom | base64",
            )
        self._aes = AESGCM(key)

    def seal(self, host_id: str, key: bytes) -> bytes:
        """The key, encrypted for this host."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._aes.encrypt(nonce, key, host_id.encode())

    def open(self, host_id: str, sealed: bytes) -> bytes:
        """The key. Raises StateError when it was sealed under another master key, or for another host."""
        version, nonce, text = sealed[:1], sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            if version != _VERSION:
                raise InvalidTag
            return self._aes.decrypt(nonce, text, host_id.encode())
        except InvalidTag:
            raise StateError(
                f"the key of host {host_id} does not open",
                advice="The master key is another one than at enrolment: restore it, or enrol the host again.",
            ) from None
