"""Templates of requests: placeholders in braces that are filled in, each as the place where it stands wants it.

In a URL and in a form what is filled in is percent-encoded, in JSON it is a value of a string (so that no quotes break
out of it), in a header it is refused where a header can't carry it. Nothing that was filled in is looked at again.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ddns.errors import Rejected

PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
#: What a filled header may hold (RFC 9110: visible ASCII, blanks and tabs).
_HEADER = re.compile(r"[\t -~]*")
#: Text for each placeholder; a list stands for several values.
Fill = Mapping[str, str | int | list[str]]


def placeholders(template: str) -> set[str]:
    """The names that occur in a template."""
    return set(PLACEHOLDER.findall(template))


def check(template: str, known: Collection[str], where: str) -> None:
    """Raise ValueError for a placeholder that is none."""
    for name in sorted(placeholders(template) - set(known)):
        raise ValueError(f"{where}: {{{name}}} is not a placeholder; those that are: {', '.join(sorted(known))}")


def url(template: str, fill: Fill) -> str:
    """A URL, or a form's body: what is filled in is percent-encoded."""
    return _filled(template, fill, lambda text: urllib.parse.quote(text, safe=""))


def text(template: str, fill: Fill) -> str:
    """Plain text: what is filled in stands as it is."""
    return _filled(template, fill, str)


def header(name: str, template: str, fill: Fill) -> str:
    """A header's value. Raises Rejected when it can't be one; what was filled in is not repeated."""
    value = text(template, fill)
    if not _HEADER.fullmatch(value):
        raise Rejected(
            f"the header {name} can't carry what its template asks for",
            advice="Put names and secrets of other characters than ASCII into the body.",
        )
    return value


def json_body(template: str, fill: Fill) -> bytes:
    """JSON: the template is JSON itself, its strings are filled.

    A string that is one placeholder and no more takes that value's own type: a number, or a list of strings.
    """
    return json.dumps(_walked(json.loads(template), fill)).encode()


def check_json(template: str) -> None:
    """Raise ValueError unless a template is JSON by itself."""
    try:
        json.loads(template)
    except (ValueError, RecursionError) as error:
        raise ValueError('body is not JSON; placeholders stand in strings, such as "{ttl}"') from error


def _walked(value: Any, fill: Fill) -> Any:
    if isinstance(value, dict):
        return {text(key, fill): _walked(item, fill) for key, item in value.items()}
    if isinstance(value, list):
        return [_walked(item, fill) for item in value]
    if not isinstance(value, str):
        return value
    alone = PLACEHOLDER.fullmatch(value)
    return fill[alone[1]] if alone else text(value, fill)


def _filled(template: str, fill: Fill, encode: Callable[[str], str]) -> str:
    def one(found: re.Match[str]) -> str:
        value = fill[found[1]]
        return encode(",".join(value) if isinstance(value, list) else str(value))

    return PLACEHOLDER.sub(one, template)
