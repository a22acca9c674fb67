"""What looks without writing: before there are settings, the defaults serve."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddns.errors import SettingsError
from ddns.runtime import RunRequest, Start, run
from ddns.runtime.loading import DEFAULTS
from ddns.runtime.looking import compose_world, detect_all


def test_without_settings_the_default_sources_are_there_and_no_record(tmp_path: Path) -> None:
    world, settings = compose_world(Start(str(tmp_path)), RunRequest(str(tmp_path)), missing=DEFAULTS)
    assert {source.name for source in world.sources} >= {"ipify", "aws", "opendns"}
    assert (list(world.targets), settings.record) == ([], ())


def test_settings_that_are_there_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "ddns.toml").write_text("schema = 2\n")
    with pytest.raises(SettingsError, match="1 problem"):
        compose_world(Start(str(tmp_path)), RunRequest(str(tmp_path)), missing=DEFAULTS)
    assert list(tmp_path.iterdir()) == [tmp_path / "ddns.toml"]


def test_a_mistyped_folder_is_told_and_not_filled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typo = tmp_path / "typo"
    assert run(RunRequest(str(typo))) == 10
    assert capsys.readouterr().err == (
        f"ddns: there are no settings at {typo}/ddns.toml\nddns: Write them with: ddns config init --data {typo}\n"
    )
    with pytest.raises(SettingsError, match="no settings at"):
        detect_all(Start(str(typo)))
    assert not typo.exists()
