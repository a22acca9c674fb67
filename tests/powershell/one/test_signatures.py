"""A release vouched for by a signature: what is accepted, and what somebody who can write to the share may try.

The signatures are real, by a throw-away authority; who judges them is osslsigncode (`ground.judge`).
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ground import code, judge, pwsh
from packages import sign, sums
from packages.facts import facts
from packages.sign import Signer
from powershell.one.machine import Deployed, Package, Row, Served, package
from powershell.test_scripts import module

SIGNATURES = pwsh.ROOT / "tests" / "powershell" / "doubles" / "Signatures.psm1"
PUBLISHER = f"CN={facts().signer}"
ZIP = "ddns-1.0.0-windows-amd64.zip"
#: A client that does nothing, well.
IDLE = b"#!/bin/sh\nexit 0\n"


@dataclass(frozen=True)
class Publisher:
    """Who signs, and the service that says what a signature is worth."""

    signer: Signer
    environ: dict[str, str]

    def sign(self, *paths: Path) -> None:
        sign.sign(paths, facts(), self.signer)

    def seal(self, folder: Path) -> None:
        """List and seal a folder of release files."""
        sums.write(folder, "ddns-fleet", "1.0.0", "any", for_testing=True)
        self.sign(folder / sums.SEAL)


def signer_of(folder: Path) -> Signer:
    """One whose certificate has our publisher's name, from an authority of its own."""
    folder.mkdir()
    found = Signer.of(code.Authority(folder).environ(facts().signer))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    folder = tmp_path_factory.mktemp("publisher") / "ca"
    signer = signer_of(folder)
    with judge.server(folder / "ca.pem") as service:
        yield Publisher(signer, {"JUDGE": service.url})


@dataclass
class Share:
    """A signed release on a share: zip, list, seal, and the script that deploys it."""

    shell: pwsh.Shell
    publisher: Publisher
    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "share"

    def zip(self, origin: str) -> None:
        """Put a zip there, whose module tells its origin; what was there is replaced in one step, as on a share."""
        made = module(self.root / origin, origin)
        draft = self.root / f"{origin}.zip"
        with zipfile.ZipFile(draft, "w") as zipped:
            for file in made.iterdir():
                zipped.write(file, f"ps/Ddns/{file.name}")
        draft.replace(self.folder / ZIP)

    def holds(self, origin: str) -> bool:
        """Whether the zip there is now the one of that origin."""
        with zipfile.ZipFile(self.folder / ZIP) as zipped:
            return origin.encode() in zipped.read("ps/Ddns/Ddns.psm1")

    def deploy(self, before: str = "", more: str = "") -> tuple[pwsh.Ended, list[str]]:
        """How Deploy-DDNS.ps1 ended, and what modules did."""
        calls = self.root / "calls"
        home = self.root / "home"
        (home / ".local" / "share").mkdir(parents=True, exist_ok=True)
        environ = {"HOME": str(home), "CALLS": str(calls)} | self.publisher.environ
        ended = self.shell.text(
            f"Import-Module '{SIGNATURES}'; {before}; & '{self.folder / 'Deploy-DDNS.ps1'}' {more}; exit $LASTEXITCODE",
            environ=environ,
        )
        assert not list((home / ".local" / "share").glob("DDNS-*")), "what was unpacked is taken away"
        return ended, calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def share(shell: pwsh.Shell, publisher: Publisher, tmp_path: Path) -> Share:
    made = Share(shell, publisher, tmp_path)
    made.folder.mkdir()
    shutil.copyfile(pwsh.PS / "Deploy-DDNS.ps1", made.folder / "Deploy-DDNS.ps1")
    publisher.sign(made.folder / "Deploy-DDNS.ps1")
    made.zip("release")
    publisher.seal(made.folder)
    return made


def test_a_signed_release_needs_no_hash(share: Share) -> None:
    """Who signed the script must have signed the release."""
    ended, calls = share.deploy()
    assert (ended.exit, calls) == (0, ["release loaded", "release Install-Ddns"]), ended


def refused(share: Share, words: str, before: str = "", more: str = "") -> None:
    ended, calls = share.deploy(before, more)
    assert (ended.exit, calls) == (2, []), ended
    assert words in " ".join(ended.err.replace("|", " ").split()), ended.err


def test_zip_and_hash_list_both_replaced(share: Share) -> None:
    seal = (share.folder / sums.SEAL).read_bytes()
    share.zip("evil")
    sums.write(share.folder, "ddns-fleet", "1.0.0", "any", for_testing=True)
    refused(share, "Nobody vouches")
    (share.folder / sums.SEAL).write_bytes(seal)
    refused(share, "Nobody vouches")


def test_zip_replaced_alone(share: Share) -> None:
    share.zip("evil")
    refused(share, "not the release that was vouched for")


def test_a_seal_by_somebody_of_our_name(share: Share, tmp_path: Path) -> None:
    """The name is in any certificate that one makes oneself: what counts is the authority."""
    share.zip("evil")
    Publisher(signer_of(tmp_path / "forger"), {}).seal(share.folder)
    refused(share, "Nobody vouches")


