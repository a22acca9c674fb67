r"""The policy as raw bytes, for the fingerprint of the run that changes nothing: read, not understood.

On Windows the policy is the registry key HKLM\Software\Policies\DDNS, elsewhere a TOML file. `policy` gives it its
meaning.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as typing has it, whose import the no-change run can't afford
if TYPE_CHECKING:
    from typing import Any, Protocol
else:
    Protocol = object

#: Below HKEY_LOCAL_MACHINE; only administrators write there.
REGISTRY_KEY = r"Software\Policies\DDNS"
#: What stands for a policy that is there and can't be read: a run that sees it goes the full way, which tells it.
UNREADABLE = b"\x00unreadable"

#: Values are pairs of registry type and data; keys are dicts.
Tree = dict[str, "Any"]


class Registry(Protocol):
    """The part of the module `winreg` that is used here, so that tests stand in for it."""

    def OpenKey(self, key: Any, sub_key: str, /) -> Any:  # noqa: N802  # winreg's name
        """Open a key for reading. Raises OSError."""

    def QueryInfoKey(self, key: Any, /) -> tuple[int, int, int]:  # noqa: N802  # winreg's name
        """The counts of subkeys and values, and a time."""

    def EnumKey(self, key: Any, index: int, /) -> str:  # noqa: N802  # winreg's name
        """The name of a subkey."""

    def EnumValue(self, key: Any, index: int, /) -> tuple[str, Any, int]:  # noqa: N802  # winreg's name
        """Name, data and type of a value."""


def registry_tree(registry: Registry, parent: Any, path: str) -> Tree | None:
    """A key with all below it, None when it is not there. Raises OSError when it can't be read."""
    try:
        opened = registry.OpenKey(parent, path)
    except FileNotFoundError:
        return None
    with opened as key:
        keys, values, _ = registry.QueryInfoKey(key)
        tree: Tree = {}
        for index in range(values):
            name, data, kind = registry.EnumValue(key, index)
            tree[name] = (kind, data)
        for name in [registry.EnumKey(key, index) for index in range(keys)]:
            tree[name] = registry_tree(registry, key, name) or {}
        return tree


def serialised(tree: Tree | None) -> bytes:
    """The same bytes for the same content, whatever the order of the registry."""
    if tree is None:
        return b""
    flat = {name: serialised(value) if isinstance(value, dict) else value for name, value in tree.items()}
    return repr(sorted(flat.items(), key=lambda item: item[0])).encode("utf-8", "surrogatepass")


def file_bytes(path: str) -> bytes | None:
    """The content of a policy file, None when there is none. Raises OSError when it can't be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


if sys.platform == "win32":
    import winreg

    def policy_bytes(path: str) -> bytes:
        """The policy's raw form, empty when there is none. `path` is for other systems."""
        del path
        try:
            return serialised(registry_tree(winreg, winreg.HKEY_LOCAL_MACHINE, REGISTRY_KEY))
        except OSError:
            return UNREADABLE

else:

    def policy_bytes(path: str) -> bytes:
        """The policy's raw form: the file at `path`, empty when there is none."""
        try:
            return file_bytes(path) or b""
        except OSError:
            return UNREADABLE
