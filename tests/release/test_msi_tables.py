"""What only the tables of the MSI can show without Windows: its transaction, its secrets, its rules of identity."""

from __future__ import annotations

from pathlib import Path

import pytest

from ground import standin
from packages import facts, msi, tools, wxs
from packages.errors import PackageError
from packages.facts import Architecture
from windows.resources.version import ICON


def _made(folder: Path, version: str, architecture: Architecture = "amd64") -> Path:
    tree = standin.tree(folder / f"tree-{version}", version)
    build = facts.Build(version, architecture, for_testing=True)
    return msi.make(facts.facts(), build, tree, ICON, folder / f"{version}-{architecture}.msi")


def _table(package: Path, name: str) -> list[list[str]]:
    text = tools.msiinfo().run("export", str(package), name).stdout
    return [line.split("\t") for line in text.splitlines()[3:]]


def _summary(package: Path) -> str:
    return tools.msiinfo().run("suminfo", str(package)).stdout


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("tables"), "1.2.3")


def test_old_out_new_in_and_trial_are_one_transaction(package: Path) -> None:
    at = {action: int(place) for action, _, place in _table(package, "InstallExecuteSequence")}
    in_order = sorted(at, key=lambda action: at[action])
    first, last = in_order.index("InstallInitialize"), in_order.index("InstallFinalize")
    within = ["RemoveExistingProducts", "InstallFiles", "TryProgram", "TrySettings"]
    assert [action for action in in_order[first:last] if action in within] == within
    assert not {"DisableRollback", "InstallExecute", "ForceReboot", "ScheduleReboot"} & at.keys()
    deferred_and_elevated = 1024 + 2048
    for action, kind, *_ in _table(package, "CustomAction"):
        if action.startswith("Try"):
            assert int(kind) == 18 + deferred_and_elevated  # an installed exe, its exit code looked at


def test_no_property_takes_a_secret_and_none_gets_into_the_log(package: Path) -> None:
    properties = dict(_table(package, "Property"))
    assert set(properties["MsiHiddenProperties"].split(";")) == set(wxs.SECRETS)
    assert set(properties["SecureCustomProperties"].split(";")) == {wxs.OLDER, wxs.NEWER, wxs.SKIP}
    ours = {"SETTINGS", wxs.SKIP, wxs.OLDER, wxs.NEWER}
    assert not any(name.isupper() and name in wxs.SECRETS for name in properties)
    assert {name for name, _ in _table(package, "AppSearch")} <= ours


def test_no_folder_can_be_chosen(package: Path) -> None:
    """A public folder property would let `msiexec AppFolder=...` put the program where users may write."""
    public = [name for name, *_ in _table(package, "Directory") if name.isupper()]
    assert public == ["TARGETDIR"]


def test_a_run_is_neither_ended_nor_followed_by_a_restart(package: Path) -> None:
    properties = dict(_table(package, "Property"))
    assert properties["MSIRESTARTMANAGERCONTROL"] == "Disable"
    assert properties["REBOOT"] == "ReallySuppress"


def test_components_keep_their_identity_across_versions(package: Path, tmp_path: Path) -> None:
    old = {row[1]: row[0] for row in _table(package, "Component")}
    new = {row[1]: row[0] for row in _table(_made(tmp_path, "1.2.4"), "Component")}
    shared = {identity for identity in old if identity in new}
    only_one_version_has = 1
    assert len(shared) == len(old) - only_one_version_has
    assert all(old[identity] == new[identity] for identity in shared)


def test_the_same_version_is_the_same_product_and_the_same_content_the_same_package(
    package: Path, tmp_path: Path
) -> None:
    again = _made(tmp_path, "1.2.3")
    assert dict(_table(again, "Property"))["ProductCode"] == dict(_table(package, "Property"))["ProductCode"]
    code = next(line for line in _summary(package).splitlines() if "Revision" in line)
    assert code in _summary(again)
    other = _made(tmp_path, "1.2.4")
    assert dict(_table(other, "Property"))["ProductCode"] != dict(_table(package, "Property"))["ProductCode"]
    assert code not in _summary(other)


@pytest.mark.parametrize(("architecture", "template"), [("amd64", "x64"), ("x86", "Intel"), ("arm64", "Arm64")])
def test_the_architecture_is_named(tmp_path: Path, architecture: Architecture, template: str) -> None:
    made = _made(tmp_path, "1.2.3", architecture)
    assert f"Template: {template};1033" in _summary(made)
    folders = {row[0] for row in _table(made, "Directory")}
    assert ("ProgramFilesFolder" if architecture == "x86" else "ProgramFiles64Folder") in folders


def test_it_writes_neither_task_nor_service_nor_data(package: Path) -> None:
    assert _table(package, "ServiceInstall") == []
    assert not [row for row in _table(package, "Directory") if "AppData" in row[0]]
    assert [row[3:] for row in _table(package, "RemoveFile")] == [["ProductFolder", "2"]]  # the last folder, if empty
    keys = {row[2] for row in _table(package, "Registry")}
    assert keys == {r"SYSTEM\CurrentControlSet\Services\EventLog\Application\DDNS", r"SOFTWARE\DDNS\Msi"}


def test_a_folder_that_takes_no_file_is_named(tmp_path: Path) -> None:
    tree = standin.tree(tmp_path / "tree", "1.2.3")
    (tmp_path / "file").touch()
    with pytest.raises(PackageError, match=r"x\.msi could not be written: Not a directory"):
        msi.make(facts.facts(), standin.build("1.2.3"), tree, ICON, tmp_path / "file" / "x.msi")


def test_a_tree_without_the_launcher_makes_no_msi(tmp_path: Path) -> None:
    tree = standin.tree(tmp_path / "tree", "1.2.3")
    (tree / "bin" / "ddns.exe").unlink()
    with pytest.raises(PackageError, match=r"bin/ddns\.exe is missing"):
        msi.make(facts.facts(), standin.build("1.2.3"), tree, ICON, tmp_path / "x.msi")
