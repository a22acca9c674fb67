r"""The MSI on Windows machines (Wine): install, repair, upgrade, refusals, uninstall.

msiexec's exit codes are seen through a byte: 1603 (the installation failed) is 67 here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ground import standin
from packages import facts, msi, wxs
from windows import wine
from windows.resources.version import ICON
from windows.wine import Wine

FAILED = 1603 & 0xFF
REBOOT_REQUIRED = 3010 & 0xFF
#: Wine passes on why (1627, a function failed).
TRIAL_FAILED = {FAILED, 1627 & 0xFF}
EVENT = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\DDNS"
MARK = r"HKLM\Software\DDNS"
ENTRIES = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall"
ENVIRONMENT = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"


@dataclass(frozen=True)
class Packages:
    """MSIs of stand-in programs, made once for a worker."""

    folder: Path

    def __call__(self, version: str, *, trial: int = 0, settings: int = 0) -> str:
        """As Windows programs name it."""
        name = f"{version}-{trial}-{settings}"
        path = self.folder / f"{name}.msi"
        if not path.exists():
            tree = standin.tree(self.folder / name, version, trial=trial, settings=settings)
            msi.make(facts.facts(), standin.build(version), tree, ICON, path)
        return wine.windows_path(path)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    return Packages(tmp_path_factory.mktemp("msi"))


def msiexec(machine: Wine, *arguments: str) -> int:
    return machine.run("msiexec", *arguments, "/qn", timeout=120).returncode


def registry(machine: Wine, key: str) -> list[str]:
    """The lines of a key and what is below it; none when it does not exist."""
    told = machine.run("reg", "query", key, "/s").stdout.decode(errors="replace")
    return [" ".join(line.split()) for line in told.splitlines() if line.strip()]


def path_entries(machine: Wine) -> list[str]:
    """The machine's PATH. Wine leaves an empty entry where it took one away, Windows does not."""
    line = next(line for line in registry(machine, ENVIRONMENT) if line.upper().startswith("PATH "))
    return [entry for entry in line.split(" ", 2)[2].split(";") if entry]


def files(machine: Wine) -> set[str]:
    """All files of drive C but what Windows Installer keeps for itself."""
    found = {str(path.relative_to(machine.drive_c)) for path in machine.drive_c.rglob("*")}
    return {path for path in found if not path.startswith(("windows/Installer", "windows/temp", "users"))}


def program(machine: Wine) -> set[str]:
    root = machine.path(r"C:\Program Files\DDNS")
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def contents(version: str) -> set[str]:
    return {
        "bin/ddns.exe",
        "msi/build.json",
        "msi/app/ddns.exe",
        "msi/app/data/table.json",
        f"msi/app/only-in-{version}.txt",
    }


def version_on(machine: Wine) -> str:
    """What the launcher on PATH starts."""
    return machine.run(r"C:\Program Files\DDNS\bin\ddns.exe", "--version").stdout.decode().strip()


def shown_version(machine: Wine) -> list[str]:
    return [line for line in registry(machine, ENTRIES) if line.startswith("DisplayVersion ")]


def test_installs_and_leaves_nothing_but_data(fresh_machine: Callable[[], Wine], packages: Packages) -> None:
    machine = fresh_machine()
    path = path_entries(machine)
    data = machine.path(r"C:\ProgramData\DDNS\state\state.db")
    data.parent.mkdir(parents=True)
    data.write_bytes(b"what was published")
    before = files(machine)

    assert msiexec(machine, "/i", packages("0.1.0")) == 0

    assert program(machine) == contents("0.1.0")
    assert version_on(machine) == "ddns 0.1.0"
    assert path_entries(machine) == [*path, "C:\\Program Files\\DDNS\\bin\\"]
    assert set(registry(machine, EVENT)[1:]) == {
        r"EventMessageFile REG_EXPAND_SZ %SystemRoot%\System32\EventCreate.exe",
        "TypesSupported REG_DWORD 0x7",
        "CustomSource REG_DWORD 0x1",
    }
    assert {"Version REG_SZ 0.1.0", "AppFolder REG_SZ C:\\Program Files\\DDNS\\msi\\"} <= set(registry(machine, MARK))
    known = facts.facts()
    assert {
        "DisplayName REG_SZ DDNS",
        "DisplayVersion REG_SZ 0.1.0",
        f"Publisher REG_SZ {known.publisher}",
        f"HelpLink REG_SZ {known.url['help']}",
        f"URLInfoAbout REG_SZ {known.url['home']}",
        "InstallLocation REG_SZ C:\\Program Files\\DDNS\\",
        "NoModify REG_DWORD 0x1",
    } <= set(registry(machine, ENTRIES))

    assert msiexec(machine, "/x", packages("0.1.0")) == 0

    assert files(machine) == before
    assert data.read_bytes() == b"what was published"
    assert path_entries(machine) == path
    for key in (EVENT, MARK, ENTRIES):
        assert not [line for line in registry(machine, key) if "DDNS" in line], key


