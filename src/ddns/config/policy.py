"""The policy of a machine's administrator, in the shape of the settings file: the strongest layer of `load`."""

from __future__ import annotations

import os
import sys
from typing import Any

from ddns.config.document import parse
from ddns.config.policy_bytes import REGISTRY_KEY, Tree, file_bytes, registry_tree
from ddns.config.words import escaped
from ddns.errors import SettingsError

# The registry's types that a policy may use, by their numbers in the Windows headers (REG_SZ and its kin).
_TEXT, _NUMBER, _TEXTS = 1, 4, 7
_TYPE_NAMES = {0: "REG_NONE", 2: "REG_EXPAND_SZ", 3: "REG_BINARY", 5: "REG_DWORD_BIG_ENDIAN", 11: "REG_QWORD"}
_ADVICE = "Correct the policy, then check with: ddns config validate"


def from_file(path: str) -> dict[str, Any]:
    """The policy in a TOML file, empty when there is no file. Raises SettingsError."""
    try:
        data = file_bytes(path)
    except OSError as error:
        problem = f"{path}: can't be read: {error.strerror}"
        raise SettingsError(f"{path} has 1 problem", (problem,), advice=_ADVICE) from error
    return parse(data, os.path.basename(path))[1] if data is not None else {}


def from_registry(tree: Tree | None) -> dict[str, Any]:
    r"""The policy in a registry key. Raises SettingsError with all values that can't be settings.

    Subkeys are tables (``Detect``, ``Provider\ID``, ``Record\1``), values are keys: REG_SZ, REG_DWORD (also for true
    and false: 1 and 0), REG_MULTI_SZ for lists. Names of tables and keys are in any case, as the registry's are; IDs
    are not.
    """
    problems: list[str] = []
    policy = _table(tree or {}, "HKLM\\" + REGISTRY_KEY, problems)
    tables = policy.get("provider")
    if isinstance(tables, dict):
        policy["provider"] = {ident: _lower(table) for ident, table in tables.items()}
    for name, table in policy.items():
        if name != "provider":
            policy[name] = _lower(table)
    if isinstance(policy.get("record"), dict):
        policy["record"] = [_lower(record) for _, record in sorted(policy["record"].items(), key=_number)]
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise SettingsError(f"the policy has {count}", tuple(problems), advice=_ADVICE)
    return policy


def _number(item: tuple[str, Any]) -> tuple[int, str]:
    name = item[0]
    return (int(name) if name.isascii() and name.isdigit() else 1 << 31, name)


def _lower(table: Any) -> Any:
    return {name.lower(): value for name, value in table.items()} if isinstance(table, dict) else table


def _table(tree: Tree, path: str, problems: list[str], *, top: bool = True) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name, value in tree.items():
        place = f"{path}\\{name}"
        key = name.lower() if top else name
        if isinstance(value, dict):
            table[key] = _table(value, place, problems, top=False)
        elif name:  # the unnamed default value of a key means nothing here
            kind, data = value
            if kind in (_TEXT, _NUMBER, _TEXTS):
                table[key] = [] if kind == _TEXTS and data is None else data  # winreg's word for an empty list
            else:
                found = _TYPE_NAMES.get(kind, f"type {kind}")
                wanted = "REG_SZ, REG_DWORD or REG_MULTI_SZ"
                problems.append(escaped(f"policy: {place}: expected {wanted}, found {found}"))
    return table


if sys.platform == "win32":
    import winreg

    def read(path: str) -> dict[str, Any]:
        """The policy of this machine, empty when there is none. `path` is for other systems. Raises SettingsError."""
        del path
        try:
            return from_registry(registry_tree(winreg, winreg.HKEY_LOCAL_MACHINE, REGISTRY_KEY))
        except OSError as error:
            problem = f"policy: HKLM\\{REGISTRY_KEY}: can't be read: {error.strerror}"
            raise SettingsError("the policy has 1 problem", (problem,), advice=_ADVICE) from error

else:

    def read(path: str) -> dict[str, Any]:
        """The policy of this machine: the TOML file at `path`; empty when there is none. Raises SettingsError."""
        return from_file(path)
