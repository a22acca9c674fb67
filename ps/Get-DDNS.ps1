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
    Tells how ddns does, on this machine or on a fleet.

.DESCRIPTION
    Task, last result in words with advice, next run, address, last change, last proof, health. Needs no elevation and
    changes nothing. Ends with 0 when all is well, 1 when something is wrong, 2 when the arguments are.

    With -ComputerName, -Session, machines from the pipeline or a fleet file: one row for each machine, the unreachable
    included. Format-Table -View Wide also shows task state, version and address.

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

.PARAMETER Path
    A fleet file: all its machines.

.PARAMETER Watch
    Show a table that is drawn anew until Ctrl+C.

.PARAMETER IntervalSeconds
    -Watch: how often.

.PARAMETER ReportPath
    Also write the rows to this file: .csv, .json, or .html, a page that needs nothing but itself.

.PARAMETER Detailed
    The whole result of the worker (Ddns.Result) instead of one flat row.

.PARAMETER Drift
    What differs from what was deployed, instead; needs an administrator. Of other machines one result each, with Drift.

.EXAMPLE
    .\Get-DDNS.ps1

    This machine, as a list.

.EXAMPLE
    .\Get-DDNS.ps1 -Drift

    Task, files, rights and settings compared with what was deployed.

.EXAMPLE
    .\Get-DDNS.ps1 -ComputerName (Get-Content .\machines.txt) -ReportPath .\fleet.html

    Many machines, and a page of them.

.EXAMPLE
    Get-ADComputer -Filter * | .\Get-DDNS.ps1 | Where-Object Health -ne 'OK'

    What needs a look.

.EXAMPLE
    .\Get-DDNS.ps1 -Session $session -Drift

    How the machines behind open sessions differ from what was deployed.

.EXAMPLE
    .\Get-DDNS.ps1 -Path .\fleet.psd1 -Watch

    A fleet, live.
#>
[CmdletBinding(PositionalBinding = $false)]
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
    [ValidateRange(1, 86400)][int]$TimeoutSeconds = 120,
    [ValidateRange(0, 10)][int]$Retry = 0,
    [string]$Path,
    [switch]$Watch,
    [ValidateRange(1, 86400)][int]$IntervalSeconds = 30,
    [string]$ReportPath,
    [switch]$Detailed,
    [switch]$Drift
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
    $rows = @()
    $failed = @()
    try {
        $module = Import-DdnsModule
        # What was named is handed on also when it came to nothing: nothing named would mean this machine.
        $arguments = @{} + $PSBoundParameters
        $arguments.Remove('ComputerName')
        if ($named -or $piped) { $arguments['ComputerName'] = $given.ToArray() }
        $command = 'Get-DdnsTask'
        if ($Drift) { $command = 'Test-DdnsTask' }
        elseif ($Path -or $Watch -or $ReportPath) { $command = 'Get-DdnsReport' }
        $arguments.Remove('Drift')
        if ($command -eq 'Get-DdnsReport') { $arguments.Remove('Detailed') }
        & $module.ExportedCommands[$command] @arguments -ErrorAction Continue -ErrorVariable failed | Tee-Object -Variable rows
        # A row has Health, a whole result Outcome, and a row of drift is one thing that is wrong.
        $good = @($rows | Where-Object { $_ } | Where-Object {
                ($_.PSObject.Properties['Health'] -and $_.Health -eq 'OK') -or ($_.PSObject.Properties['Outcome'] -and $_.Outcome -eq 'Ok')
            })
        if ($good.Count -lt @($rows | Where-Object { $_ }).Count) { $code = 1 }
        # What was caught on the way is in the variable, too, as exceptions without a record.
        if (@($failed | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] -and $_.FullyQualifiedErrorId -like "Ddns.*,$command" }).Count) { $code = 1 }
    }
    catch {
        Write-Error -ErrorRecord $_ -ErrorAction Continue
        $code = 2
    }
    exit $code
}
