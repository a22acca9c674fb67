<#
.SYNOPSIS
    The detection script of the Intune app: exit code 0 and a line of output mean installed.

.DESCRIPTION
    Takes no parameters, as Intune gives none; New-DdnsIntunePackage.ps1 writes the version into it. Installed means: this
    version or a later one is current, its program is there, and the task carries our mark. Runs in either bitness.

.EXAMPLE
    powershell.exe -NoProfile -File Detect-DDNS.ps1

    As Intune runs it.
#>
[CmdletBinding()]
param()
$wanted = [version]'0.0.0'
try {
    $base = if ($env:ProgramW6432) { $env:ProgramW6432 } else { $env:ProgramFiles }
    $folder = [IO.Path]::Combine($base, 'DDNS')
    $current = [IO.File]::ReadAllText([IO.Path]::Combine($folder, 'bin', 'current')).Trim()
    if ($current -notmatch '^[0-9]+\.[0-9]+\.[0-9]+$' -or [version]$current -lt $wanted) { exit 1 }
    if (-not [IO.File]::Exists([IO.Path]::Combine($folder, $current, 'app', 'ddns.exe'))) { exit 1 }
    $task = Get-ScheduledTask -TaskPath '\DDNS\' -TaskName 'Update' -ErrorAction Stop
    if ("$($task.Source)" -notmatch '^ddns;') { exit 1 }
    "ddns $current"
    exit 0
} catch {
    exit 1
}
