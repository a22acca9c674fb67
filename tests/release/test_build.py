"""From a built tree to signed release files, and what verifying says when they were tampered with."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs7

from ground import code
from packages import archive, facts, sign, stage, sums, verify
from packages.__main__ import build, main
from packages.errors import PackageError
from packages.sign import Signer
from release.conftest import ROOT, World

Make = Callable[..., World]
PUBLISHER = facts.facts().signer


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def _seal(world: World, out: Path, signer: Signer | None) -> None:
    stage.seal(out, world.known, world.build, signer, whole_release=True)


def test_the_files_of_a_release(world: Make, signer: Signer, authority: code.Authority, out: Path) -> None:
    made = world()
    build(made.sources, made.known, signer, out)
    _seal(made, out, signer)

    stem = "ddns-1.2.3-windows-amd64-for-testing"
    assert {path.name for path in out.iterdir()} == {
        f"{stem}.zip",
        f"{stem}.msi",
        f"{stem}.cdx.json",
        "Deploy-DDNS.ps1",
        "SHA256SUMS",
        "SHA256SUMS.psd1",
    }
    with zipfile.ZipFile(out / f"{stem}.zip") as package:
        assert package.namelist() == [
            "LICENSE.txt",
            "NOTICES.txt",
            "SHA256SUMS",
            "SHA256SUMS.psd1",
            "app/data/table.json",
            "app/ddns.exe",
            "app/only-in-1.2.3.txt",
            "bin/ddns.exe",
            "build.json",
            "ps/Ddns/Ddns.psd1",
            "ps/Ddns/Ddns.psm1",
            "ps/Deploy-DDNS.ps1",
            "release.json",
            "sbom.cdx.json",
        ]
    for name, said in {
        f"{stem}.zip": f"{stem}.zip: ddns-fleet 1.2.3 for amd64, for testing, complete and unchanged",
        f"{stem}.msi": f"{stem}.msi: signed by {PUBLISHER}",
        "": f"{out}: release 1.2.3, complete and unchanged",
    }.items():
        assert verify.package(out / name, PUBLISHER, authority.pem) == said
    told = json.loads(zipfile.ZipFile(out / f"{stem}.zip").read("release.json"))
    assert told["version"] == "1.2.3"
    assert told["for_testing"] is True
    assert told["entry"]["DisplayName"] == "DDNS"


def test_an_unsigned_build_is_made_twice_to_the_same_zip(world: Make, out: Path) -> None:
    made = world()
    build(made.sources, made.known, None, out)
    first = (out / f"{made.build.stem}.zip").read_bytes()
    build(made.sources, made.known, None, out)
    assert (out / f"{made.build.stem}.zip").read_bytes() == first


def test_everything_of_ours_in_the_zip_is_signed(
    world: Make, signer: Signer, authority: code.Authority, out: Path, tmp_path: Path
) -> None:
    made = world()
    build(made.sources, made.known, signer, out)
    archive.unpack(out / f"{made.build.stem}.zip", tmp_path / "there")
    ours = ["app/ddns.exe", "bin/ddns.exe", "ps/Deploy-DDNS.ps1", "ps/Ddns/Ddns.psd1", "ps/Ddns/Ddns.psm1", sums.SEAL]
    for name in ours:
        verify.signed_by(tmp_path / "there" / name, PUBLISHER, authority.pem)


def test_the_signature_of_the_seal_is_what_the_design_note_says(
    world: Make, signer: Signer, out: Path, tmp_path: Path
) -> None:
    """Whoever checks it without Windows (the PowerShell tests do) goes by docs/design/packages.md."""
    made = world()
    build(made.sources, made.known, signer, out)
    seal = zipfile.ZipFile(out / f"{made.build.stem}.zip").read(sums.SEAL).decode("ascii")
    text, _, block = seal.partition("\r\n# SIG # Begin signature block\r\n")
    encoded = "".join(line.removeprefix("# ") for line in block.splitlines() if not line.startswith("# SIG #"))
    signed = base64.b64decode(encoded)

    assert hashlib.sha256(text.encode("utf-16-le")).digest() in signed
    assert next(c.subject.rfc4514_string() for c in pkcs7.load_der_pkcs7_certificates(signed)) == f"CN={PUBLISHER}"


def _zip_without(package: Path, spoil: Callable[[Path], None], scratch: Path) -> None:
    archive.unpack(package, scratch)
    spoil(scratch)
    archive.pack(scratch, package)


def _change(folder: Path) -> None:
    with (folder / "app" / "ddns.exe").open("ab") as file:
        file.write(b"x")


def _reseal(folder: Path) -> None:
    """Change a file, and list and seal anew, as somebody without the key would."""
    _change(folder)
    sums.write(folder, "ddns-fleet", "1.2.3", "amd64", for_testing=True)


def _edit_seal(folder: Path) -> None:
    seal = folder / sums.SEAL
    seal.write_bytes(seal.read_bytes().replace(b"1.2.3", b"9.2.3"))


def _other_list(folder: Path) -> None:
    _change(folder)
    hashes = {path: sums.digest(folder / path) for path in sums.files_of(folder) if path not in {sums.LIST, sums.SEAL}}
    (folder / sums.LIST).write_text(sums.render(hashes))


def _no_seal(folder: Path) -> None:
    (folder / sums.SEAL).unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_change, "app/ddns.exe was changed: its SHA-256 is not the one in SHA256SUMS"),
        (_reseal, "SHA256SUMS.psd1 is not signed; ddns-fleet authors was expected to have signed it"),
        (_edit_seal, "SHA256SUMS.psd1 was changed after it was signed"),
        (_other_list, "SHA256SUMS is not the one that SHA256SUMS.psd1 names: list or seal was changed"),
        (_no_seal, "has no SHA256SUMS.psd1: it is not a package of ours"),
    ],
)
def test_a_package_that_was_tampered_with_is_refused(
    world: Make,
    signer: Signer,
    authority: code.Authority,
    out: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    said: str,
) -> None:
    made = world()
    build(made.sources, made.known, signer, out)
    package = out / f"{made.build.stem}.zip"
    _zip_without(package, spoil, tmp_path / "spoiled")

    assert main(["verify", str(package), "--ca", str(authority.pem)]) == 1
    assert said in capsys.readouterr().err


def test_an_msi_that_is_unsigned_or_changed_is_refused(
    world: Make, signer: Signer, authority: code.Authority, out: Path
) -> None:
    made = world()
    build(made.sources, made.known, None, out)
    package = out / f"{made.build.stem}.msi"
    with pytest.raises(PackageError, match=r"\.msi is not signed; ddns-fleet authors was expected"):
        verify.package(package, PUBLISHER, authority.pem)

    sign.sign([package], made.known, signer)
    content = bytearray(package.read_bytes())
    at = content.rindex(b"MSCF") + 200
    content[at] ^= 1
    package.write_bytes(content)
    with pytest.raises(PackageError, match=r"\.msi was changed after it was signed"):
        verify.package(package, PUBLISHER, authority.pem)


def test_a_signature_by_somebody_else_is_refused(
    world: Make, authority: code.Authority, tmp_path_factory: pytest.TempPathFactory, out: Path
) -> None:
    made = world()
    stranger = Signer.of(authority.environ("somebody else"))
    assert stranger is not None
    with pytest.raises(PackageError, match="signed by somebody else, not by ddns-fleet authors"):
        build(made.sources, made.known, stranger, out)

    impostor = code.Authority(tmp_path_factory.mktemp("impostor"), "Impostor")
    own = Signer.of(impostor.environ(PUBLISHER))
    assert own is not None
    build(made.sources, made.known, own, out)
    with pytest.raises(PackageError, match="the signature by ddns-fleet authors is not trusted"):
        verify.package(out / f"{made.build.stem}.zip", PUBLISHER, authority.pem)


def test_without_a_signature_only_hashes_are_checked(
    world: Make, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world()
    build(made.sources, made.known, None, out)
    package = str(out / f"{made.build.stem}.zip")
    assert main(["verify", "--unsigned", package]) == 0
    assert "ddns-fleet 1.2.3 for amd64, for testing, complete and unchanged" in capsys.readouterr().out
    assert main(["verify", package]) == 1


class TestWhatMayNotGoOut:
    def test_a_release_without_signature(self, world: Make, out: Path) -> None:
        made = world(for_testing=False)
        known = _owned(made.known)
        with pytest.raises(PackageError, match="a release must be signed"):
            build(made.sources, known, None, out)

    def test_a_release_with_addresses_that_nobody_owns(self, world: Make, signer: Signer, out: Path) -> None:
        made = world(for_testing=False)
        with pytest.raises(PackageError, match=r"url\.home is https://ddns-fleet\.example, a reserved name"):
            build(made.sources, made.known, signer, out)

    def test_a_library_without_its_notice(self, world: Make, signer: Signer, out: Path) -> None:
        made = world(for_testing=False)
        (made.sources.tree / "app" / "libffi-8.dll").write_bytes((made.sources.tree / "bin" / "ddns.exe").read_bytes())
        with pytest.raises(PackageError, match="licence file lacks the notice of libffi"):
            build(made.sources, _owned(made.known), signer, out)

    def test_a_script_that_an_old_powershell_reads_otherwise(self, world: Make, signer: Signer, out: Path) -> None:
        made = world()
        (made.sources.powershell / "Deploy-DDNS.ps1").write_text("'\u00fcber'\r\n", "utf-8")
        with pytest.raises(PackageError, match=r"Deploy-DDNS\.ps1 has characters beyond ASCII and no byte order mark"):
            build(made.sources, made.known, signer, out)

    def test_a_tree_without_a_program(self, world: Make, out: Path) -> None:
        made = world()
        (made.sources.tree / "app" / "ddns.exe").unlink()
        with pytest.raises(PackageError, match=r"app/ddns\.exe is missing"):
            build(made.sources, made.known, None, out)

    @pytest.mark.parametrize("version", ["1.2", "1.2.3.4", "256.0.0", "1.02.3", "1.2.3rc1", "../1.2.3"])
    def test_a_version_that_windows_installer_can_not_have(self, version: str) -> None:
        with pytest.raises(PackageError, match=r"is not N\.N\.N"):
            facts.checked(facts.Build(version, "amd64", for_testing=False))


def _owned(known: facts.Facts) -> facts.Facts:
    urls = {name: url.replace("ddns-fleet.example", "ddns-fleet.org") for name, url in known.url.items()}
    return facts.Facts(**(vars(known) | {"url": urls}))


class TestWhoSigns:
    def test_nobody_when_nothing_is_set(self) -> None:
        assert Signer.of({"PATH": "/bin"}) is None

    def test_a_password_that_others_may_read_is_refused(self, authority: code.Authority) -> None:
        environ = authority.environ("careless")
        Path(environ["DDNS_SIGN_PASSWORD_FILE"]).chmod(0o644)
        with pytest.raises(PackageError, match="others may read it: chmod 600"):
            Signer.of(environ)

    def test_what_is_missing_is_named(self) -> None:
        with pytest.raises(PackageError, match="DDNS_SIGN_PKCS11_CERT, DDNS_SIGN_KEY is not set"):
            Signer.of({"DDNS_SIGN_PKCS11_MODULE": "/lib/x.so"})

    def test_the_password_is_on_no_command_line(self, authority: code.Authority) -> None:
        signer = Signer.of(authority.environ("quiet"))
        assert signer is not None
        assert code.PASSWORD.decode() not in " ".join(signer.options)
        assert "-readpass" in signer.options

    def test_a_wrong_password_ends_it_and_leaves_the_file(
        self, authority: code.Authority, tmp_path: Path, world: Make
    ) -> None:
        environ = authority.environ("forgetful")
        Path(environ["DDNS_SIGN_PASSWORD_FILE"]).write_bytes(b"wrong")
        signer = Signer.of(environ)
        assert signer is not None
        script = tmp_path / "x.ps1"
        script.write_text("'what is to be signed'\r\n")
        with pytest.raises(PackageError, match=r"x\.ps1 could not be signed"):
            sign.sign([script], world().known, signer)
        assert script.read_text() == "'what is to be signed'\n"
        assert [path.name for path in tmp_path.glob(".signed*")] == []


def test_the_command_line_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        (sys.executable, "-m", "packages", "versions", "--tree", str(tmp_path)),
        env={"PYTHONPATH": f"{ROOT / 'packaging'}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert re.fullmatch(r"packages: .*build\.json: .*No such file or directory.*\n", done.stderr)
