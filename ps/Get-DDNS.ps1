<#PSScriptInfo
.VERSION 0.1.0
.GUID 7d1c5d4e-93f2-4f0f-9f57-8c1a6c1f2b32
.AUTHOR ddns-fleet authors
.COMPANYNAME ddns-fleet authors
.COPYRIGHT (c) ddns-fleet authors. Apache-2.0.
.TAGS DNS DDNS DynamicDNS ScheduledTask Windows
.LICENSEURI https://ddns-fleet.example/licence
.PROJECTURI https://ddns-fleet.example
#>

<#
.SYNOPSIS
    Tells how ddns on this machine does.

.DESCRIPTION
    Task, last result in words with advice, next run, address, last change, last proof, health. Needs no elevation and
    changes nothing. Ends with 0 when all is well, 1 when something is wrong, 2 when the arguments are.

.PARAMETER Detailed
    The whole result instead of one row.

.PARAMETER Drift
    What differs from what was deployed, instead; needs an administrator.

.EXAMPLE
    .\Get-DDNS.ps1

    One row.

.EXAMPLE
    .\Get-DDNS.ps1 -Drift

    Task, files, rights and settings compared with what was deployed.
#>
[CmdletBinding()]
param(
    [switch]$Detailed,
    [switch]$Drift
)
$ErrorActionPreference = 'Stop'

function Import-DdnsModule {
    # What is loaded already; what lies beside this script; what is installed on this machine, where only administrators may write.
    if (Get-Module -Name Ddns) { return }
    $found = Join-Path -Path $PSScriptRoot -ChildPath 'Ddns/Ddns.psd1'
    if (-not [System.IO.File]::Exists($found)) {
        $programs = $env:ProgramW6432
        if (-not $programs) { $programs = [System.Environment]::GetFolderPath('ProgramFiles') }
        $programs = [System.IO.Path]::Combine($programs, 'DDNS')
        $current = [System.IO.Path]::Combine($programs, 'bin', 'current')
        $version = 'msi'
        if ([System.IO.File]::Exists($current)) { $version = [System.IO.File]::ReadAllText($current).Trim() }
        $found = [System.IO.Path]::Combine($programs, $version, 'ps', 'Ddns', 'Ddns.psd1')
    }
    if (-not [System.IO.File]::Exists($found)) { throw 'The module Ddns is not here: ddns is not installed, and there is no folder Ddns beside this script.' }
    Import-Module -Name $found -Verbose:$false
}

$code = 0
try {
    Import-DdnsModule
    if ($Drift) {
        $rows = @(Test-DdnsTask -ErrorAction Continue -ErrorVariable failed)
        $rows
        if ($rows.Count -gt 0 -or $failed.Count -gt 0) { $code = 1 }
    }
    else {
        $rows = @(Get-DdnsTask -Detailed:$Detailed -ErrorAction Continue)
        $rows
        if (-not $Detailed -and @($rows | Where-Object { $_.Health -ne 'OK' }).Count) { $code = 1 }
    }
}
catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    $code = 2
}
exit $code
