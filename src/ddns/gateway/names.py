"""Names: how a host's label is checked, and what name the template makes of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NAME = re.compile(rf"({_LABEL.pattern}|_[a-z0-9-]{{1,62}})(\.({_LABEL.pattern}|_[a-z0-9-]{{1,62}}))+")


def fold(name: str) -> str:
    """The one spelling of a name that the gateway keeps: lower case, no final dot."""
    return name.removesuffix(".").lower()


def check_label(label: str, reserved: Collection[str]) -> str:
    """The label of a host in its kept spelling. ValueError when it is not an LDH label, or is reserved."""
    folded = label.lower()
    if not folded.isascii() or _LABEL.fullmatch(folded) is None:
        raise ValueError(f"a host is named by letters, digits and inner hyphens, at most 63 of them; found {label!r}")
    if folded[2:4] == "--" and not folded.startswith("xn--"):
        raise ValueError(f"the third and fourth character of {label!r} are hyphens, which DNS keeps for itself")
    if folded in {fold(name) for name in reserved}:
        raise ValueError(f"{label!r} is reserved")
    return folded


def check_name(name: str) -> str:
    """A full domain name in its kept spelling. ValueError when it is none."""
    folded = fold(name)
    if not folded.isascii() or len(folded) > 253 or _NAME.fullmatch(folded) is None:
        raise ValueError("a full domain name is needed")
    return folded


def check_template(template: str) -> None:
    """ValueError unless the template has ``{host}`` once and makes a full name."""
    if template.count("{host}") != 1 or set(template.replace("{host}", "")) & set("{}"):
        raise ValueError(f"the template needs {{host}} once, as in {{host}}.dyn.example.com; found {template!r}")
    check_name(template.replace("{host}", "x"))


def name_of(template: str, label: str) -> str:
    """The full name of a host. ValueError when it gets too long for DNS."""
    return check_name(template.replace("{host}", label))
