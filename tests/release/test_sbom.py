"""The bill of materials: valid, complete, and every licence a name that SPDX knows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from license_expression import get_spdx_licensing  # type: ignore[import-untyped]  # it ships no types
from referencing import Registry, Resource

from packages import components, facts, notices, sbom, sums, versions
from packages.components import Component
from packages.errors import PackageError
from release.conftest import World

BUILD = facts.Build("1.2.3", "amd64", for_testing=True)
ROOT = Path(__file__).resolve().parents[2]


_BASE, _END = "http://cyclonedx.org/schema/", ".SNAPSHOT.schema.json"


@pytest.fixture(scope="session")
def schema() -> jsonschema.Draft7Validator:
    """CycloneDX's own, with the two that it refers to."""
    folder = resources.files("cyclonedx.schema") / "_res"
    files = {
        name: json.loads((folder / f"{name}{_END}").read_text("utf-8")) for name in ("bom-1.6", "spdx", "jsf-0.82")
    }
    registry: Registry[Any] = Registry().with_resources(
        # They name each other as files beside the first.
        [(_BASE + name + _END, Resource.from_contents(content)) for name, content in files.items()]
    )
    return jsonschema.Draft7Validator(files["bom-1.6"], registry=registry)


def _site_packages() -> Path:
    return Path(str(metadata.distribution("click").locate_file("")))


#: What the lock of the client holds, and what only Windows adds.
SHIPPED = [
    "anyio",
    "certifi",
    "click",
    "colorama",
    "dns",
    "h11",
    "httpcore",
    "httpx",
    "idna",
    "markdown_it",
    "mdurl",
    "msgspec",
    "pygments",
    "rich",
    "truststore",
]


def _everything() -> list[Component]:
    return components.of_packages(_site_packages(), SHIPPED)


def test_it_is_valid_cyclonedx(schema: jsonschema.Draft7Validator) -> None:
    document = json.loads(sbom.render(facts.facts(), BUILD, _everything()))
    schema.validate(document)
    assert {"click", "httpx", "dnspython", "msgspec", "truststore"} <= {one["name"] for one in document["components"]}


def test_the_schema_is_really_asked(schema: jsonschema.Draft7Validator) -> None:
    document = json.loads(sbom.render(facts.facts(), BUILD, _everything()))
    document["components"][0]["licenses"] = [{"license": {"id": "My own licence"}}]
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(document)


