r"""DDNS.admx and DDNS.adml from the JSON Schema of the settings.

A policy for each key of the tables that occur once; records and providers are named by each machine's file. What holds
or names a secret is no policy: the registry is readable by every user. The registry's forms are those that
`ddns.config.policy` reads: REG_SZ, REG_DWORD, REG_MULTI_SZ below HKLM\Software\Policies\DDNS.

The format is Microsoft's "Group Policy ADMX Syntax Reference Guide" (namespace .../PolicyDefinitions/2006/07).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ddns.config.policy_bytes import REGISTRY_KEY
from ddns.config.schema_json import json_schema
from ddns.secret import SecretRef

SPACE = "http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions"
#: The revision of both files; raised when a policy is renamed or taken away, not when one is added.
REVISION = "1.0"
#: How the schema's pattern of a reference to a secret begins.
_REFERENCE = f"^({'|'.join(SecretRef.SCHEMES)})"
_UNSIGNED = 4294967295


@dataclass(frozen=True)
class Policy:
    """One setting: where it lies, what it means, and its JSON Schema."""

    table: str
    key: str
    schema: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its id in both files."""
        return f"{self.table}_{self.key}"

    @property
    def registry(self) -> str:
        """Its key below HKLM."""
        return f"{REGISTRY_KEY}\\{self.table.capitalize()}"

    @property
    def kind(self) -> str:
        """The form: bool, choice, number, list or text."""
        if "enum" in self.schema:
            return "choice"
        return {"boolean": "bool", "integer": "number", "array": "list"}.get(str(self.schema.get("type")), "text")


def files() -> dict[str, str]:
    """Path -> content."""
    schema = json_schema({})
    return {"DDNS.admx": _admx(schema), "en-US/DDNS.adml": _adml(schema)}


def policies(schema: Mapping[str, Any]) -> Iterator[Policy]:
    """The settings that a policy may set, in the order of the file."""
    for table, about in schema["properties"].items():
        if about.get("type") != "object" or "additionalProperties" not in about or not about.get("properties"):
            continue
        for key, one in about["properties"].items():
            if one.get("type") != "object" and not _names_secret(one):
                yield Policy(table, key, one)


def _names_secret(schema: object) -> bool:
    """Whether a value of this schema, or one inside of it, is a reference to a secret."""
    if isinstance(schema, Mapping):
        own = str(schema.get("pattern", "")).startswith(_REFERENCE)
        return own or any(_names_secret(part) for part in schema.values())
    return isinstance(schema, list) and any(_names_secret(part) for part in schema)


def _admx(schema: Mapping[str, Any]) -> str:
    found = list(policies(schema))
    tables = list(dict.fromkeys(policy.table for policy in found))
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<policyDefinitions xmlns="{SPACE}" revision="{REVISION}" schemaVersion="1.0">',
        "  <policyNamespaces>",
        '    <target prefix="ddns" namespace="DdnsFleet.Policies.Ddns" />',
        "  </policyNamespaces>",
        f'  <resources minRequiredRevision="{REVISION}" />',
        "  <supportedOn>",
        "    <definitions>",
        '      <definition name="SUPPORTED_DDNS" displayName="$(string.SUPPORTED_DDNS)" />',
        "    </definitions>",
        "  </supportedOn>",
        "  <categories>",
        '    <category name="DDNS" displayName="$(string.DDNS)" />',
    ]
    for table in tables:
        lines += [
            f'    <category name="DDNS_{table}" displayName="$(string.DDNS_{table})">',
            '      <parentCategory ref="DDNS" />',
            "    </category>",
        ]
    lines += ["  </categories>", "  <policies>"]
    for policy in found:
        lines += _definition(policy)
    lines += ["  </policies>", "</policyDefinitions>", ""]
    return "\r\n".join(lines)


def _definition(policy: Policy) -> list[str]:
    value = f' valueName="{policy.key}"' if policy.kind == "bool" else ""
    shown = "" if policy.kind == "bool" else f' presentation="$(presentation.{policy.name})"'
    head = (
        f'    <policy name="{policy.name}" class="Machine" displayName="$(string.{policy.name})"'
        f' explainText="$(string.{policy.name}_help)" key={quoteattr(policy.registry)}{value}{shown}>'
    )
    lines = [head, f'      <parentCategory ref="DDNS_{policy.table}" />', '      <supportedOn ref="SUPPORTED_DDNS" />']
    if policy.kind == "bool":
        lines += [
            '      <enabledValue><decimal value="1" /></enabledValue>',
            '      <disabledValue><decimal value="0" /></disabledValue>',
        ]
    else:
        lines += ["      <elements>", *_element(policy), "      </elements>"]
    return [*lines, "    </policy>"]


