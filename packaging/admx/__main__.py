"""Write the templates: ``PYTHONPATH=src:packaging python -m admx``."""

from __future__ import annotations

from pathlib import Path

from admx.template import files

FOLDER = Path(__file__).resolve().parents[2] / "ps" / "gpo" / "admx"

for name, text in files().items():
    path = FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    print(path.relative_to(FOLDER.parents[2]))
