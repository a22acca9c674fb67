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
    stays. Ends with 0, with 1 when something failed, with 2 when the arguments are wrong.

.PARAMETER RemoveData
    Also remove settings, secrets, state and logs.

.PARAMETER RemoveRecord
    Not yet possible: the call is refused (code NotYet), and nothing is changed. Remove the record at the provider,
    or at the gateway: ddns gateway revoke NAME --remove-records.

.EXAMPLE
    .\Uninstall-DDNS.ps1

    The program goes, the data stay.

.EXAMPLE
    .\Uninstall-DDNS.ps1 -RemoveData -Confirm:$false

    Nothing of it is left here. The record in DNS stands.
#>
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
param(
    [switch]$RemoveData,
    [switch]$RemoveRecord
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
    $results = @(& $module.ExportedCommands['Uninstall-Ddns'] @PSBoundParameters -ErrorAction Continue)
    $results
    if (@($results | Where-Object { $_.Outcome -in 'Failed', 'Unreachable' }).Count) { $code = 1 }
}
catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    $code = 2
}
exit $code
