<#PSScriptInfo
.VERSION 0.1.0
.GUID b52f7a20-5f0a-4d0c-9d5e-0a5f2c7f3c43
.AUTHOR ddns-fleet authors
.COMPANYNAME ddns-fleet authors
.COPYRIGHT (c) ddns-fleet authors. Apache-2.0.
.TAGS DNS DDNS DynamicDNS ScheduledTask Windows
.LICENSEURI https://ddns-fleet.example/licence
.PROJECTURI https://ddns-fleet.example
#>

<#
.SYNOPSIS
    Takes ddns off this machine.

.DESCRIPTION
    That nothing is there is success. Settings, secrets, state and logs stay unless -RemoveData is given; the record in DNS
    stays unless -RemoveRecord is given. Ends with 0, with 1 when something failed, with 2 when the arguments are wrong.

.PARAMETER RemoveData
    Also remove settings, secrets, state and logs.

.PARAMETER RemoveRecord
    First remove the records that this machine owns, and revoke its key at the gateway. When the provider or the
    gateway can't be reached, that is said, and Tombstone tells what is left to do there; a later run of
    Sync-DdnsFleet does it.

.EXAMPLE
    .\Uninstall-DDNS.ps1

    The program goes, the data stay.

.EXAMPLE
    .\Uninstall-DDNS.ps1 -RemoveRecord -RemoveData -Confirm:$false

    Nothing of it is left, here or in DNS.
#>
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
param(
    [switch]$RemoveData,
    [switch]$RemoveRecord
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
    $results = @(Uninstall-Ddns @PSBoundParameters -ErrorAction Continue)
    $results
    if (@($results | Where-Object { $_.Outcome -in 'Failed', 'Unreachable' }).Count) { $code = 1 }
}
catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    $code = 2
}
exit $code
