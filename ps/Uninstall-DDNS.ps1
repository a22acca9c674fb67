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
    Takes ddns off this machine, or off others.

.DESCRIPTION
    That nothing is there is success. Settings, secrets, state and logs stay unless -RemoveData is given; the record in DNS
    stays unless -RemoveRecord is. Ends with 0, with 1 when something failed, with 2 when the arguments are wrong.

    With -ComputerName, -Session or machines from the pipeline: off those, each with exactly one result, Unreachable included.
    The same call, made again, does only what is left.

.PARAMETER ComputerName
    The machines: names (also user@host:port), computer objects of Active Directory, rows of a CSV with ComputerName,
    lines of a text file; from the pipeline, too. Without machines and sessions: this one.

.PARAMETER Session
    Open sessions of any kind: Windows Remote Management, SSH, PowerShell Direct.

.PARAMETER Credential
    An administrator of the machines, for Windows Remote Management.

.PARAMETER Transport
    WinRM or SSH.

.PARAMETER UserName
    SSH: the account there.

.PARAMETER KeyFilePath
    SSH: the private key.

.PARAMETER SshOption
    SSH: further options of ssh, such as @{ UserKnownHostsFile = 'C:\fleet\known_hosts' }.

.PARAMETER Port
    Another port than the usual one.

.PARAMETER UseSSL
    Windows Remote Management over HTTPS.

.PARAMETER SkipNameCheck
    Do not check that a machine calls itself what it was asked for as.

.PARAMETER ThrottleLimit
    How many machines at once.

.PARAMETER TimeoutSeconds
    How long one attempt on one machine may take.

.PARAMETER Retry
    How often a machine is tried again when the network or another deployment was in the way.

.PARAMETER JournalPath
    The file that remembers which machines are done. Default: one for each kind of call, in the local application
    data of the user. The same call, made again, does only what is left.

.PARAMETER Fresh
    Begin anew: visit also the machines that an unfinished call has done.

.PARAMETER RemoveData
    Also remove settings, secrets, state and logs.

.PARAMETER RemoveRecord
    Also take the records that the machine owns out of DNS, and give its key back at the gateway, before its files go. What
    somebody else changed stays. What can't be reached is told (GatewayUnreachable): program, settings and key then stay,
    and the same call, or Sync-DdnsFleet, does the rest later. -WhatIf shows which records these are.

.EXAMPLE
    .\Uninstall-DDNS.ps1

    The program goes, the data stay.

.EXAMPLE
    .\Uninstall-DDNS.ps1 -RemoveData -Confirm:$false

    Nothing of it is left here. The record in DNS stands.

.EXAMPLE
    Get-Content .\old.txt | .\Uninstall-DDNS.ps1 -RemoveData -Confirm:$false

    Off all machines of a list.

.EXAMPLE
    .\Uninstall-DDNS.ps1 -RemoveRecord -RemoveData

    Nothing of it is left, here or in DNS.

.EXAMPLE
    .\Uninstall-DDNS.ps1 -Session $session -WhatIf

    What would go from the machines behind open sessions.
#>
[CmdletBinding(PositionalBinding = $false, SupportsShouldProcess, ConfirmImpact = 'High')]
param(
    [Parameter(Position = 0, ValueFromPipeline)]
    [Alias('CN', 'InputObject')]
    [AllowNull()]
    [object[]]$ComputerName,
    [System.Management.Automation.Runspaces.PSSession[]]$Session,
    [pscredential]$Credential,
    [ValidateSet('WinRM', 'SSH')][string]$Transport = 'WinRM',
    [string]$UserName,
    [string]$KeyFilePath,
    [hashtable]$SshOption,
    [ValidateRange(1, 65535)][int]$Port,
    [switch]$UseSSL,
    [switch]$SkipNameCheck,
    [ValidateRange(1, 512)][int]$ThrottleLimit = 32,
    [ValidateRange(1, 86400)][int]$TimeoutSeconds = 900,
    [ValidateRange(0, 10)][int]$Retry = 2,
    [string]$JournalPath,
    [switch]$Fresh,
    [switch]$RemoveData,
    [switch]$RemoveRecord
)
begin {
    # Before anything else: in constrained language most of what follows fails with words that say nothing.
    if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
        Write-Error -Message "PowerShell runs in $($ExecutionContext.SessionState.LanguageMode) mode on this machine: have a policy trust the certificate that signed the scripts, or deploy with the MSI." -ErrorId 'Ddns.LanguageMode' -ErrorAction Continue
        exit 2
    }
    $ErrorActionPreference = 'Stop'
    # Its own, whatever its caller's session has.
    Set-StrictMode -Version 3

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
    $given = New-Object -TypeName 'System.Collections.Generic.List[object]'
    $named = $PSBoundParameters.ContainsKey('ComputerName')
    # What stands on the standard input of powershell -File comes through the pipeline, too. It may be a token: no machines are taken from it.
    $piped = $MyInvocation.ExpectingInput -and -not ($MyInvocation.Line -eq '' -and [Console]::IsInputRedirected)
}
process {
    if ($named -or $piped) { foreach ($item in $ComputerName) { $given.Add($item) } }
}
end {
    $code = 0
    $results = @()
    try {
        $module = Import-DdnsModule
        # What was named is handed on also when it came to nothing: nothing named would mean this machine.
        $arguments = @{} + $PSBoundParameters
        $arguments.Remove('ComputerName')
        if ($named -or $piped) { $arguments['ComputerName'] = $given.ToArray() }
        & $module.ExportedCommands['Uninstall-Ddns'] @arguments -ErrorAction Continue | Tee-Object -Variable results
        if (@($results | Where-Object { $_ -and $_.Outcome -in 'Failed', 'Unreachable' }).Count) { $code = 1 }
    }
    catch {
        Write-Error -ErrorRecord $_ -ErrorAction Continue
        $code = 2
    }
    exit $code
}
