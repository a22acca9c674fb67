"""Draws the PowerShell screens of docs/pictures, and the report page, with made-up data.

Run: ``PYTHONPATH=src:packaging:tests python packaging/powershell/pictures.py``. The tables are what the commands print.
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ground import chromium, pwsh

PICTURES = pwsh.ROOT / "docs" / "pictures"
TESTS = pwsh.ROOT / "tests" / "powershell"
NOW = "[DateTime]::new(2026, 11, 22, 20, 0, 0, [DateTimeKind]::Utc)"
FORMAT = pwsh.PS / "Ddns" / "Ddns.Fleet.Format.ps1xml"
LOAD = f". '{TESTS / 'load.ps1'}'; $now = {NOW}; Update-FormatData -AppendPath '{FORMAT}'\n"
_COLOURS = {
    r"\b(Failed|Unreachable|RolledBack)\b": "bold red",
    r"\b(Warning|NotReached|NotInstalled|WouldUpdate|WouldInstall)\b": "bold yellow",
    r"\b(OK|Updated|Unchanged|Installed)\b": "bold green",
    r"(?m)^PS C:\\>.*$": "bold",
}

WATCH = (
    f"$rows = @(& '{TESTS / 'rows.ps1'}' -Count 20 | ConvertTo-DdnsTaskStatus -Now $now)\n"
    "Format-DdnsScreen -Row $rows -Now $now -IntervalSeconds 30"
)

SYNC = """
function Row($name, $ring, $outcome, $seconds, $code = '', $message = '', $version = '1.4.0', $before = '1.3.2') {
    $failed = if ($code) { [pscustomobject]@{ Code = $code; Message = $message; Advice = '' } }
    [pscustomobject]@{ ComputerName = $name; Ring = $ring; Group = 'pcs'; Outcome = $outcome; Changed = $true
        Version = $version; PreviousVersion = $before; Steps = @(); Drift = @(); Error = $failed
        Attempts = 1; FromJournal = $false
        Milliseconds = 1000 * $seconds; StartedAt = ''; Operation = 'Install' } | ConvertTo-DdnsFleetResult
}
@(
    Row 'lab02' 'canary' 'Updated' 14.2
    Row 'lab07' 'canary' 'Updated' 13.8
    Row 'srv-web04' 'early' 'Updated' 15.1
    Row 'srv-web09' 'early' 'Unchanged' 1.4
    Row 'ber-pc05' 'all' 'Updated' 16.0
    Row 'ber-pc10' 'all' 'Unreachable' 30.1 'Unreachable' 'The machine does not answer' '' ''
    Row 'ham-pc01' 'all' 'Updated' 14.9
    Row 'ham-pc06' 'all' 'Failed' 4.2 'DiskFull' 'There is no space for the package' '1.3.2' '1.3.2'
) | Format-Table | Out-String -Width 120
"""


def screen(name: str, script: str, prompt: str, width: int) -> None:
    """One terminal picture."""
    ended = pwsh.linux().text(LOAD + script)
    if ended.exit or ended.err:
        raise RuntimeError(ended.err or ended.out)
    said = "\n".join(line for line in ended.out.strip("\n").splitlines() if line.strip() or name == "fleet-watch")
    text = Text(f"PS C:\\> {prompt}\n\n{said}")
    for pattern, style in _COLOURS.items():
        text.highlight_regex(pattern, style)
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(text, soft_wrap=True, crop=True)
    svg = console.export_svg(title="Windows PowerShell", unique_id=name)
    # The fonts would be fetched from the network by whoever looks at it.
    (PICTURES / f"{name}.svg").write_text(re.sub(r"@font-face \{.*?\}\n?", "", svg, flags=re.DOTALL), encoding="utf-8")


def page() -> None:
    """The report in a browser, light and dark."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "fleet.html")
        ended = pwsh.linux().text(
            f"{LOAD}$rows = @(& '{TESTS / 'rows.ps1'}' -Count 60 | ConvertTo-DdnsTaskStatus -Now $now)\n"
            f"Export-DdnsReport -InputObject $rows -Path '{target}' -Title 'DDNS fleet' -Now $now"
        )
        if ended.exit or ended.err:
            raise RuntimeError(ended.err)
        for theme in ("light", "dark"):
            chromium.picture(target, PICTURES / f"report-{theme}.png", fragment=f"#theme={theme}", height=900)


if __name__ == "__main__":
    screen("fleet-sync", SYNC, r"Sync-DdnsFleet -Path .\fleet.psd1", 112)
    screen("fleet-watch", WATCH, r"Get-DdnsReport -Path .\fleet.psd1 -Watch", 158)
    page()
