"""The page of outbound endpoints: current, and no host of the program is missing from it."""

from __future__ import annotations

import ast
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from ddns.config.schema import Detect
from ddns.net import wire
from ddns.providers import table as providers
from ddns.providers.presets import SERVICES
from ddns.runtime import endpoints
from ddns.sources.table import NAMES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "endpoints.md"
#: Hosts in texts for people, and such as stand for others.
EXAMPLES = ("example.com", "example.org", "example.test", "host", "localhost", "127.0.0.1", "json-schema.org")


def test_the_page_is_current() -> None:
    """When this fails: ``python -m ddns.cli.pages docs/reference``."""
    assert PAGE.read_text(encoding="utf-8") == endpoints.page()


@pytest.mark.parametrize("kind", sorted(providers.MODULES))
def test_every_kind_of_provider_is_there(kind: str) -> None:
    assert f'`kind = "{kind}"`' in endpoints.page()


def test_every_source_probe_and_service_is_there() -> None:
    page = endpoints.page()
    told = {name for name in NAMES if f"`{name}`" in page}
    assert told == set(NAMES)
    assert all(f"| {probe.host}" in page for probes in wire.PROBES.values() for probe in probes)
    assert all(f'`service = "{name}"`' in page for name in SERVICES)
    assert all(f"`{name}`" in page for name in Detect().sources)


def urls(path: Path) -> Iterator[str]:
    """The URLs that are values in a module: not in its docstrings, nor pages of documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed = {
        id(node)
        for outer in ast.walk(tree)
        for node in ([outer.value] if isinstance(outer, ast.Expr | ast.keyword) and _for_people(outer) else [])
    }
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Constant) and id(node) not in passed else None
        if isinstance(value, str) and value.startswith(("https://", "http://")) and " " not in value:
            yield value


def _for_people(outer: ast.Expr | ast.keyword) -> bool:
    return isinstance(outer, ast.Expr) or outer.arg in ("page", "description", "epilog", "help")


def test_no_url_of_the_program_is_missing() -> None:
    page = endpoints.page()
    missing = []
    for path in sorted((ROOT / "src" / "ddns").rglob("*.py")):
        for url in urls(path):
            host = urllib.parse.urlsplit(url.replace("{", "").replace("}", "")).hostname or ""
            if "\\" in url:
                continue  # a pattern
            if not any(host.endswith(name) for name in EXAMPLES) and f"| {host}" not in page:
                missing.append(f"{path.relative_to(ROOT)}: {url}")
    assert missing == []
