<#
.SYNOPSIS
    The install command of the Intune package: deploys ddns as Package.psd1 beside it says.

.DESCRIPTION
    The management agent is a 32-bit process; this script starts itself again in the 64-bit PowerShell. Return codes are
    those of the package: 0 done, 1 failed, 1618 another deployment is at work (Intune tries again).

.EXAMPLE
    powershell.exe -NoProfile -File Install-DDNS.ps1

    The install command of the app.
#>
[CmdletBinding()]
param()
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 3

if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    & "$env:SystemRoot\sysnative\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -File $PSCommandPath
    exit $LASTEXITCODE
}
try {
    $said = Import-PowerShellDataFile -LiteralPath (Join-Path -Path $PSScriptRoot -ChildPath 'Package.psd1')
    $call = @{ Confirm = $false }
    foreach ($key in 'Sha256', 'Version', 'Publisher', 'Gateway', 'Interval') {
        if ($said[$key]) { $call[$key] = $said[$key] }
    }
    foreach ($key in 'Package', 'ConfigPath') {
        if ($said[$key]) { $call[$key] = Join-Path -Path $PSScriptRoot -ChildPath $said[$key] }
    }
    $results = @(& (Join-Path -Path $PSScriptRoot -ChildPath 'Deploy-DDNS.ps1') @call)
    $code = $LASTEXITCODE
    $busy = @($results | Where-Object { $_.Error -and $_.Error.Code -in 'Busy', 'InUse' }).Count
    if ($code -ne 0 -and $busy) { $code = 1618 }
    exit $code
} catch {
    [Console]::Error.WriteLine("ddns was not deployed: $($_.Exception.Message)")
    exit 1
}
