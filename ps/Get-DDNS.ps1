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
# Before anything else: in constrained language most of what follows fails with words that say nothing.
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
    Write-Error -Message "PowerShell runs in $($ExecutionContext.SessionState.LanguageMode) mode on this machine: have a policy trust the certificate that signed the scripts, or deploy with the MSI." -ErrorId 'Ddns.LanguageMode' -ErrorAction Continue
    exit 2
}
$ErrorActionPreference = 'Stop'

function Find-DdnsInstalledModule {
    # The module of the version that is installed, where only administrators may write; '' when there is none.
    $programs = $env:ProgramW6432
    if (-not $programs) { $programs = [System.Environment]::GetFolderPath('ProgramFiles') }
    if (-not $programs) { return '' }
    $programs = [System.IO.Path]::Combine($programs, 'DDNS')
    $current = [System.IO.Path]::Combine($programs, 'bin', 'current')
    $version = 'msi'
    if ([System.IO.File]::Exists($current)) { $version = [System.IO.File]::ReadAllText($current).Trim() }
    if ($version -notmatch '^(msi|\d+\.\d+\.\d+)$') { return '' }
    $found = [System.IO.Path]::Combine($programs, $version, 'ps', 'Ddns', 'Ddns.psd1')
    if ([System.IO.File]::Exists($found)) { return $found }
    ''
}

function Import-DdnsModule {
    # The installed module, before any other. Where none is installed: one that was loaded before, by whoever called this; and, unless
    # this runs as an administrator, one that lies beside this script. Returns it: its commands are called by it.
    $path = Find-DdnsInstalledModule
    if (-not $path) {
        $loaded = Get-Module -Name Ddns | Where-Object { [System.IO.Directory]::Exists($_.ModuleBase) } | Select-Object -First 1
        if ($loaded) { return $loaded }
        $path = Join-Path -Path $PSScriptRoot -ChildPath 'Ddns/Ddns.psd1'
        if ((Test-DdnsAdministrator) -or -not [System.IO.File]::Exists($path)) {
            throw 'ddns is not installed for this machine. Where its files are left over, deploy it again first, or import its module: Import-Module .\Ddns.'
        }
    }
    Import-Module -Name $path -Scope Local -PassThru -DisableNameChecking -Verbose:$false
}

function Test-DdnsAdministrator {
    if ([System.IO.Path]::DirectorySeparatorChar -ne '\') { return $false }
    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    (New-Object -TypeName System.Security.Principal.WindowsPrincipal -ArgumentList $identity).IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
}

$code = 0
try {
    $module = Import-DdnsModule
    if ($Drift) {
        $rows = @(& $module.ExportedCommands['Test-DdnsTask'] -ErrorAction Continue -ErrorVariable failed)
        $rows
        if ($rows.Count -gt 0 -or $failed.Count -gt 0) { $code = 1 }
    }
    else {
        $rows = @(& $module.ExportedCommands['Get-DdnsTask'] -Detailed:$Detailed -ErrorAction Continue)
        $rows
        if (-not $Detailed -and @($rows | Where-Object { $_.Health -ne 'OK' }).Count) { $code = 1 }
    }
}
catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    $code = 2
}
exit $code
