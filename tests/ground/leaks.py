"""Where a secret has got to: files, in every form that it may be written in, and what processes were told.

`Processes` looks at the arguments and the environment of every process of this computer, again and again, so that what
lives for some milliseconds is seen; a leak must be planted to know that it would be.
"""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self


def forms(secret: str) -> tuple[bytes, ...]:
    """The secret as bytes: as it is, in UTF-16, base64 of both wherever it begins in a text, JSON's and XML's."""
    plain, wide = secret.encode(), secret.encode("utf-16-le")
    encoded = []
    for data in (plain, wide):
        for shift in range(3):
            text = base64.b64encode(b"\0" * shift + data)
            # What the neighbours have a part in is left out.
            encoded.append(text[(0, 2, 3)[shift] : len(text) - 4])
    escaped = [secret.replace("+", "\\u002b").encode(), secret.replace("+", "&#43;").encode()]
    return tuple(dict.fromkeys((plain, wide, *encoded, *escaped)))


def holds(data: bytes, secret: str) -> bool:
    """Whether it is in there."""
    return any(form in data for form in forms(secret))


def files(folder: Path, secret: str) -> set[str]:
    """The files below `folder` that hold it, by their path there. Links are not followed."""
    found = set()
    for above, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not Path(above, name).is_symlink()]
        for path in (Path(above, name) for name in names):
            if path.is_file() and not path.is_symlink() and holds(path.read_bytes(), secret):
                found.add(str(path.relative_to(folder)))
    return found


class Processes:
    """Looks between `__enter__` and `__exit__` at processes that were started since.

    `seen` are their command lines, `told` the processes whose arguments or environment held the secret.
    """

    def __init__(self, secret: str) -> None:
        self._forms = forms(secret)
        self._over = threading.Event()
        self._before = set(os.listdir("/proc"))
        self._thread = threading.Thread(target=self._look)
        self.told: set[str] = set()
        self.seen: set[str] = set()

    def _look(self) -> None:
        while not self._over.wait(0.01):
            for number, what, data in _all(self._before):
                if what == "cmdline":
                    self.seen.add(data.replace(b"\0", b" ").decode("utf-8", "replace"))
                if any(form in data for form in self._forms):
                    self.told.add(f"{what} of {number}: {data[:200]!r}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()


def _all(before: set[str]) -> Iterator[tuple[str, str, bytes]]:
    for number in os.listdir("/proc"):
        if number.isdigit() and number not in before:
            for what in ("cmdline", "environ"):
                try:
                    yield number, what, Path("/proc", number, what).read_bytes()
                except OSError:  # it has ended, or is another user's
                    continue
