<#
.SYNOPSIS
    Start-up script for Group Policy: deploys ddns, and is done in a moment when nothing has changed.

.DESCRIPTION
    Lies in the Group Policy object itself, beside Deploy-DDNS.ps1, so that whoever can change the share can't change what
    runs. The release zip comes from the share and counts only with the SHA-256, and the publisher, that are pinned here.

    When the last deployment was of the same pins, less than -RefreshHours ago, and its program is in place, nothing is
    asked of the share. Else everything is compared, and put right. Ends with 0 when all is as it should be, 1 when not;
    the reason is a line in %ProgramFiles%\DDNS\gpo.log.

.PARAMETER Share
    The folder of the release zips, such as \\files.example.com\ddns$.

.PARAMETER Version
    The version to deploy.

.PARAMETER Sha256
    The SHA-256 of its zip: one for each architecture, such as amd64=<64 digits>. One without a name is for amd64.

.PARAMETER Publisher
    The subject of the certificate that must have signed the programs in it.

.PARAMETER ConfigPath
    A settings file (TOML) that every machine gets; without it, settings come from ADMX policy and enrolment.

.PARAMETER Gateway
    The URL of the fleet's gateway, for machines that are enrolled there: what enrolment wrote into the settings then stays.

.PARAMETER Interval
    How often the client looks, such as 10m.

.PARAMETER RefreshHours
    After how many hours everything is compared although nothing has changed.

.EXAMPLE
    Start-DDNS.ps1 -Share \\files.example.com\ddns$ -Version 1.4.0 -Sha256 amd64=0f3a... -Publisher 'CN=Example Ltd'

    The parameters as they stand in the Group Policy object.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)]
    [ValidatePattern('^(\\\\[^\\/]+\\|[A-Za-z]:\\|/)')]
    [string] $Share,

    [Parameter(Mandatory)]
    [ValidatePattern('^[0-9]+\.[0-9]+\.[0-9]+$')]
    [string] $Version,

    [Parameter(Mandatory)]
    [ValidatePattern('^((amd64|x86|arm64)=)?[0-9A-Fa-f]{64}$')]
    [string[]] $Sha256,

    [string] $Publisher = '',

    [string] $ConfigPath = '',

    [string] $Gateway = '',

    [string] $Interval = '10m',

    [ValidateRange(0, 8760)]
    [int] $RefreshHours = 24
)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 3

function Get-DdnsProgramFolder {
    $base = if ($env:ProgramW6432) { $env:ProgramW6432 } else { $env:ProgramFiles }
    [IO.Path]::Combine($base, 'DDNS')
}

function Get-DdnsArchitecture {
    $names = "$env:PROCESSOR_ARCHITEW6432 $env:PROCESSOR_ARCHITECTURE"
    if ($names -match 'ARM64') { return 'arm64' }
    if ($names -match 'AMD64') { return 'amd64' }
    'x86'
}

function Get-DdnsPin {
    # The hash for this architecture; a pin without a name is for amd64.
    param([string[]] $Pin, [string] $Architecture)
    foreach ($one in $Pin) {
        $name, $hash = if ($one.Contains('=')) { $one.Split('=') } else { 'amd64', $one }
        if ($name -eq $Architecture) { return $hash.ToLowerInvariant() }
    }
    throw "No SHA-256 is pinned for $Architecture."
}

function Test-DdnsUnchanged {
    # Whether the last deployment was of these pins, is young enough, and what it put there still is.
    param([string] $Folder, [string] $Mark, [int] $Hours)
    $file = [IO.Path]::Combine($Folder, 'gpo.mark')
    $current = [IO.Path]::Combine($Folder, 'bin', 'current')
    if (-not [IO.File]::Exists($file) -or -not [IO.File]::Exists($current)) { return $false }
    if (([DateTime]::UtcNow - [IO.File]::GetLastWriteTimeUtc($file)).TotalHours -ge $Hours) { return $false }
    if ([IO.File]::ReadAllText($file) -ne $Mark) { return $false }
    $version = [IO.File]::ReadAllText($current).Trim()
    $version -match '^[0-9.]+$' -and [IO.File]::Exists([IO.Path]::Combine($Folder, $version, 'app', 'ddns.exe'))
}

function Write-DdnsLog {
    # In the program's folder, where only administrators write: a link planted elsewhere would lead this account astray.
    param([string] $Folder, [string] $Text)
    # In every culture the same: some have another calendar.
    $now = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture)
    $line = '{0} {1}{2}' -f $now, ($Text -replace '[\x00-\x1F\x7F]+', ' '), [Environment]::NewLine
    $path = [IO.Path]::Combine($Folder, 'gpo.log')
    if ([IO.File]::Exists($path) -and ([IO.FileInfo]$path).Length -gt 100000) { [IO.File]::Delete($path) }
    [IO.File]::AppendAllText($path, $line)
}

$folder = Get-DdnsProgramFolder
try {
    $architecture = Get-DdnsArchitecture
    $hash = Get-DdnsPin -Pin $Sha256 -Architecture $architecture
    $mark = "1`n$Version`n$hash`n$Publisher`n$ConfigPath`n$Gateway`n$Interval`n"
    if (Test-DdnsUnchanged -Folder $folder -Mark $mark -Hours $RefreshHours) { exit 0 }
    $deploy = [IO.Path]::Combine($PSScriptRoot, 'Deploy-DDNS.ps1')
    $zip = [IO.Path]::Combine($Share, "ddns-$Version-windows-$architecture.zip")
    $call = @{ Package = $zip; Sha256 = $hash; Version = $Version; Interval = $Interval; WaitSeconds = 60; Confirm = $false }
    if ($Publisher) { $call['Publisher'] = $Publisher }
    if ($ConfigPath) { $call['ConfigPath'] = $ConfigPath }
    if ($Gateway) { $call['Gateway'] = $Gateway }
    # The clock of start-up scripts runs: 600 s for all of them together.
    $said = & $deploy @call 2>&1
    $code = $LASTEXITCODE
    $words = @($said | ForEach-Object {
            if ($_ -is [Management.Automation.ErrorRecord]) { "$_" } elseif ($_.PSObject.Properties['Outcome']) { "$($_.Outcome) $($_.Version)" }
        }) -join '; '
    if ([IO.Directory]::Exists($folder)) {
        Write-DdnsLog -Folder $folder -Text "ended with ${code}: $words"
        if ($code -eq 0) { [IO.File]::WriteAllText([IO.Path]::Combine($folder, 'gpo.mark'), $mark) }
    }
    if ($code -ne 0) { [Console]::Error.WriteLine("ddns was not deployed: $words") }
    exit $code
} catch {
    if ([IO.Directory]::Exists($folder)) { Write-DdnsLog -Folder $folder -Text "failed: $($_.Exception.Message)" }
    [Console]::Error.WriteLine("ddns was not deployed: $($_.Exception.Message)")
    exit 1
}
