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
    r"\b(OK|Updated|Unchanged|Installed|Done)\b": "bold green",
    r"(?m)^(PS )?C:\\[\w\\]*>.*$": "bold",
}

DEPLOY = r".\Deploy-DDNS.ps1 -Name home.example.com -Provider cloudflare"
INTUNE = r".\New-DdnsIntunePackage.ps1 -Zip .\ddns-1.4.0-windows-amd64.zip -Sha256 0f3a... -Destination .\app"

WATCH = (
    f"$rows = @(& '{TESTS / 'rows.ps1'}' -Count 20 | ConvertTo-DdnsTaskStatus -Now $now)\n"
    "Format-DdnsScreen -Row $rows -Now $now -IntervalSeconds 30 -Width 118"
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
    draw(name, f"PS C:\\> {prompt}\n\n{said}", width)


def guide(name: str, page: str, words: str, width: int, prompt: str = "") -> None:
    """A block of a guide that holds these words, as a picture: the tests hold such blocks to real runs under Wine."""
    text = (pwsh.ROOT / "docs" / "guides" / f"{page}.md").read_text(encoding="utf-8")
    (block,) = (block for block in re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) if words in block)
    draw(name, f"{prompt}{block.rstrip()}", width)


def draw(name: str, said: str, width: int) -> None:
    """A terminal with this in it."""
    text = Text(said)
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
    screen("fleet-watch", WATCH, r"Get-DdnsReport -Path .\fleet.psd1 -Watch", 120)
    guide("deploy", "getting-started", "Outcome  : Installed", 84, f"PS C:\\ddns> {DEPLOY}\n")
    guide("gpo-log", "gpo", "ended with 0: Installed", 84)
    guide("intune-package", "intune", "InstallCommand", 152, f"PS C:\\work> {INTUNE}\n\n")
    page()