def _licences(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for one in (document["metadata"]["component"], *document["components"]):
        for told in one["licenses"]:
            yield one["name"], told.get("expression") or told["license"].get("id") or told["license"]["name"]


def _all_parts(tmp_path: Path) -> Path:
    """A tree in which every part of parts.toml is found."""
    app = tmp_path / "tree" / "app"
    app.mkdir(parents=True)
    for name, content in {
        "python313.dll": b"\x001.3.1\x00",
        "libcrypto-3.dll": b"OpenSSL 3.0.18 30 Sep 2025",
        "libssl-3.dll": b"",
        "sqlite3.dll": b"",
        "libffi-8.dll": b"",
        "_bz2.pyd": b"1.0.8, 13-Jul-2019",
        "_lzma.pyd": b"\x005.2.5\x00",
        "pyexpat.pyd": b"expat_2.7.3",
        "_decimal.pyd": b"\x004.0.0\x00",
        "VCRUNTIME140.dll": b"",
        "ddns.exe": b"",
    }.items():
        (app / name).write_bytes(content)
    (app.parent / "build.json").write_text(json.dumps({"tools": TOOLS, "packages": {"click": "8.3.0"}}))
    return app.parent


TOOLS = {"zig": "0.17.1", "nuitka": "4.3.3"}


def test_no_component_lacks_a_licence_that_spdx_knows(tmp_path: Path) -> None:
    parts = components.of_tree(_all_parts(tmp_path), TOOLS)
    document = json.loads(sbom.render(facts.facts(), BUILD, parts + _everything()))
    spdx = get_spdx_licensing()
    own = {"LicenseRef-Microsoft-Visual-C-Runtime", "bzip2-1.0.6"}  # the second is SPDX's, newer than the library
    wrong = {name: text for name, text in _licences(document) if text not in own and spdx.validate(text).errors}
    assert wrong == {}
    assert len(list(_licences(document))) == len(parts) + len(_everything()) + 1


def test_a_component_without_a_licence_ends_it() -> None:
    with pytest.raises(PackageError, match=r"thing 1\.0 names no licence"):
        sbom.render(facts.facts(), BUILD, [Component("thing", "1.0", "", "pkg:pypi/thing@1.0")])


def test_what_the_libraries_say_of_themselves(tmp_path: Path) -> None:
    told = {one.name: one.version for one in components.of_tree(_all_parts(tmp_path), TOOLS)}
    assert told == {
        "CPython": components.UNKNOWN,  # no PE file: it has no version resource
        "OpenSSL": components.UNKNOWN,
        "SQLite": components.UNKNOWN,
        "libffi": "8",
        "zlib": "1.3.1",
        "bzip2": "1.0.8",
        "liblzma": "5.2.5",
        "Expat": "2.7.3",
        "mpdecimal": "4.0.0",
        "Microsoft Visual C++ runtime": components.UNKNOWN,
        "mingw-w64 runtime": components.UNKNOWN,
        "zig compiler runtime": "0.17.1",
        "Nuitka runtime": "4.3.3",
    }


def test_what_the_compiler_left_in_the_program_brings_its_licence(tmp_path: Path) -> None:
    texts = {one.name: "".join(one.texts) for one in components.of_tree(_all_parts(tmp_path), TOOLS)}
    assert "Zig contributors" in texts["zig compiler runtime"]
    assert "mingw-w64 project" in texts["mingw-w64 runtime"]


def test_a_version_resource_is_read(world: Callable[..., World]) -> None:
    """The launcher has one."""
    assert components.resource_version(world("1.2.3").sources.tree / "bin" / "ddns.exe") == "1.2.3"


def test_the_hashes_are_those_of_the_files(tmp_path: Path) -> None:
    tree = _all_parts(tmp_path)
    (openssl,) = (one for one in components.of_tree(tree, TOOLS) if one.name == "OpenSSL")
    assert openssl.files == {
        f"app/{name}": sums.digest(tree / "app" / name) for name in ("libcrypto-3.dll", "libssl-3.dll")
    }


def test_only_packages_with_a_module_in_the_program_are_listed(tmp_path: Path) -> None:
    for name, files in {
        "regular-1.0": ["regular/__init__.py", "regular/more.py"],
        "loose-1.0": ["win32/win32api.pyd", "win32/lib/win32con.py"],
        "unused-1.0": ["unused/__init__.py"],
    }.items():
        folder = tmp_path / f"{name}.dist-info"
        folder.mkdir()
        plain = name.partition("-")[0]
        (folder / "METADATA").write_text(f"Name: {plain}\nVersion: 1.0\nLicense-Expression: MIT\n")
        (folder / "RECORD").write_text("".join(f"{file},sha256=x,1\n" for file in files))
        (folder / "LICENSE").write_text(f"the licence of {plain}")
    found = components.of_packages(tmp_path, ["regular.more", "win32con", "ddns.model"])
    assert [(one.name, one.texts) for one in found] == [
        ("loose", ("the licence of loose",)),
        ("regular", ("the licence of regular",)),
    ]


def test_every_shipped_package_has_its_licence_text() -> None:
    lacking = [one.name for one in _everything() if not any(len(text) > 300 for text in one.texts)]
    assert lacking == []


def test_the_notices_hold_every_licence(tmp_path: Path) -> None:
    shutil.copyfile(ROOT / "LICENSE", tmp_path / "LICENSE.txt")
    python = notices.python_licence(tmp_path)
    text = notices.render("ddns-fleet", _everything(), python, strict=True)
    squeezed = " ".join(text.split())
    for one in _everything():
        assert f"{one.name} {one.version}: {one.licence}" in text
        for licence in one.texts:
            assert " ".join(licence.split()) in squeezed, one.name


def test_a_python_without_its_licence_is_not_passed_on(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"has no LICENSE\.txt"):
        notices.python_licence(tmp_path)


def test_the_list_of_versions_tells_their_age(tmp_path: Path) -> None:
    rows = [line.split() for line in versions.table(_all_parts(tmp_path)).splitlines()]
    assert ["OpenSSL", "unknown", "2025-09-30"] in rows
    assert ["click", "8.3.0", "?"] in rows
