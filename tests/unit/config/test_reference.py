"""docs/reference/settings.md is what the types say."""

from __future__ import annotations

import re
from pathlib import Path

from ddns.config.reference import page
from ddns.providers import table

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "settings.md"
REWRITE = "write it again with: ddns config schema --markdown > docs/reference/settings.md"


def test_the_page_is_up_to_date() -> None:
    """A provider that the page doesn't have yet is no error: a new one is a module and a line of the registry."""
    text = PAGE.read_text(encoding="utf-8")
    kinds = re.findall(r"^## \[provider\.ID\]: (\w+)$", text, flags=re.MULTILINE)
    assert {"cloudflare", "desec", "dyndns2", "gateway", "rfc2136"} <= set(kinds)
    assert text == page({kind: table.load(kind).Settings for kind in kinds}), REWRITE
