"""The bill of materials: CycloneDX 1.6 as JSON (https://cyclonedx.org/docs/1.6/json/)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from packages.components import UNKNOWN, Component
from packages.errors import PackageError
from packages.facts import Build, Facts

_NAMESPACE = uuid.UUID("0d3e7c52-1c6a-4f5c-8f0e-6f5a5c7e2a10")


def render(known: Facts, build: Build, components: Sequence[Component]) -> str:
    """The document, the same for the same content. Raises PackageError: a component has no licence."""
    for one in components:
        if not one.licence:
            raise PackageError(f"{one.name} {one.version} names no licence: find it out before passing it on")
    root = f"pkg:generic/{known.product}@{build.version}?arch={build.architecture}&os=windows"
    listed = [_component(one) for one in sorted(components, key=lambda one: one.purl)]
    document: dict[str, object] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": known.product,
                "version": build.version,
                "description": known.summary,
                "publisher": known.publisher,
                "licenses": [_licence(known.licence)],
                "purl": root,
            },
            "properties": [{"name": "ddns-fleet:for-testing", "value": str(build.for_testing).lower()}],
        },
        "components": listed,
        "dependencies": [{"ref": root, "dependsOn": [one["bom-ref"] for one in listed]}],
    }
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True))}"
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _component(one: Component) -> dict[str, object]:
    told: dict[str, object] = {
        "type": "library",
        "bom-ref": one.purl,
        "name": one.name,
        "licenses": [_licence(one.licence)],
        "purl": one.purl,
    }
    if one.version != UNKNOWN:
        told["version"] = one.version
    if one.cpe and one.version != UNKNOWN:
        told["cpe"] = one.cpe
    if one.home:
        told["externalReferences"] = [{"type": "website", "url": one.home}]
    if one.files:
        told["components"] = [
            {
                "type": "file",
                "bom-ref": f"{one.purl}#{path}",
                "name": path,
                "hashes": [{"alg": "SHA-256", "content": digest}],
            }
            for path, digest in sorted(one.files.items())
        ]
    return told


def _licence(expression: str) -> dict[str, object]:
    """A name of SPDX's list goes as `id`, one outside of it as `name`, several as an expression."""
    if " " in expression:
        return {"expression": expression}
    if expression.startswith("LicenseRef-"):
        return {"license": {"name": expression}}
    return {"license": {"id": expression}}
