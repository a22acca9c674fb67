<#
.SYNOPSIS
    Lays out the source folder of the Intune app: scripts, release zip, and what is pinned of it.

.DESCRIPTION
    The folder is what IntuneWinAppUtil.exe packs. What to enter in the portal is printed as one object.

.PARAMETER Zip
    The release zip.

.PARAMETER Sha256
    Its SHA-256, from the release page. It is compared with the file before anything is written.

.PARAMETER Destination
    The folder to make; it must not exist.

.PARAMETER Publisher
    The subject of the certificate that must have signed the programs.

.PARAMETER ConfigPath
    A settings file (TOML) for all machines.

.PARAMETER Gateway
    The URL of the fleet's gateway.

.PARAMETER Interval
    How often the client looks, such as 10m.

.EXAMPLE
    .\New-DdnsIntunePackage.ps1 -Zip .\ddns-1.4.0-windows-amd64.zip -Sha256 0f3a... -Destination .\app -ConfigPath .\ddns.toml

    The folder .\app, and the values for the portal.
#>
[CmdletBinding(SupportsShouldProcess)]
[OutputType([pscustomobject])]
param(
    [Parameter(Mandatory)]
    [string] $Zip,

    [Parameter(Mandatory)]
    [ValidatePattern('^[0-9A-Fa-f]{64}$')]
    [string] $Sha256,

    [Parameter(Mandatory)]
    [string] $Destination,

    [string] $Publisher = '',

    [string] $ConfigPath = '',

    [string] $Gateway = '',

    [string] $Interval = ''
)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 3

function ConvertTo-DdnsLiteral {
    # A text as it stands in a data file.
    param([string] $Text)
    "'" + [Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($Text) + "'"
}

$name = [IO.Path]::GetFileName($Zip)
if ($name -notmatch '^ddns-([0-9]+\.[0-9]+\.[0-9]+)-windows-(amd64|x86|arm64)(-for-testing)?\.zip$') {
    throw "$name is not the name of a release zip (ddns-VERSION-windows-ARCH.zip)."
}
$version = $Matches[1]
$found = (Get-FileHash -LiteralPath $Zip -Algorithm SHA256).Hash
if ($found -ne $Sha256) {
    throw "$Zip has the hash $($found.ToLowerInvariant()): it is not the file that was meant."
}
$target = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Destination)
if ([IO.Directory]::Exists($target)) {
    throw "$target is there already."
}
if (-not $PSCmdlet.ShouldProcess($target, "Make the Intune package of ddns $version")) {
    return
}
$null = [IO.Directory]::CreateDirectory($target)
$above = [IO.Path]::GetDirectoryName($PSScriptRoot)
foreach ($file in @("$above/Deploy-DDNS.ps1", "$above/Uninstall-DDNS.ps1", "$PSScriptRoot/Install-DDNS.ps1", $Zip)) {
    Copy-Item -LiteralPath $file -Destination $target
}
$pins = [ordered]@{ Package = $name; Sha256 = $Sha256.ToLowerInvariant(); Version = $version; Publisher = $Publisher; Gateway = $Gateway; Interval = $Interval }
if ($ConfigPath) {
    Copy-Item -LiteralPath $ConfigPath -Destination (Join-Path -Path $target -ChildPath 'ddns.toml')
    $pins['ConfigPath'] = 'ddns.toml'
}
$lines = foreach ($key in $pins.Keys) { "    $key = $(ConvertTo-DdnsLiteral -Text $pins[$key])" }
$utf8 = New-Object -TypeName Text.UTF8Encoding -ArgumentList $false
[IO.File]::WriteAllText((Join-Path -Path $target -ChildPath 'Package.psd1'), "@{`r`n$($lines -join "`r`n")`r`n}`r`n", $utf8)
$detect = [IO.File]::ReadAllText((Join-Path -Path $PSScriptRoot -ChildPath 'Detect-DDNS.ps1')).Replace("[version]'0.0.0'", "[version]'$version'")
# Beside the folder, not in it: the portal takes these two for themselves.
[IO.File]::WriteAllText("$target.Detect-DDNS.ps1", $detect, $utf8)
Copy-Item -LiteralPath (Join-Path -Path $PSScriptRoot -ChildPath 'Test-DdnsRequirement.ps1') -Destination "$target.Test-DdnsRequirement.ps1"
[pscustomobject]@{
    Source           = $target
    Pack             = "IntuneWinAppUtil.exe -c `"$target`" -s Install-DDNS.ps1 -o `"$([IO.Path]::GetDirectoryName($target))`""
    InstallCommand   = 'powershell.exe -NoProfile -NonInteractive -File Install-DDNS.ps1'
    UninstallCommand = '%SystemRoot%\sysnative\WindowsPowerShell\v1.0\powershell.exe -NoProfile -NonInteractive -File Uninstall-DDNS.ps1 -Confirm:$false'
    InstallBehavior  = 'System'
    Detection        = "$target.Detect-DDNS.ps1"
    Requirement      = "$target.Test-DdnsRequirement.ps1"
    ReturnCodes      = '0 success; 1618 retry; 1 and 2 failed'
}
