"""The release pipeline, which runs nowhere here: it keeps the schema of workflows, and names what exists."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from packages.__main__ import _parser
from release.conftest import ROOT

FILE = ROOT / "packaging" / "release" / "release.yml"
TEXT = FILE.read_text("utf-8")


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    read: dict[str, Any] = YAML(typ="safe").load(TEXT)
    return read


def _steps(pipeline: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in pipeline["jobs"].items():
        for step in job["steps"]:
            yield name, step


def _check(path: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", path)
    return subprocess.run(command, capture_output=True, text=True)


def test_it_keeps_the_schema() -> None:
    done = _check(str(FILE))
    assert done.returncode == 0, done.stdout


def test_the_schema_is_really_asked(tmp_path: Any) -> None:
    (tmp_path / "wrong.yml").write_text(TEXT.replace("runs-on: ubuntu-24.04", "run-on: ubuntu-24.04"))
    assert _check(str(tmp_path / "wrong.yml")).returncode != 0


def test_every_architecture_is_built_natively(pipeline: dict[str, Any]) -> None:
    built = {one["architecture"] for one in pipeline["jobs"]["build"]["strategy"]["matrix"]["include"]}
    assert built == {"amd64", "x86", "arm64"}


def test_nothing_is_published_that_was_not_tested_signed_and_accepted(pipeline: dict[str, Any]) -> None:
    needs = {name: job.get("needs") for name, job in pipeline["jobs"].items()}
    assert needs == {"test": None, "build": "test", "pack": "build", "accept": "pack", "publish": "accept"}
    assert "continue-on-error" not in pipeline["jobs"]["accept"]
    runs = [step["run"] for name, step in _steps(pipeline) if name == "pack" and "run" in step]
    order = [next(at for at, run in enumerate(runs) if word in run) for word in ("build --tree", "seal", "verify")]
    assert order == sorted(order)


def test_what_it_runs_exists(pipeline: dict[str, Any]) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for _, step in _steps(pipeline):
        run = step.get("run", "")
        for target in re.findall(r"\bmake ([a-z]+)\b(?! python)", run):
            if "apt-get" not in run:
                assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
        for path in re.findall(r"\bpackaging[/\\][\w./\\-]+", run):
            assert (ROOT / path.replace("\\", "/")).exists(), path
        for arguments in re.findall(r'make packages ARGS="([^"]*)"', run):
            plain = re.sub(r"\$\([^)]*\)|\$\{[^}]*\}|\$\w+", "x", arguments)
            _parser().parse_args(plain.split())
    assert (ROOT / ".ci" / "run").exists()


def test_its_acceptance_script_takes_what_it_is_given(pipeline: dict[str, Any]) -> None:
    (call,) = (
        line for _, step in _steps(pipeline) for line in step.get("run", "").splitlines() if "acceptance.ps1" in line
    )
    declared = (ROOT / "packaging" / "acceptance.ps1").read_text("utf-8-sig")
    for name in re.findall(r" -([A-Z]\w+)", call):
        assert re.search(rf"\[[\w\[\]]+\]\${name}\b", declared), name


def test_no_secret_is_written_into_a_command(pipeline: dict[str, Any]) -> None:
    """A `${{ secrets... }}` in `run` would stand in the script's file and, on failure, in the log."""
    for _, step in _steps(pipeline):
        assert "secrets." not in step.get("run", "")
        assert "github.event" not in step.get("run", "")
        assert "github.head_ref" not in step.get("run", "")


def test_rights_are_asked_for_where_they_are_needed(pipeline: dict[str, Any]) -> None:
    assert pipeline["permissions"] == {"contents": "read"}
    wider = {name for name, job in pipeline["jobs"].items() if "permissions" in job}
    assert wider == {"publish"}
    guarded = {name for name, job in pipeline["jobs"].items() if "secrets." in str(job)}
    assert all(pipeline["jobs"][name].get("environment") == "release" for name in guarded)
    assert all("timeout-minutes" in job for job in pipeline["jobs"].values())