def test_a_seal_by_another_publisher_that_windows_trusts(share: Share) -> None:
    refused(share, "Nobody vouches", more="-Publisher 'CN=Somebody Else'")


def test_a_seal_that_was_changed(share: Share) -> None:
    seal = share.folder / sums.SEAL
    old = seal.read_bytes()
    share.zip("evil")
    sums.write(share.folder, "ddns-fleet", "1.0.0", "any", for_testing=True)
    new = hashlib.sha256((share.folder / sums.LIST).read_bytes()).hexdigest().encode()
    at = old.index(b"ListSha256")
    quote = old.index(b"'", at) + 1
    seal.write_bytes(old[:quote] + new + old[quote + 64 :])
    refused(share, "Nobody vouches")


def test_replaced_between_the_check_of_the_list_and_the_hashing(share: Share) -> None:
    """The check of the seal is the last thing before; whoever waits for it replaces the zip then."""
    made = Share(share.shell, share.publisher, share.root / "waits")
    made.folder.mkdir(parents=True)
    made.zip("evil")
    swap = f"Copy-Item -Force '{made.folder / ZIP}' '{share.folder / ZIP}'"
    before = f"function Split-Path {{ {swap}; Microsoft.PowerShell.Management\\Split-Path @args }}"
    refused(share, "not the release that was vouched for", before=before)
    assert share.holds("evil")


def test_replaced_between_hashing_and_unpacking(share: Share) -> None:
    """What runs is read through the handle that was hashed: another file of that name is not what is opened."""
    made = Share(share.shell, share.publisher, share.root / "waits")
    made.folder.mkdir(parents=True)
    made.zip("evil")
    swap = f"Move-Item -Force '{made.folder / ZIP}' '{share.folder / ZIP}'"
    before = f"function Add-Type {{ {swap} -ErrorAction Ignore; Microsoft.PowerShell.Utility\\Add-Type @args }}"
    ended, calls = share.deploy(before)
    assert (ended.exit, calls) == (0, ["release loaded", "release Install-Ddns"]), ended
    assert share.holds("evil")


# The same once more on the machine itself: the seal inside the zip, after it was copied and unpacked.


@pytest.fixture
def machine(tmp_path: Path, served: Served) -> Deployed:
    return Deployed(tmp_path / "machine", served)


def sealed(folder: Path, publisher: Publisher | None, of: str = "") -> Package:
    """A release whose zip has a seal: of its list, or of another list, whose hash is `of`."""
    bare = package(folder / "bare", program=IDLE)
    with zipfile.ZipFile(bare.path) as zipped:
        listed = hashlib.sha256(zipped.read(sums.LIST)).hexdigest()
    file = folder / sums.SEAL
    file.write_bytes(sums.Seal("ddns-fleet", "1.0.0", "any", True, of or listed).render().encode())
    if publisher:
        publisher.sign(file)
    with zipfile.ZipFile(bare.path, "a") as zipped:
        zipped.write(file, sums.SEAL)
    return Package(bare.path, hashlib.sha256(bare.path.read_bytes()).hexdigest())


def install(machine: Deployed, publisher: Publisher, asked: Package, by: str = PUBLISHER) -> Row:
    settings = machine.root.parent / "asked.toml"
    settings.write_text("schema = 1\n")
    (result,) = machine.calls(
        script=f"""
Import-Module '{SIGNATURES}' -Global
$asked = @{{ Package = '{asked.path}'; Sha256 = '{asked.sha256}'; Publisher = '{by}'; ConfigPath = '{settings}' }}
try {{ Install-Ddns @asked -NoStart -ErrorAction SilentlyContinue }}
finally {{ Remove-Module -Name Signatures }}""",
        environ=publisher.environ,
    )
    assert isinstance(result, dict)
    return result


def test_a_publisher_that_is_asked_for_must_have_signed_what_is_in_the_zip(
    machine: Deployed, publisher: Publisher, tmp_path: Path
) -> None:
    made = install(machine, publisher, sealed(tmp_path, publisher))
    assert (made["Outcome"], made["Error"]) == ("Installed", None), made
    assert (machine.programs / "1.0.0" / sums.SEAL).exists()


@pytest.mark.parametrize("case", ["no-seal", "unsigned", "forged", "other-publisher", "other-list"])
def test_else_it_leaves_no_trace(machine: Deployed, publisher: Publisher, tmp_path: Path, case: str) -> None:
    by = PUBLISHER
    if case == "no-seal":
        asked = package(tmp_path, program=IDLE)
    elif case == "forged":
        asked = sealed(tmp_path, Publisher(signer_of(tmp_path / "forger"), {}))
    elif case == "other-list":
        asked = sealed(tmp_path, publisher, of="0" * 64)
    else:
        asked = sealed(tmp_path, None if case == "unsigned" else publisher)
        by = "CN=Somebody Else" if case == "other-publisher" else by
    result = install(machine, publisher, asked, by)
    assert result["Error"]["Code"] == ("PackageHash" if case == "other-list" else "PackageUnsigned"), result
    assert machine.tree() == set()