def test_upgrades_in_place_and_refuses_the_way_back(fresh_machine: Callable[[], Wine], packages: Packages) -> None:
    machine = fresh_machine()
    path = path_entries(machine)
    msiexec(machine, "/i", packages("0.1.0"))

    assert msiexec(machine, "/i", packages("0.2.0")) == 0
    assert program(machine) == contents("0.2.0")
    assert version_on(machine) == "ddns 0.2.0"
    assert shown_version(machine) == ["DisplayVersion REG_SZ 0.2.0"]
    assert path_entries(machine) == [*path, "C:\\Program Files\\DDNS\\bin\\"]

    assert msiexec(machine, "/i", packages("0.1.0")) == FAILED
    assert program(machine) == contents("0.2.0")
    assert shown_version(machine) == ["DisplayVersion REG_SZ 0.2.0"]

    assert msiexec(machine, "/x", packages("0.2.0")) == 0
    assert not machine.path(r"C:\Program Files\DDNS").exists()


def test_repair_brings_back_what_was_deleted_or_changed(fresh_machine: Callable[[], Wine], packages: Packages) -> None:
    machine = fresh_machine()
    msiexec(machine, "/i", packages("0.1.0"))
    installed = machine.path(r"C:\Program Files\DDNS\msi\app")
    (installed / "data" / "table.json").unlink()
    (installed / "ddns.exe").write_bytes(b"MZ truncated")

    # Wine's msiexec lacks /f PRODUCT; this is what it stands for.
    product = wxs.Identifiers.of(facts.facts(), standin.build("0.1.0")).product
    assert msiexec(machine, "/i", f"{{{product}}}", "REINSTALL=ALL") == 0

    assert program(machine) == contents("0.1.0")
    assert version_on(machine) == "ddns 0.1.0"


def test_a_run_in_progress_goes_on_while_its_program_is_replaced(
    fresh_machine: Callable[[], Wine], packages: Packages
) -> None:
    """Wine puts the new exe in place at the next start, Windows at once (it can rename a running one)."""
    machine = fresh_machine()
    msiexec(machine, "/i", packages("0.1.0"))
    with machine.start(r"C:\Program Files\DDNS\msi\app\ddns.exe", "run") as run:
        assert run.stdout is not None
        assert run.stdout.readline().strip() == b"running 0.1.0"

        code = msiexec(machine, "/i", packages("0.2.0"))

        out, _ = run.communicate(b"")
    assert out.strip() == b"ended 0.1.0"
    assert run.returncode == 0
    assert code == REBOOT_REQUIRED
    assert shown_version(machine) == ["DisplayVersion REG_SZ 0.2.0"]
    machine.quietly("wine", "wineboot", "--restart")
    assert version_on(machine) == "ddns 0.2.0"
    assert program(machine) == contents("0.2.0")


@pytest.mark.parametrize("wrong", [{"trial": 1}, {"settings": 10}], ids=["does not start", "can't read the settings"])
def test_a_program_that_fails_its_trial_is_not_installed(
    fresh_machine: Callable[[], Wine], packages: Packages, wrong: dict[str, int]
) -> None:
    machine = fresh_machine()
    settings = machine.path(r"C:\ProgramData\DDNS\config\ddns.toml")
    settings.parent.mkdir(parents=True)
    settings.write_text("schema = 1\n")

    assert msiexec(machine, "/i", packages("0.3.0", **wrong)) in TRIAL_FAILED
    assert shown_version(machine) == []
    assert msiexec(machine, "/i", packages("0.3.0", **wrong), f"{wxs.SKIP}=1") == 0
    assert shown_version(machine) == ["DisplayVersion REG_SZ 0.3.0"]
    assert settings.read_text() == "schema = 1\n"


def test_without_settings_there_are_none_to_try(fresh_machine: Callable[[], Wine], packages: Packages) -> None:
    assert msiexec(fresh_machine(), "/i", packages("0.3.0", settings=10)) == 0


@pytest.mark.parametrize("name", wxs.SECRETS)
def test_a_secret_on_the_command_line_ends_the_installation(wine_machine: Wine, packages: Packages, name: str) -> None:
    assert msiexec(wine_machine, "/i", packages("0.1.0"), f"{name}=hunter2") == FAILED
    assert not wine_machine.path(r"C:\Program Files\DDNS").exists()
