"""Secrets by reference: where each lies, its stored form for the fingerprint, and its text at the moment of use."""

from __future__ import annotations

import hashlib
import json
import os

from ddns.errors import BadCredentials
from ddns.host import replace
from ddns.secret import Secret, SecretRef


class Vault:
    """Resolves references; remembers every text it gave out so that the log can mask it.

    An error names the reference in its message only: everybody reads the advice, in status.json. `option` is what
    ``ddns secret set`` needs to reach the same folder.
    """

    def __init__(self, folder: str, option: str = "") -> None:
        self._folder = folder
        self._option = option
        self._texts: set[str] = set()

    def path(self, ref: SecretRef) -> str:
        """The file behind a ``file:`` reference; a relative path is inside the secrets folder."""
        return os.path.join(self._folder, ref.place)

    def stored(self, ref: SecretRef) -> bytes | None:
        """What is stored, as a digest of it; None when it can't be known without opening the secret."""
        if ref.scheme == "env":
            return hashlib.sha256(os.environ.get(ref.place, "").encode(errors="surrogateescape")).digest()
        if ref.scheme == "file":
            try:
                with open(self.path(ref), "rb") as file:
                    return hashlib.sha256(file.read()).digest()
            except OSError:
                return b""
        return None

    def resolve(self, ref: SecretRef) -> Secret:
        """The secret. Raises BadCredentials when it is not there, is empty, or can't be read."""
        text = self._read(ref).strip()
        if not text:
            raise BadCredentials(
                f"the secret {ref} is empty", advice="Put the secret where the settings say, then: ddns run --now"
            )
        self._texts.add(text)
        return Secret(text)

    def _read(self, ref: SecretRef) -> str:
        if ref.scheme == "env":
            if ref.place not in os.environ:
                raise BadCredentials(
                    f"the secret {ref} is not there: the environment variable is not set",
                    advice="Set the variable for the account that runs ddns, then: ddns run --now",
                )
            return os.environ[ref.place]
        if ref.scheme == "file":
            try:
                with open(self.path(ref), encoding="utf-8") as file:
                    return file.read()
            except FileNotFoundError as error:
                raise BadCredentials(
                    f"the secret {ref} is not in {os.path.dirname(self.path(ref))}{self._how_to_store(ref)}"
                ) from error
            except OSError as error:
                raise BadCredentials(
                    f"the secret {ref} can't be read: {error.strerror}",
                    advice="Check that the file is there and that the account that runs ddns may read it.",
                ) from error
            except UnicodeDecodeError as error:
                raise BadCredentials(f"the secret {ref} is not text in UTF-8") from error
        raise BadCredentials(
            f"the secret {ref} can't be opened: this system has no {ref.scheme} store",
            advice="Use file:PATH or env:NAME on this system.",
        )

    def _how_to_store(self, ref: SecretRef) -> str:
        if os.path.basename(ref.place) != ref.place:
            return ""  # not where `ddns secret set` keeps them
        return f"; store it with: ddns secret set {ref.place}{self._option}"

    def store(self, name: str, text: str) -> SecretRef:
        """Keep a secret in the secrets folder, readable by its owner only; returns the reference for the settings."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        replace(os.path.join(self._folder, name), text.encode() + b"\n", mode=0o600)
        return SecretRef(f"file:{name}")

    def mask(self, line: str) -> str:
        """The line with every secret that was resolved so far replaced by ``***``, as it is and as JSON writes it."""
        for text in sorted(self._texts, key=len, reverse=True):  # one may be part of another
            line = line.replace(text, "***").replace(json.dumps(text)[1:-1], "***")
        return line