def _element(policy: Policy) -> list[str]:
    place = f'id="{policy.key}" valueName="{policy.key}"'
    if policy.kind == "list":
        return [f"        <multiText {place} />"]
    if policy.kind == "number":
        low = max(0, int(policy.schema.get("minimum", 0)))
        high = min(_UNSIGNED, int(policy.schema.get("maximum", _UNSIGNED)))
        return [f'        <decimal {place} required="true" minValue="{low}" maxValue="{high}" />']
    if policy.kind == "text":
        return [f'        <text {place} required="true" />']
    lines = [f'        <enum {place} required="true">']
    for choice in policy.schema["enum"]:
        inner = f'<decimal value="{choice}" />' if isinstance(choice, int) else f"<string>{escape(choice)}</string>"
        lines.append(f'          <item displayName="$(string.{_choice(policy, choice)})"><value>{inner}</value></item>')
    return [*lines, "        </enum>"]


def _choice(policy: Policy, choice: object) -> str:
    return f"{policy.name}_is_{choice}"


def _adml(schema: Mapping[str, Any]) -> str:
    found = list(policies(schema))
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<policyDefinitionResources xmlns="{SPACE}" revision="{REVISION}" schemaVersion="1.0">',
        "  <displayName>DDNS</displayName>",
        "  <description>Settings of ddns, dynamic DNS for Windows fleets</description>",
        "  <resources>",
        "    <stringTable>",
    ]
    lines += [f'      <string id="{name}">{escape(text)}</string>' for name, text in _strings(schema, found)]
    lines += ["    </stringTable>", "    <presentationTable>"]
    for policy in found:
        if policy.kind != "bool":
            lines += [f'      <presentation id="{policy.name}">', _presentation(policy), "      </presentation>"]
    lines += ["    </presentationTable>", "  </resources>", "</policyDefinitionResources>", ""]
    return "\r\n".join(lines)


def _strings(schema: Mapping[str, Any], found: list[Policy]) -> Iterator[tuple[str, str]]:
    yield "SUPPORTED_DDNS", "ddns 0.1 and later"
    yield "DDNS", "DDNS"
    for table in dict.fromkeys(policy.table for policy in found):
        about = str(schema["properties"][table].get("description", ""))
        yield f"DDNS_{table}", f"[{table}] {about.partition(': ')[2].rstrip('.')}".strip()
    for policy in found:
        yield policy.name, policy.key
        yield f"{policy.name}_help", _help(policy)
        for choice in policy.schema.get("enum", ()):
            yield _choice(policy, choice), str(choice)


def _help(policy: Policy) -> str:
    said = str(policy.schema.get("description", ""))
    default = policy.schema.get("default")
    if isinstance(default, list):
        default = ", ".join(map(str, default))
    parts = [said, f"Without this policy: the settings file, else {default}." if default not in (None, "") else ""]
    parts.append("One value a line." if policy.kind == "list" else "")
    parts.append(f"The same as {policy.key} in [{policy.table}] of ddns.toml; a policy is stronger than the file.")
    return " ".join(part for part in parts if part)


def _presentation(policy: Policy) -> str:
    label, default = escape(policy.key), policy.schema.get("default")
    given = "" if default is None or isinstance(default, list) else str(default)
    if policy.kind == "list":
        return (
            f'        <multiTextBox refId="{policy.key}" showAsDialog="true" defaultHeight="5">{label}</multiTextBox>'
        )
    if policy.kind == "number":
        number = f" defaultValue={quoteattr(given)}" if given else ""
        return f'        <decimalTextBox refId="{policy.key}"{number} spin="true">{label}</decimalTextBox>'
    if policy.kind == "choice":
        choices = list(policy.schema["enum"])
        item = f' defaultItem="{choices.index(default)}"' if default in choices else ""
        return f'        <dropdownList refId="{policy.key}" noSort="true"{item}>{label}</dropdownList>'
    inner = f"<defaultValue>{escape(given)}</defaultValue>" if given else ""
    return f'        <textBox refId="{policy.key}"><label>{label}</label>{inner}</textBox>'
