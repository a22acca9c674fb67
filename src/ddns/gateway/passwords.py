"""Passwords of dyndns2 clients: argon2id, with the memory of the OWASP profile, so that many checks fit at a time."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Checked where there is no such user, so that it takes as long; nobody knows its password.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(18))


def hashed(password: str) -> str:
    """What is stored of a password."""
    return _HASHER.hash(password)


def right(stored: str, password: str) -> bool:
    """Whether the password is the one whose hash is stored; "" stands for nobody's."""
    try:
        _HASHER.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return True
