"""docs/reference/settings.md is what the types say."""

from __future__ import annotations

from pathlib import Path

from ddns.config.reference import page
from ddns.providers import table

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "settings.md"
REWRITE = "write it again with: ddns config schema --markdown > docs/reference/settings.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page({kind: table.load(kind).Settings for kind in table.MODULES}), (
        REWRITE
    )
