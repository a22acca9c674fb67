"""What vouches for the libraries of a build: which signatures are refused, and that none is left out."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ground import code, exe
from packages import facts, sign, tools
from packages.sign import Signer
from windows import authenticode, suite
from windows.authenticode import PUBLISHERS
from windows.errors import BuildError
from windows.wheels import Origin, Origins

#: A small library that its publisher signed.
SIGNED, BY = "select.pyd", "Python Software Foundation"
NOBODY = Origins({})


@pytest.fixture
def app(tree: Path, tmp_path: Path) -> Path:
    """A folder with that library alone."""
    folder = tmp_path / "app"
    folder.mkdir()
    shutil.copy(tree / "app" / SIGNED, folder)
    return folder


@pytest.fixture
def authority(tmp_path: Path) -> code.Authority:
    """One that nobody knows."""
    (tmp_path / "ca").mkdir()
    return code.Authority(tmp_path / "ca")


def sign_as(publisher: str, authority: code.Authority, file: Path) -> None:
    signer = Signer.of(authority.environ(publisher))
    assert signer is not None
    sign.sign([file], replace(facts.facts(), signer=publisher), signer)


def strip(file: Path) -> None:
    """Take the signature away, in the way that leaves an intact library."""
    bare = file.with_suffix(".bare")
    done = tools.osslsigncode().run("remove-signature", "-in", str(file), "-out", str(bare))
    assert done.returncode == 0, done.stdout
    bare.replace(file)


def test_what_its_publisher_signed_passes(app: Path) -> None:
    (found,) = authenticode.verdicts(app, NOBODY)
    assert (found.file, found.signed_by, found.sha256) == (SIGNED, BY, suite.sha256(app / SIGNED))


@pytest.mark.parametrize("part", [b".text", b".rdata"])
def test_a_flipped_byte_ends_the_build(app: Path, part: bytes) -> None:
    content = bytearray((app / SIGNED).read_bytes())
    header = content.index(part.ljust(8, b"\0"))
    content[int.from_bytes(content[header + 20 : header + 24], "little") + 16] ^= 1
    (app / SIGNED).write_bytes(content)
    with pytest.raises(BuildError, match=r"the signature of select\.pyd can't be verified") as caught:
        authenticode.verdicts(app, NOBODY)
    assert "MISMATCH" in str(caught.value)


def test_without_its_signature_only_a_pinned_wheel_vouches_for_it(app: Path) -> None:
    strip(app / SIGNED)
    digest = suite.sha256(app / SIGNED)
    with pytest.raises(BuildError) as caught:
        authenticode.verdicts(app, NOBODY)
    assert str(caught.value) == f"{SIGNED} (SHA-256 {digest}) is neither signed nor of a wheel that is pinned"
    (found,) = authenticode.verdicts(app, Origins({digest: Origin("some.whl", "0" * 64)}))
    assert (found.signed_by, found.wheel, found.wheel_sha256) == ("", "some.whl", "0" * 64)


@pytest.mark.parametrize("publisher", ["Somebody", BY])
def test_an_authority_that_is_no_anchor_ends_the_build(app: Path, authority: code.Authority, publisher: str) -> None:
    """Whatever name it gives the publisher, and though a pinned wheel should hold the same file."""
    sign_as(publisher, authority, app / SIGNED)
    origins = Origins({suite.sha256(app / SIGNED): Origin("some.whl", "0" * 64)})
    with pytest.raises(BuildError, match=r"the signature of select\.pyd can't be verified"):
        authenticode.verdicts(app, origins)


def test_a_signature_without_a_time_stamp_ends_the_build(
    app: Path, authority: code.Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even of an anchor: nobody could tell whether the certificate was good when it signed."""
    certificate = x509.load_pem_x509_certificate(authority.pem.read_bytes()).public_bytes(Encoding.DER)
    anchors = {hashlib.sha256(certificate).hexdigest(): "ours"}
    monkeypatch.setattr(authenticode, "ANCHORS", authenticode.ANCHORS | anchors)
    sign_as(BY, authority, app / SIGNED)
    assert certificate in set(authenticode.anchors_in(authenticode.signature_of(app / SIGNED)))
    with pytest.raises(BuildError, match=r"the signature of select\.pyd can't be verified"):
        authenticode.verdicts(app, NOBODY)


def test_a_publisher_that_is_not_named_ends_the_build(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the signature is good, and by an anchor."""
    monkeypatch.setattr(authenticode, "PUBLISHERS", tuple(name for name in PUBLISHERS if name != BY))
    with pytest.raises(BuildError) as caught:
        authenticode.verdicts(app, NOBODY)
    assert str(caught.value) == f"{SIGNED} is signed by {BY}, whom authenticode.py does not name"


def test_every_library_of_the_build_has_somebody_who_vouches_for_it(tree: Path) -> None:
    libraries = {path for path in (tree / "app").rglob("*") if path.suffix.lower() in {".dll", ".pyd"}}
    told = {one["file"]: one for one in exe.told()["binaries"]}
    assert {path.relative_to(tree / "app").as_posix(): suite.sha256(path) for path in libraries} == {
        name: one["sha256"] for name, one in told.items()
    }
    for name, one in told.items():
        if "signed_by" in one:
            assert one["signed_by"] in PUBLISHERS, name
        else:
            assert one["wheel"].endswith(".whl"), name
            assert len(one["wheel_sha256"]) == 64, name
    assert told["python313.dll"]["signed_by"] == BY
