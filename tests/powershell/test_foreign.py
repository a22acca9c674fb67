"""What others wrote is read leniently: whatever a status.json or a journal holds, the machine has its row.

The module itself is strict: a property that is not there is an error. So each place of an answer is left out once, and
filled with each kind of value that does not belong there.
"""

from __future__ import annotations

import copy
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ground import pwsh
from powershell.fleet import LOAD

RUN = {"started": "2026-11-22T19:53:00Z", "ended": "2026-11-22T19:53:02Z", "exit": 0, "full": False, "changed": 0}
ANSWER: dict[str, Any] = {
    "Computer": "pc1",
    "ComputerName": "pc1",
    "Outcome": "Ok",
    "Version": "1.4.0",
    "Mode": "Task",
    "StatusError": "",
    "Error": {"Code": "Busy", "Message": "another deployment is at work", "Advice": "Wait."},
    "Task": {
        "State": "Ready",
        "Enabled": True,
        "LastRunTime": "2026-11-22T19:53:00Z",
        "LastResult": 0,
        "LastResultHex": "0x0",
        "Meaning": "finished",
        "Advice": "",
        "Severity": "Ok",
        "NextRunTime": "2026-11-22T20:03:00Z",
        "MissedRuns": 0,
        "Account": "LOCAL SERVICE",
        "IntervalMinutes": 10,
        "DefinitionMatch": True,
    },
    "Status": {
        "run": RUN,
        "last_runs": [RUN, RUN],
        "records": [
            {
                "name": "pc1.example.com",
                "type": "A",
                "address": "203.0.113.7",
                "since": "2026-11-20T10:00:00Z",
                "proven_at": "2026-11-22T18:00:00Z",
                "outcome": "failed",
                "error": {"code": "provider.refused", "advice": "Look."},
            }
        ],
        "changes_last_hour": 0,
        "paused_until": None,
        "retired_at": None,
        "health": {"visibility_delay": 3, "interval": 600},
    },
}
OTHERS: tuple[Any, ...] = (None, "", "text", -1, 1.5, 1e300, True, [], [[]], ["a", None, {}], {}, {"a": {"b": 1}})
Where = tuple[str | int, ...]


