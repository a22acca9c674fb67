"""Secrets by reference: where each lies, its stored form for the fingerprint, and its text at the moment of use."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Protocol

from ddns.errors import BadCredentials
from ddns.host import keychain, private_folder, replace
from ddns.secret import Secret, SecretRef

if sys.platform == "win32":
    from ddns.host.windows import dpapi


class Sealer(Protocol):
    """A store of the system that seals secrets into files. `ENDING` is what such a file's name ends with."""

    ENDING: str

    def seal(self, text: bytes, folder: str) -> bytes:
        """Seal a secret that will lie in a folder. Raises StateUnwritable."""

    def unseal(self, blob: bytes, called: str) -> bytes:
        """The secret; `called` names it in messages. Raises BadCredentials."""


#: That of this system.
_SEALER: Sealer | None = None
if sys.platform == "win32":
    _SEALER = dpapi


class Vault:
    """Resolves references; remembers every text it gave out so that the log can mask it.

    An error names the reference in its message only: everybody reads the advice, in status.json. `option` is what
    ``ddns secret set`` needs to reach the same folder.
    """

    def __init__(self, folder: str, option: str = "") -> None:
        self._folder = folder
        self._option = option
        self._sealer = _SEALER
        self._texts: set[str] = set()

    def path(self, ref: SecretRef) -> str:
        """The file behind a ``file:`` or ``dpapi:`` reference; a relative path is inside the secrets folder."""
        ending = self._sealer.ENDING if self._sealer is not None and ref.scheme == "dpapi" else ""
        return os.path.join(self._folder, ref.place + ending)

    def reference(self, name: str) -> SecretRef:
        """The reference that `store` gives for an id."""
        return SecretRef(f"dpapi:{name}" if self._sealer is not None else f"file:{name}")

    def _in_file(self, ref: SecretRef) -> bool:
        return ref.scheme == "file" or (ref.scheme == "dpapi" and self._sealer is not None)

    def stored(self, ref: SecretRef) -> bytes | None:
        """What is stored, as a digest of it; None when it can't be known without opening the secret."""
        if ref.scheme == "env":
            return hashlib.sha256(os.environ.get(ref.place, "").encode(errors="surrogateescape")).digest()
        if self._in_file(ref):
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
        if self._in_file(ref):
            content = self._content(ref)
            if self._sealer is not None and ref.scheme == "dpapi":
                content = self._sealer.unseal(content, str(ref))
            try:
                return content.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise BadCredentials(f"the secret {ref} is not text in UTF-8") from error
        if ref.scheme == "keyring":
            text = keychain.read(ref.place)
            if text is None:
                raise BadCredentials(
                    f"the secret {ref} is not in the keyring of this account;"
                    f" store it with: ddns secret set --keyring {ref.place}{self._option}"
                )
            return text
        raise BadCredentials(
            f"the secret {ref} can't be opened: this system has no {ref.scheme} store",
            advice="Use file:PATH or env:NAME on this system.",
        )

    def _content(self, ref: SecretRef) -> bytes:
        try:
            with open(self.path(ref), "rb") as file:
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

    def _how_to_store(self, ref: SecretRef) -> str:
        if os.path.basename(ref.place) != ref.place:
            return ""  # not where `ddns secret set` keeps them
        return f"; store it with: ddns secret set {ref.place}{self._option}"

    def store(self, name: str, text: str) -> SecretRef:
        """Keep a secret in the secrets folder, sealed if the system can, readable by its owner only.

        Returns the reference for the settings. Raises OSError, StateUnwritable.
        """
        private_folder(self._folder)
        ref, content = self.reference(name), text.encode() + b"\n"
        if self._sealer is not None:
            content = self._sealer.seal(content, self._folder)
        replace(self.path(ref), content, mode=0o600)
        return ref

    def names(self) -> list[str]:
        """The ids of what `store` keeps in the secrets folder. Raises OSError, unless there is no such folder."""
        ending = self._sealer.ENDING if self._sealer is not None else ""
        try:
            with os.scandir(self._folder) as entries:
                files = [entry.name for entry in entries if entry.is_file()]
        except FileNotFoundError:
            return []
        drafts = {name for name in files if name.endswith(".new")}  # what a kill left behind
        return sorted(name.removesuffix(ending) for name in files if name.endswith(ending) and name not in drafts)

    def there(self, ref: SecretRef) -> bool:
        """Whether something is stored there. Raises BadCredentials when its store can't be asked."""
        if ref.scheme == "env":
            return ref.place in os.environ
        if ref.scheme == "keyring":
            return keychain.read(ref.place) is not None
        return self._in_file(ref) and os.path.lexists(self.path(ref))

    def forget(self, ref: SecretRef) -> bool:
        """Delete a stored secret; False where there is none, or it is not ours to delete (``env:``).

        Raises OSError, StateUnwritable.
        """
        if ref.scheme == "keyring" and keychain.read(ref.place) is not None:
            keychain.remove(ref.place)
            return True
        if not self._in_file(ref):
            return False
        try:
            os.remove(self.path(ref))
        except FileNotFoundError:
            return False
        return True

    def mask(self, line: str) -> str:
        """The line with every secret that was resolved so far replaced by ``***``, as it is and as JSON writes it."""
        for text in sorted(self._texts, key=len, reverse=True):  # one may be part of another
            line = line.replace(text, "***").replace(json.dumps(text)[1:-1], "***")
        return line
