"""What a machine tells a gateway of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddns.host import identity


def test_the_machine_id_is_not_told_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "machine-id"
    file.write_text("0123456789abcdef0123456789abcdef\n")
    monkeypatch.setattr(identity, "_FILES", (str(tmp_path / "missing"), str(file)))

    found = identity.machine_identity()

    assert len(found) == 64
    assert "0123456789abcdef" not in found
    assert identity.machine_identity() == found


def test_machines_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for name in ("a", "b"):
        (tmp_path / name).write_text(name * 32)
        monkeypatch.setattr(identity, "_FILES", (str(tmp_path / name),))
        found.add(identity.machine_identity())
    monkeypatch.setattr("socket.gethostname", lambda: "pc7")
    (tmp_path / "empty").touch()
    monkeypatch.setattr(identity, "_FILES", (str(tmp_path / "empty"),))
    found.add(identity.machine_identity())

    assert len(found) == 3
