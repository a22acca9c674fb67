"""Reports: rows merged from task and client, what is wrong in words, and files that foreign text can't break."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ground import NotHere, chromium, not_run, pwsh
from powershell.fleet import HERE, LOAD

NOW = "[DateTime]::new(2026, 11, 22, 20, 0, 0, [DateTimeKind]::Utc)"
ANSWERS = f"& '{HERE / 'rows.ps1'}' -Count 60"
HEALTH = "Add-Member -InputObject $a[0].Status health ([pscustomobject]@{"
#: Text of a machine that means harm: to a spreadsheet, a page, a terminal, a reader.
EVIL = (
    "=cmd|' /C calc'!A0 <script>document.title='owned'</script>"
    "<img src=x onerror=\"document.title='owned'\">\x1b[2J\u202e"
)


def run(shell: pwsh.Shell, script: str) -> pwsh.Ended:
    ended = shell.text(f". '{LOAD}'\n$now = {NOW}\n{script}")
    assert ended.exit == 0, ended
    assert not ended.err, ended.err
    return ended


def rows(shell: pwsh.Shell, change: str = "", count: int = 1) -> list[dict[str, Any]]:
    """Statuses of made-up answers; `change` may alter `$a`, the answers."""
    script = f"$a = @({ANSWERS.replace('60', str(count))})\n{change}\n"
    found = run(
        shell, script + "ConvertTo-Json -InputObject @($a | ConvertTo-DdnsTaskStatus -Now $now) -Depth 3"
    ).json()
    assert isinstance(found, list)
    return found


def export(shell: pwsh.Shell, target: Path, change: str = "") -> Path:
    run(
        shell,
        f"$a = @({ANSWERS})\n{change}\n"
        f"$rows = @($a | ConvertTo-DdnsTaskStatus -Now $now)\n"
        f"Export-DdnsReport -InputObject $rows -Path '{target}' -Title 'DDNS fleet' -Now $now",
    )
    return target


def evil(shell_text: str = EVIL) -> str:
    quoted = "".join(f"[char]{ord(char)}+" for char in shell_text)[:-1]
    return f"$a[0].Status.records[0].address = -join @({quoted.replace('+', ',')})"


def test_a_row_is_flat_and_says_it_all(shell: pwsh.Shell) -> None:
    (row,) = rows(shell)
    assert row["ComputerName"] == "ham-pc01"
    assert (row["Health"], row["Problem"]) == ("OK", "")
    assert (row["Address"], row["Version"], row["State"]) == ("203.0.113.11", "1.4.0", "Ready")
    assert row["LastRunTime"] == "2026-11-22T19:53:00Z"
    assert row["LastProof"] == "2026-11-22T17:50:00Z"
    assert (row["RunsFine"], row["Runs"], row["TriggerDelay"]) == (10, 10, 0)
    assert all(value is None or isinstance(value, str | int | float | bool) for value in row.values())


#: What is changed in an answer, the health that it comes to, and words of the problem.
WRONG = [
    ("$a[0].Task.Enabled = $false", "Warning", "disabled"),
    ("$a[0].Task.DefinitionMatch = $false", "Warning", "changed by hand"),
    ("$a[0].Task.LastRunTime = '2026-11-22T15:00:00Z'", "Warning", "not run for 300 min"),
    ("$a[0].Task = $null", "Failed", "the task is missing"),
    ("$a[0].Status = $null; $a[0].StatusError = 'it is not there'", "Warning", "it is not there"),
    ("$a[0].Status.run.exit = 10", "Failed", "the settings are wrong"),
    ("$a[0].Status.run.exit = 14", "OK", ""),
    (
        "Add-Member -InputObject $a[0].Status retired_at '2026-11-22T19:00:00Z'",
        "Warning",
        "retired since 2026-11-22T19:00",
    ),
    ("$a[0].Status.run.exit = 11; $a[0].Status.last_runs[9].exit = 11", "Warning", "address is not known"),
    ("$a[0].Status.last_runs | % { $_.exit = 11 }; $a[0].Status.run.exit = 11", "Failed", "address is not known"),
    ("$a[0].Status.changes_last_hour = 4", "Warning", "4 changes in the last hour"),
    ("$a[0].Status.changes_last_hour = 3", "OK", ""),
    (
        f"{HEALTH} visibility_delay = 121; interval = 605 }})",
        "Warning",
        "visible in DNS only after 121 s",
    ),
    (
        f"{HEALTH} visibility_delay = 120; interval = 611 }})",
        "Warning",
        "11 s late",
    ),
    ("$a[0].Outcome = 'NotInstalled'; $a[0].Task = $null; $a[0].Status = $null", "NotInstalled", "not installed"),
    ("$a[0].Outcome = 'NeedsElevation'; $a[0].Task = $null", "Warning", "without elevation"),
]


@pytest.fixture(scope="module")
def judged() -> list[dict[str, Any]]:
    """The rows of all cases of WRONG, by one PowerShell."""
    one = ANSWERS.replace("60", "1")
    parts = [f"$a = @({one})\n{change}\n$a | ConvertTo-DdnsTaskStatus -Now $now" for change, _, _ in WRONG]
    try:
        shell = pwsh.linux()
    except NotHere as missing:
        not_run(missing)
    found = run(shell, "$rows = @(\n" + "\n".join(parts) + "\n)\nConvertTo-Json -InputObject $rows -Depth 3").json()
    assert isinstance(found, list)
    assert len(found) == len(WRONG)
    return found


@pytest.mark.parametrize("number", range(len(WRONG)), ids=[change for change, _, _ in WRONG])
def test_what_is_wrong_is_said(judged: list[dict[str, Any]], number: int) -> None:
    row, (_, health, words) = judged[number], WRONG[number]
    assert row["Health"] == health, row
    assert words in row["Problem"]
    assert bool(row["Advice"]) == (health != "OK")


def test_a_gap_of_several_intervals_is_no_delay(shell: pwsh.Shell) -> None:
    (late,) = rows(shell, "$a[0].Status.last_runs[8].started = '2026-11-22T19:42:48Z'")
    assert late["TriggerDelay"] == 12
    (asleep,) = rows(shell, "$a[0].Status.last_runs[8].started = '2026-11-22T08:00:00Z'")
    assert (asleep["TriggerDelay"], asleep["Health"]) == (None, "OK")
    for interval, delay in ((603, 3), (599, 0), (1200, None)):
        (usual,) = rows(shell, f"{HEALTH} visibility_delay = $null; interval = {interval} }})")
        assert (usual["TriggerDelay"], usual["Health"]) == (delay, "OK"), interval


def test_csv_holds_no_formula(shell: pwsh.Shell, tmp_path: Path) -> None:
    path = export(shell, tmp_path / "r.csv", evil())
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    found = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    assert len(found) == 60
    assert found[0]["Address"].startswith("'=cmd|")
    assert found[0]["RunsFine"] == "10"
    assert not [value for row in found for value in row.values() if value and value[0] in "=+-@\t\r"]
    assert not re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", data)


def test_json_is_what_it_was(shell: pwsh.Shell, tmp_path: Path) -> None:
    found = json.loads(export(shell, tmp_path / "r.json", evil()).read_text(encoding="utf-8"))
    assert (found["schema"], len(found["data"])) == (1, 60)
    assert found["data"][0]["Address"] == EVIL


class Page(HTMLParser):
    """Elements and the attributes that could run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.running: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.running += [name for name, _ in attrs if name.startswith("on") or name in ("src", "href", "style")]