def places(value: Any, at: Where = ()) -> Iterator[Where]:
    """Every place in a value but its root."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*at, key)
        yield from places(inner, (*at, key))


def put(where: Where, value: Any = ..., without_error: bool = False) -> Any:
    """The answer with another value in one place, or without it."""
    answer = copy.deepcopy(ANSWER)
    inner: Any = answer
    for key in where[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[where[-1]]
    else:
        inner[where[-1]] = value
    if without_error:
        answer["Error"] = None
    return answer


def answers() -> list[Any]:
    found: list[Any] = []
    for where in places(ANSWER):
        about_error = where[0] == "Error"
        found += [put(where, without_error=not about_error)]
        found += [put(where, value, not about_error) for value in OTHERS]
    return found


READ = """
$given = [IO.File]::ReadAllText('{file}') | ConvertFrom-Json
$now = [DateTime]::new(2026, 11, 22, 20, 0, 0, [DateTimeKind]::Utc)
$rows = @(foreach ($one in $given) {{ $one | ConvertTo-DdnsTaskStatus -Now $now }})
foreach ($kind in 'csv', 'json', 'html') {{ Export-DdnsReport -InputObject $rows -Path "{target}.$kind" }}
"""


def test_every_machine_has_its_row_whatever_its_status_holds(shell: pwsh.Shell, tmp_path: Path) -> None:
    given = answers()
    assert len(given) > 500
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(given))
    ended = shell.text(f". '{LOAD}'\n" + READ.format(file=file, target=tmp_path / "report"))
    assert (ended.exit, ended.err) == (0, "")
    rows = json.loads((tmp_path / "report.json").read_text())["data"]
    assert len(rows) == len(given)
    assert all(value is None or isinstance(value, str | int | float | bool) for row in rows for value in row.values())
    assert {row["Health"] for row in rows} == {"OK", "Failed", "Warning"}
    assert all(bool(row["Problem"]) == (row["Health"] != "OK") for row in rows)
    assert len(list(csv.DictReader((tmp_path / "report.csv").read_text("utf-8-sig").splitlines()))) == len(given)
    assert (tmp_path / "report.html").read_text().count("<tr data-kind") == len(given)


@pytest.mark.parametrize(
    ("change", "property_", "value"),
    [
        ({"records": None}, "Names", ""),
        ({"records": {"name": "a.example.com", "type": "A"}}, "Names", "a.example.com A"),
        ({"run": {"exit": "10"}}, "Health", "OK"),
        ({"run": {"exit": 10}}, "Health", "Failed"),
        ({"last_runs": [5, None, {"exit": 0}, "no"]}, "Runs", 1),
        ({"health": []}, "VisibilityDelay", None),
        ({"paused_until": 5}, "PausedUntil", ""),
    ],
)
def test_what_is_of_the_right_kind_is_kept(
    shell: pwsh.Shell, tmp_path: Path, change: dict[str, Any], property_: str, value: Any
) -> None:
    answer = copy.deepcopy(ANSWER) | {"Error": None}
    answer["Status"] = {"records": [], "run": RUN} | change
    file = tmp_path / "answers.json"
    file.write_text(json.dumps([answer]))
    shell_ended = shell.text(f". '{LOAD}'\n" + READ.format(file=file, target=tmp_path / "report"))
    assert not shell_ended.err, shell_ended.err
    (row,) = json.loads((tmp_path / "report.json").read_text())["data"]
    assert row[property_] == value


JOURNAL = """
$known = Read-DdnsJournal -Path '{file}' -MaxAgeHours 24
$request = @{{ Operation = 'Install' }}
$entry = [pscustomobject]@{{ request = Get-DdnsRequestHash -Request $request; result = 'no XML' }}
$broken = Get-DdnsJournalResult -Journal @{{ Known = @{{ pc1 = $entry }} }} -Computer pc1 -Request $request
$entry.result = [System.Management.Automation.PSSerializer]::Serialize([pscustomobject]@{{ Outcome = 'Updated' }})
$old = Get-DdnsJournalResult -Journal @{{ Known = @{{ pc1 = $entry }} }} -Computer pc1 -Request $request
ConvertTo-Json -InputObject @{{ known = @($known.Keys); broken = $broken; old = ($old | ConvertTo-DdnsFleetResult) }}
"""


def test_a_journal_is_read_as_far_as_it_can_be(shell: pwsh.Shell, tmp_path: Path) -> None:
    """Also one that an earlier version began: its results lack what results have now."""
    file = tmp_path / "journal"
    lines = ["", "5", "null", "[]", '"done"', "{", '{"kind":"done"}', '{"kind":"undone"}', '{"kind":{}}', '{"a":1}']
    file.write_text("\n".join([*lines, '{"kind":"done","computer":"pc1","request":"a","result":"b"}', *lines]))
    ended = shell.text(f". '{LOAD}'\n" + JOURNAL.format(file=file))
    assert not ended.err, ended.err
    found = ended.json()
    assert isinstance(found, dict)
    assert (found["known"], found["broken"]) == (["pc1"], None)
    assert (found["old"]["Outcome"], found["old"]["ErrorCode"], found["old"]["FromJournal"]) == ("Updated", "", True)


STRICT = (
    *("ps/Ddns/Ddns.psm1", "ps/Ddns/Worker/Worker.ps1", "tests/powershell/load.ps1", "ps/gpo/Start-DDNS.ps1"),
    *("ps/Deploy-DDNS.ps1", "ps/Get-DDNS.ps1", "ps/Uninstall-DDNS.ps1", "ps/intune/Install-DDNS.ps1"),
)


@pytest.mark.parametrize("name", STRICT)
def test_all_of_it_is_strict(name: str) -> None:
    text = (pwsh.ROOT / name).read_text()
    assert re.findall(r"^ *Set-StrictMode -Version (\w+)", text, re.MULTILINE) == ["3"]


def test_an_inventory_with_a_machine_of_which_nothing_is_told(shell: pwsh.Shell, tmp_path: Path) -> None:
    file = tmp_path / "inventory.json"
    file.write_text(json.dumps({"machines": {"pc1": None, "pc2": {"version": "1.0.0"}}}))
    ended = shell.text(f". '{LOAD}'\n(Read-DdnsInventory -Path '{file}').Machines.Keys")
    assert (ended.out.split(), ended.err) == (["pc2"], ""), ended


def test_a_signed_seal_of_no_list_vouches_for_nothing(shell: pwsh.Shell, tmp_path: Path) -> None:
    """The publisher may have signed another data file than that of a release."""
    (tmp_path / "SHA256SUMS").write_text("")
    (tmp_path / "SHA256SUMS.psd1").write_text("@{ Other = 1 }")
    ended = shell.text(
        f". '{LOAD}'\n"
        "function Get-AuthenticodeSignature {\n"
        "  [pscustomobject]@{ Status = 'Valid'; SignerCertificate = @{ Subject = 'CN=Us' } }\n"
        "}\n"
        f"try {{ Assert-DdnsSeal -Run @{{ Request = @{{ Publisher = 'CN=Us' }} }} -Folder '{tmp_path}' }}\n"
        "catch { (ConvertTo-DdnsFault -Record $_).Code }"
    )
    assert (ended.out.split(), ended.err) == (["PackageHash"], ""), ended
