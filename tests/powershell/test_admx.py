"""The administrative template: current, as Group Policy reads it, without secrets, and understood by the client.

The form is that of Microsoft's "Group Policy ADMX Syntax Reference Guide", written down here as facts.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from admx.template import SPACE, files, policies
from ddns.config import policy
from ddns.config.policy_bytes import Tree
from ddns.config.schema import Settings
from ddns.config.schema_json import json_schema
from ground import pwsh

FOLDER = pwsh.PS / "gpo" / "admx"
NS = f"{{{SPACE}}}"
#: Element -> its required attributes, and its children in their order ("*": any number of any of them).
ADMX: dict[str, tuple[set[str], list[str]]] = {
    "policyDefinitions": (
        {"revision", "schemaVersion"},
        ["policyNamespaces", "resources", "supportedOn", "categories", "policies"],
    ),
    "policyNamespaces": (set(), ["target"]),
    "target": ({"prefix", "namespace"}, []),
    "resources": ({"minRequiredRevision"}, []),
    "supportedOn": (set(), ["definitions"]),
    "definitions": (set(), ["*", "definition"]),
    "definition": ({"name", "displayName"}, []),
    "categories": (set(), ["*", "category"]),
    "category": ({"name", "displayName"}, ["parentCategory"]),
    "parentCategory": ({"ref"}, []),
    "policies": (set(), ["*", "policy"]),
    "policy": (
        {"name", "class", "displayName", "explainText", "key"},
        ["parentCategory", "supportedOn", "enabledValue", "disabledValue", "elements"],
    ),
    "enabledValue": (set(), ["decimal"]),
    "disabledValue": (set(), ["decimal"]),
    "elements": (set(), ["*", "text", "decimal", "enum", "multiText"]),
    "text": ({"id", "valueName"}, []),
    "multiText": ({"id", "valueName"}, []),
    "enum": ({"id", "valueName"}, ["*", "item"]),
    "item": ({"displayName"}, ["value"]),
    "value": (set(), ["*", "string", "decimal"]),
    "string": (set(), []),
    "decimal": (set(), []),
}
BOXES = {"text": "textBox", "decimal": "decimalTextBox", "enum": "dropdownList", "multiText": "multiTextBox"}


def tag(element: ET.Element) -> str:
    assert element.tag.startswith(NS), element.tag
    return element.tag.removeprefix(NS)


@pytest.fixture(scope="module")
def admx() -> ET.Element:
    return ET.fromstring((FOLDER / "DDNS.admx").read_bytes())


@pytest.fixture(scope="module")
def adml() -> ET.Element:
    return ET.fromstring((FOLDER / "en-US" / "DDNS.adml").read_bytes())


@pytest.mark.parametrize("name", sorted(files()))
def test_it_is_current(name: str) -> None:
    """`PYTHONPATH=src:packaging python -m admx` writes it anew."""
    assert (FOLDER / name).read_bytes().decode() == files()[name]


def test_every_element_is_where_the_format_has_it(admx: ET.Element) -> None:
    for element in admx.iter():
        required, order = ADMX[tag(element)]
        if tag(element) == "supportedOn" and "ref" in element.attrib:
            continue
        assert required <= set(element.attrib), element.attrib
        children = [tag(child) for child in element]
        if order[:1] == ["*"]:
            assert set(children) <= set(order[1:])
        else:
            assert children == [name for name in order if name in children], children
    for name in ("policy", "category", "definition"):
        names = [element.attrib["name"] for element in admx.iter(f"{NS}{name}")]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"\w+", one) for one in names)


def test_every_reference_leads_somewhere(admx: ET.Element, adml: ET.Element) -> None:
    strings = {one.attrib["id"]: one.text for one in adml.iter(f"{NS}string")}
    shown = {one.attrib["id"]: one for one in adml.iter(f"{NS}presentation")}
    for element in admx.iter():
        for value in element.attrib.values():
            for kind, name in re.findall(r"\$\((\w+)\.(\w+)\)", value):
                assert name in (strings if kind == "string" else shown)
    assert all(strings.values())
    used = set(re.findall(r"\$\(string\.(\w+)\)", (FOLDER / "DDNS.admx").read_text()))
    assert used == set(strings)
    for one in admx.iter(f"{NS}policy"):
        boxes = {BOXES[tag(part)]: part.attrib["id"] for part in one.findall(f"{NS}elements/*")}
        if boxes:
            presentation = shown[one.attrib["name"]]
            assert {tag(box): box.attrib["refId"] for box in presentation} == boxes
        else:
            assert one.attrib["valueName"]


def test_nothing_that_names_a_secret_is_a_policy() -> None:
    schema: dict[str, Any] = json_schema({})
    from ddns.config.schema_json import _LEAVES
    from ddns.secret import SecretRef

    assert _LEAVES[SecretRef]["pattern"].startswith("^(")
    hidden = dict(_LEAVES[SecretRef])
    schema["properties"]["log"]["properties"] |= {
        "password": hidden,
        "passwords": {"type": "array", "items": hidden},
        "either": {"anyOf": [{"type": "integer"}, hidden]},
    }
    names = {one.name for one in policies(schema)}
    assert "log_level" in names
    assert not names & {"log_password", "log_passwords", "log_either"}
    assert not [one for one in policies(json_schema({})) if "secret" in one.key or "token" in one.key]


def registry(admx: ET.Element) -> Tree:
    """What Group Policy writes when every policy is enabled: REG_SZ 1, REG_DWORD 4, REG_MULTI_SZ 7."""
    samples = {
        "sources": ["ipify", "aws"], "probe4": "opendns", "probe6": "opendns", "allow_private": ["10.0.0.0/8"],
        "servers": ["192.0.2.53:53"], "url": "https://ddns.example.com", "ca_file": "ca.pem",
    }  # fmt: skip
    tree: Tree = {}
    for one in admx.iter(f"{NS}policy"):
        table = tree.setdefault(one.attrib["key"].rpartition("\\")[2], {})
        for part in one.findall(f"{NS}elements/*"):
            name = part.attrib["valueName"]
            if tag(part) == "multiText":
                table[name] = (7, samples.get(name, []))
            elif tag(part) == "decimal":
                table[name] = (4, int(part.attrib["minValue"]))
            elif tag(part) == "enum":
                table[name] = (1, part.findtext(f"{NS}item/{NS}value/{NS}string"))
            else:
                table[name] = (1, samples.get(name, "5m"))
        if "valueName" in one.attrib:
            table[one.attrib["valueName"]] = (4, 1)
    return tree


def test_the_client_understands_what_group_policy_writes(admx: ET.Element, tmp_path: Path) -> None:
    from ddns.config.convert import convert

    told = policy.from_registry(registry(admx)) | {"schema": 1}
    problems: list[str] = []
    settings = convert(told, Settings, (), lambda *said: problems.append(str(said)))
    assert not problems
    assert isinstance(settings, Settings)
    assert settings.gateway is not None
    assert (settings.gateway.url, settings.proof.every.seconds) == ("https://ddns.example.com", 300.0)
    assert settings.detect.sources == ("ipify", "aws")