def test_the_page_is_itself_and_nothing_else(shell: pwsh.Shell, tmp_path: Path) -> None:
    text = export(shell, tmp_path / "r.html", evil()).read_text(encoding="utf-8")
    page = Page(text)
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert not page.running
    assert "http" not in re.sub(r"http-equiv", "", text)
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e]", text)


def test_the_page_works_in_a_browser(shell: pwsh.Shell, tmp_path: Path) -> None:
    path = export(shell, tmp_path / "r.html", evil())
    try:
        whole = chromium.document(path)
    except NotHere as missing:
        not_run(missing)
    # The policy let our script run (it wrote the count), and nothing else.
    assert "<title>DDNS fleet</title>" in whole
    assert ">60 shown</output>" in whole
    assert re.search(r'<tr data-kind="Failed"[^>]*>', whole)
    some = chromium.document(path, "#kind=Failed")
    assert ">3 shown</output>" in some
    assert len(re.findall(r'<tr data-kind="\w+" hidden', some)) == 57
    assert ">0 shown</output>" in chromium.document(path, "#filter=nobody")
    light, dark = tmp_path / "light.png", tmp_path / "dark.png"
    chromium.picture(path, light, fragment="#theme=light", width=800, height=600)
    chromium.picture(path, dark, fragment="#theme=dark", width=800, height=600)
    assert light.read_bytes()[:8] == dark.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert light.read_bytes() != dark.read_bytes()


def test_another_ending_is_refused(shell: pwsh.Shell, tmp_path: Path) -> None:
    ended = shell.text(f". '{LOAD}'\nExport-DdnsReport -InputObject @() -Path '{tmp_path / 'r.xls'}'")
    assert "ends with .csv, .json or .html" in ended.err
    assert not (tmp_path / "r.xls").exists()


def test_nothing_at_all_is_a_report_too(shell: pwsh.Shell, tmp_path: Path) -> None:
    run(shell, f"'csv', 'json', 'html' | % {{ Export-DdnsReport -InputObject @() -Path \"{tmp_path / 'r.'}$_\" }}")
    assert "0 of 0 well" in (tmp_path / "r.html").read_text()


def test_rows_of_a_file_that_lack_most_of_it_are_a_page_all_the_same(shell: pwsh.Shell, tmp_path: Path) -> None:
    rows = "[pscustomobject]@{ ComputerName = 'pc1'; Health = 'OK'; RunsFine = 3 }"
    run(shell, f"Export-DdnsReport -InputObject @({rows}) -Path '{tmp_path / 'r.html'}'")
    text = (tmp_path / "r.html").read_text()
    assert "1 of 1 well" in text
    assert "pc1" in text


def test_the_live_table_puts_the_worst_first(shell: pwsh.Shell) -> None:
    text = run(
        shell,
        f"$rows = @({ANSWERS} | ConvertTo-DdnsTaskStatus -Now $now)\n"
        "Format-DdnsScreen -Row $rows -Now $now -IntervalSeconds 30",
    ).out
    lines = text.splitlines()
    assert "60 machines: 3 Failed, 3 Unreachable, 1 NotInstalled, 7 Warning, 46 OK" in lines[0]
    kinds = [line[10:22].strip() for line in lines[3:] if not line.startswith(" ")]
    assert kinds == ["Failed"] * 3 + ["Unreachable"] * 3 + ["NotInstalled"] + ["Warning"] * 7 + ["OK"] * 46


@pytest.mark.parametrize(("width", "height"), [(79, 24), (119, 30), (199, 80)])
def test_the_live_table_fits_its_window_and_cuts_no_problem_off(shell: pwsh.Shell, width: int, height: int) -> None:
    text = run(
        shell,
        f"$rows = @({ANSWERS} | ConvertTo-DdnsTaskStatus -Now $now)\n"
        f"Format-DdnsScreen -Row $rows -Now $now -IntervalSeconds 30 -Width {width} -Height {height}",
    ).out
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= height
    whole = " ".join(text.split())
    assert "lab57.dyn.example.com A: bad credentials" in whole
    assert "The machine does not answer: connect to host" in whole
    shown = sum(not line.startswith(" ") for line in lines[3:])
    left = re.fullmatch(r"\.\.\. and (\d+) more, the worst of them (\w+); .*", lines[-1])
    assert (shown - 1 + int(left[1]) if left else shown) == 60
    assert bool(left) == (height < 60)


def shown(shell: pwsh.Shell, width: int, more: str = "", number: int = 60) -> list[str]:
    """What a terminal of a width shows of some machines."""
    return run(
        shell,
        f"Update-FormatData -PrependPath '{pwsh.PS / 'Ddns' / 'Ddns.Format.ps1xml'}'\n"
        f"$rows = @(& '{HERE / 'rows.ps1'}' -Count {number} | ConvertTo-DdnsTaskStatus -Now $now)\n"
        f"$rows {more} | Out-String -Width {width}",
    ).out.splitlines()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_table_says_name_state_and_result_at_every_width(shell: pwsh.Shell, width: int) -> None:
    lines = shown(shell, width)
    assert lines[1].split() == ["Computer", "Health", "Last", "run", "Result"]
    assert max(map(len, lines)) <= width
    blocks = re.split(r"\n(?=\S)", "\n".join(lines[3:]))
    said = {block.split()[0]: "".join(line[38:] for line in block.splitlines()) for block in blocks if block.strip()}
    assert len(said) == 60
    assert said["ham-pc01"] == "every record is right: 203.0.113.11"
    assert said["srv-web19"].startswith("srv-web19.dyn.example.com A: bad credentials; last run: a provider refuses")
    assert said["muc-pc23"] == "the task is disabled; the last run was fine"
    assert max(len(block.splitlines()) for block in blocks) <= 3


def test_one_machine_is_a_list(shell: pwsh.Shell) -> None:
    alone = "| Select-Object -Last 1 | ForEach-Object { $_.PSObject.TypeNames.Insert(0, 'Ddns.MachineStatus'); $_ }"
    text = "\n".join(shown(shell, 80, alone, 19))
    told = {name.strip(): value for name, value in re.findall(r"^(\w[\w ]*?) *: (.*)$", text, re.MULTILINE)}
    assert told["Computer"] == "srv-web19"
    assert told["Problem"] == "srv-web19.dyn.example.com A: bad credentials"
    assert told["What to do"].startswith("Store a valid secret")
    assert told["Task"] == "Ready, as LOCAL SERVICE, every 10 min"
    assert told["Last run"].startswith("2026-11-22 19:57:00 UTC: a provider refuses")
    assert told["Next run"] == "2026-11-22 20:07:00 UTC"
    assert told["Address"] == "203.0.113.29"
    assert told["Runs"] == "6 of the last 10 fine"


def test_rows_of_any_kind_are_watched_as_they_are_given(shell: pwsh.Shell, tmp_path: Path) -> None:
    """No machine is asked for them, and none need have what a report's rows have."""
    a_file = tmp_path / "rows.csv"
    a_file.write_text("ComputerName,Health,RunsFine,Runs\npc2,Warning,9,10\n")
    ended = run(
        shell,
        "function Invoke-DdnsTarget { throw 'a machine is asked' }\n"
        "$rolled = [pscustomobject]@{ ComputerName = 'pc1'; Outcome = 'RolledBack'; Error = 'the ring failed' }\n"
        f"$rows = @($rolled) + @(Import-Csv -LiteralPath '{a_file}')\n"
        "Get-DdnsReport -InputObject $rows -Watch -Count 1 6>&1",
    )
    assert "2 machines: 1 RolledBack, 1 Warning" in ended.out
    assert re.search(r"pc1 +RolledBack +- +- +the ring failed", ended.out), ended.out
    assert re.search(r"pc2 +Warning +- +9/10", ended.out), ended.out


def test_a_page_of_a_file_that_somebody_altered_is_made(shell: pwsh.Shell, tmp_path: Path) -> None:
    a_file = tmp_path / "rows.csv"
    a_file.write_text("ComputerName,Outcome,Seconds,RunsFine,Runs\npc1,Updated,much,12,10\npc2,Failed,,all,few\n")
    run(shell, f"Export-DdnsReport -InputObject @(Import-Csv -LiteralPath '{a_file}') -Path '{tmp_path}/page.html'")
    page = (tmp_path / "page.html").read_text()
    assert 'data-sort="pc1"' in page
    assert 'data-sort="pc2"' in page
