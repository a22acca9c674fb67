<#PSScriptInfo
.VERSION 0.1.0
.GUID 0c1b6b9e-9d3f-4a4f-8a5b-3e0f0f6d9a11
.AUTHOR ddns-fleet authors
.COMPANYNAME ddns-fleet authors
.COPYRIGHT (c) ddns-fleet authors. Apache-2.0.
.TAGS DNS DDNS DynamicDNS ScheduledTask Windows
.LICENSEURI https://ddns-fleet.example/licence
.PROJECTURI https://ddns-fleet.example
#>

<#
.SYNOPSIS
    Deploys ddns, on this machine or on others. Safe to run every day.

.DESCRIPTION
    Stands beside the release zip, on a share or a USB stick, and needs nothing else: the module is inside the zip. The zip
    is believed when its SHA-256 is the one that was given, or the one in the list beside it that the publisher of this
    script signed. What runs, runs from a folder that only administrators may write, never from the share.

    It asks for the provider's token when it is needed and was not given, on this machine only. Ends with 0 when all is as it
    should be, 1 when something failed, 2 when the arguments are wrong.

    With -ComputerName, -Session or machines from the pipeline it deploys to those, and each has exactly one result,
    Unreachable included. The zip is sent only where it is missing, and is verified there again. A call that was cut off, or that
    could not reach some, is made again as it was: it does only what is left.

.PARAMETER Name
    The full name to keep at this machine's address, such as home.example.com. Several are allowed. {computer} in it is
    the machine's own name: {computer}.dyn.example.com.

.PARAMETER Provider
    The kind of DNS provider, such as cloudflare; see docs/guides/providers.md.

.PARAMETER Type
    The record types to keep: A, AAAA.

.PARAMETER Ttl
    Seconds that resolvers may keep the answer.

.PARAMETER ProviderSetting
    Further keys of the provider: @{ server = '192.0.2.53'; key_name = 'ddns-key' }. Never a secret.

.PARAMETER ConfigPath
    A settings file (TOML) to use instead of -Name and -Provider; {computer} in it, too.

.PARAMETER Secret
    The provider's token: a SecureString, or a PSCredential whose password it is; for several, a table id -> SecureString.
    Plain text is refused.

.PARAMETER SecretName
    The name of the token in a vault of Microsoft.PowerShell.SecretManagement.

.PARAMETER Vault
    That vault; the default one when not given.

.PARAMETER Gateway
    The URL of the fleet's gateway. With it no provider's token is on this machine.

.PARAMETER EnrolmentCode
    The gateway's one-time code for this machine, as a SecureString; for several machines a table, name -> code.

.PARAMETER GatewayCa
    A PEM file with the CA of the gateway's certificate, when Windows does not trust it.

.PARAMETER Package
    The release zip. Without it the version that is installed stays.

.PARAMETER Sha256
    The zip's SHA-256, from the release page. Not needed for a release that is signed by -Publisher.

.PARAMETER Publisher
    The subject of the certificate that must have signed the release.

.PARAMETER Version
    The version that the package must hold.

.PARAMETER Mode
    What starts the client. Task: the scheduled task (default). LogonTask: the task at each logon, after -StartDelay, and repeated.
    Service: a Windows service that stays resident. RunKey: for one user, without an administrator's rights, from the
    next logon on; program and data lie in the user's profile.

.PARAMETER Interval
    How often, such as 10m or 1h; at least one minute for a task.

.PARAMETER Account
    LocalService (default), NetworkService, System, a group managed service account (DOMAIN\name$), or a user.

.PARAMETER TaskCredential
    The user whose account the task runs as, with the password that the task scheduler keeps.

.PARAMETER RunLevel
    LeastPrivilege (default) or Highest. Without effect for service accounts, whose rights are fixed.

.PARAMETER NoBootTrigger
    Do not run after boot.

.PARAMETER NoNetworkTrigger
    Do not run when a network comes.

.PARAMETER NoResumeTrigger
    Do not run when the machine wakes up.

.PARAMETER AtLogon
    Also run when a user logs on.

.PARAMETER StartDelay
    How long after boot or logon, such as 60s.

.PARAMETER NoStart
    Do not run once at the end.

.PARAMETER WaitSeconds
    How long to wait for the trial and for the first run.

.PARAMETER AllowDowngrade
    Put an older version in place.

.PARAMETER AdoptMsi
    Take over a machine that has the MSI: it is uninstalled when this version has taken its place.

.PARAMETER Force
    Change back a task that a person changed.

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

.PARAMETER ReportPath
    Also write a row for each machine to this file: .csv, .json or .html.

.EXAMPLE
    .\Deploy-DDNS.ps1 -Name home.example.com -Provider cloudflare

    One machine. It asks for the token.

.EXAMPLE
    .\Deploy-DDNS.ps1 -Gateway https://ddns.example.com -EnrolmentCode (Read-Host -AsSecureString -Prompt Code)

    One machine of a fleet: there is no token at all.

.EXAMPLE
    .\Deploy-DDNS.ps1 -Interval 5m -WhatIf

    What would change; nothing is.

.EXAMPLE
    .\Deploy-DDNS.ps1 -ComputerName (Get-Content .\machines.txt) -Credential (Get-Credential) -Name '{computer}.dyn.example.com' -Provider cloudflare -Secret $token

    Many machines, by Windows Remote Management.

.EXAMPLE
    Get-ADComputer -Filter 'Name -like "pc*"' | .\Deploy-DDNS.ps1 -WhatIf

    What this release would change on the machines of the directory, and how they differ from what was deployed.

.EXAMPLE
    .\Deploy-DDNS.ps1 -ComputerName pc1, pc2 -Transport SSH -UserName admin -KeyFilePath C:\keys\fleet

    By SSH.

.EXAMPLE
    .\Deploy-DDNS.ps1 -Session $session -Gateway https://ddns.example.com -EnrolmentCode @{ pc1 = $code1; pc2 = $code2 }

    Over open sessions, with a code for each machine.

.NOTES
    The task is \DDNS\Update. With schtasks: schtasks /query /tn \DDNS\Update /v /fo list; schtasks /run /tn \DDNS\Update.
#>
[CmdletBinding(PositionalBinding = $false, SupportsShouldProcess, ConfirmImpact = 'Medium')]
param(
    [string[]]$Name,
    [ArgumentCompleter({
            $word = $args[2]
            'alidns', 'cloudflare', 'desec', 'digitalocean', 'dnspod', 'dyndns2', 'gateway', 'godaddy', 'huaweicloud', 'lexicon',
            'porkbun', 'powerdns', 'rfc2136', 'route53', 'tencentcloud', 'webhook' |
                Where-Object { $_ -like "$word*" }
        })]
    [string]$Provider,
    [ValidateSet('A', 'AAAA', 'CNAME', 'TXT')][string[]]$Type,
    [ValidateRange(1, 604800)][int]$Ttl,
    [hashtable]$ProviderSetting = @{},
    [string]$ConfigPath,
    [Alias('Token')][object]$Secret,
    [string]$SecretName,
    [string]$Vault,
    [string]$Gateway,
    [object]$EnrolmentCode,
    [string]$GatewayCa,
    [string]$Package,
    [string]$Sha256,
    [string]$Publisher,
    [string]$Version,
    [ValidateSet('Task', 'LogonTask', 'Service', 'RunKey')][string]$Mode,
    [string]$Interval,
    [ArgumentCompleter({ $word = $args[2]; 'LocalService', 'NetworkService', 'System' | Where-Object { $_ -like "$word*" } })]
    [string]$Account,
    [pscredential]$TaskCredential,
    [ValidateSet('LeastPrivilege', 'Highest')][string]$RunLevel,
    [switch]$NoBootTrigger,
    [switch]$NoNetworkTrigger,
    [switch]$NoResumeTrigger,
    [switch]$AtLogon,
    [string]$StartDelay,
    [switch]$NoStart,
    [ValidateRange(1, 3600)][int]$WaitSeconds = 120,
    [switch]$AllowDowngrade,
    [switch]$AdoptMsi,
    [switch]$Force,
    [Parameter(ValueFromPipeline)]
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
    [string]$ReportPath
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

    function Find-DdnsZip {
        # The newest release zip of this machine's architecture beside this script.
        $architecture = 'amd64'
        if ("$env:PROCESSOR_ARCHITEW6432$env:PROCESSOR_ARCHITECTURE" -match 'ARM64') { $architecture = 'arm64' }
        elseif ("$env:PROCESSOR_ARCHITEW6432$env:PROCESSOR_ARCHITECTURE" -eq 'x86') { $architecture = 'x86' }
        Get-ChildItem -LiteralPath $PSScriptRoot -Filter 'ddns-*.zip' -File |
            Where-Object { $_.Name -match "^ddns-\d+\.\d+\.\d+-windows-$architecture(-for-testing)?\.zip$" } |
            Sort-Object -Property { [version]($_.Name.Split('-')[1]) } -Descending |
            Select-Object -First 1 -ExpandProperty FullName
    }

    function Get-DdnsVouchedHash {
        # The hash of the zip in the list beside it, when the publisher signed the seal of that list; '' otherwise.
        param([string]$Zip, [string]$By)
        $folder = Split-Path -Path $Zip -Parent
        $seal = Join-Path -Path $folder -ChildPath 'SHA256SUMS.psd1'
        $list = Join-Path -Path $folder -ChildPath 'SHA256SUMS'
        if (-not $By -or -not [System.IO.File]::Exists($seal) -or -not [System.IO.File]::Exists($list)) { return '' }
        # Read once: what is checked is what is used.
        $sealBytes = [System.IO.File]::ReadAllBytes($seal)
        $listBytes = [System.IO.File]::ReadAllBytes($list)
        $signature = Get-AuthenticodeSignature -SourcePathOrExtension '.psd1' -Content $sealBytes
        if ([string]$signature.Status -ne 'Valid' -or $null -eq $signature.SignerCertificate -or $signature.SignerCertificate.Subject -ne $By) { return '' }
        if ([System.Text.Encoding]::ASCII.GetString($sealBytes) -notmatch "(?m)^\s*ListSha256\s*=\s*'([0-9a-f]{64})'") { return '' }
        $sealed = $Matches[1]
        $sha = [System.Security.Cryptography.SHA256]::Create()
        if ([System.BitConverter]::ToString($sha.ComputeHash($listBytes)).Replace('-', '') -ne $sealed) { return '' }
        $name = [regex]::Escape([System.IO.Path]::GetFileName($Zip))
        if ([System.Text.Encoding]::UTF8.GetString($listBytes) -notmatch "(?m)^([0-9a-f]{64}) [ *]$name\r?$") { return '' }
        $Matches[1]
    }

    function Expand-DdnsModule {
        # Unpacks the module from the zip into a new folder of the administrators' (or this user's) own. Hash and content are of one open
        # file. To deploy other machines needs no administrator here.
        param([string]$Zip, [string]$Hash, [bool]$Here)
        $stream = [System.IO.File]::Open($Zip, [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, [System.IO.FileShare]::Read)
        try {
            $sha = [System.Security.Cryptography.SHA256]::Create()
            $found = [System.BitConverter]::ToString($sha.ComputeHash($stream)).Replace('-', '')
            if ($found -ne $Hash) { throw "$Zip is not the release that was vouched for: its SHA-256 is $($found.ToLowerInvariant()). Fetch it again from the release page." }
            $base = [System.Environment]::GetFolderPath('ProgramFiles')
            if ($Mode -eq 'RunKey' -or -not $base -or (-not $Here -and -not (Test-DdnsAdministrator))) { $base = [System.Environment]::GetFolderPath('LocalApplicationData') }
            $folder = Join-Path -Path $base -ChildPath ('DDNS-' + [guid]::NewGuid().ToString('N'))
            Add-Type -AssemblyName System.IO.Compression
            $archive = New-Object -TypeName System.IO.Compression.ZipArchive -ArgumentList $stream
            foreach ($entry in $archive.Entries) {
                if ($entry.FullName -notmatch '^ps/(Ddns/[A-Za-z0-9._/-]+)$') { continue }
                $inner = $Matches[1]
                if ($inner.EndsWith('/')) { continue }
                if ($inner.Contains('..')) { throw "$Zip has an entry that must not be there: $inner" }
                $path = Join-Path -Path $folder -ChildPath $inner
                $null = [System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($path))
                $from = $entry.Open()
                $to = [System.IO.File]::Open($path, [System.IO.FileMode]::CreateNew)
                try { $from.CopyTo($to) }
                finally {
                    $to.Dispose()
                    $from.Dispose()
                }
            }
            $folder
        }
        catch [System.UnauthorizedAccessException] {
            throw 'This needs the rights of an administrator: start PowerShell with "Run as administrator". For one user without such rights: -Mode RunKey.'
        }
        finally { $stream.Dispose() }
    }

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
        # The module, as an object: its commands are called by it, so that none of the same name, loaded before or planted, is meant.
        # With a zip it is the one in that zip, and no other: the hash that was vouched for is the zip's. Without one it is the installed
        # one. A folder Ddns beside this script counts for nothing: whoever can write there would run as an administrator.
        param([string]$Zip, [string]$Hash, [bool]$Here)
        if ($Zip) {
            $script:folder = Expand-DdnsModule -Zip $Zip -Hash $Hash -Here $Here
            $path = Join-Path -Path $script:folder -ChildPath 'Ddns/Ddns.psd1'
            if (-not [System.IO.File]::Exists($path)) { throw "$Zip holds no module: it is no release of ddns. Fetch it again from the release page." }
        }
        else {
            $path = Find-DdnsInstalledModule
            if (-not $path) { throw 'There is no release zip beside this script, and ddns is not installed. Put the zip there, or name it with -Package.' }
        }
        Import-Module -Name $path -Scope Local -PassThru -DisableNameChecking -Verbose:$false
    }

    function Test-DdnsAdministrator {
        if ([System.IO.Path]::DirectorySeparatorChar -ne '\') { return $false }
        $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
        (New-Object -TypeName System.Security.Principal.WindowsPrincipal -ArgumentList $identity).IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
    }

    function Test-DdnsWow {
        [System.Environment]::Is64BitOperatingSystem -and -not [System.Environment]::Is64BitProcess
    }

    function Invoke-DdnsAgain {
        # The same call in the 64-bit PowerShell: management agents start scripts in the 32-bit one. What is secret can't go that way.
        param([System.Collections.IDictionary]$Bound)
        foreach ($key in 'Secret', 'EnrolmentCode', 'TaskCredential', 'Credential', 'ComputerName', 'Session') {
            if ($Bound.ContainsKey($key)) { throw "This is the 32-bit PowerShell, and -$key can not be handed on. Start the 64-bit one." }
        }
        $arguments = @('-NoProfile', '-NonInteractive', '-File', $PSCommandPath)
        foreach ($key in $Bound.Keys) {
            if ($Bound[$key] -is [switch]) {
                if ($Bound[$key]) { $arguments += "-$key" }
                continue
            }
            if ($Bound[$key] -is [hashtable] -or @($Bound[$key]).Count -gt 1) { throw "This is the 32-bit PowerShell, and -$key can not be handed on. Start the 64-bit one, or use -ConfigPath." }
            $arguments += "-$key", [string]@($Bound[$key])[0]
        }
        & (Join-Path -Path $env:SystemRoot -ChildPath 'sysnative\WindowsPowerShell\v1.0\powershell.exe') @arguments
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
    $folder = ''
    $module = $null
    $code = 0
    $results = @()
    try {
        if (Test-DdnsWow) {
            if ($piped) { throw 'This is the 32-bit PowerShell, and machines can not be handed on. Start the 64-bit one.' }
            Invoke-DdnsAgain -Bound $PSBoundParameters
            exit $LASTEXITCODE
        }
        $by = $Publisher
        if (-not $by) {
            $signature = Get-AuthenticodeSignature -LiteralPath $PSCommandPath -ErrorAction SilentlyContinue
            if ($null -ne $signature -and [string]$signature.Status -eq 'Valid') { $by = $signature.SignerCertificate.Subject }
        }
        $zip = $Package
        if (-not $zip) { $zip = Find-DdnsZip }
        $hash = $Sha256
        if ($zip) {
            $zip = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($zip)
            if (-not [System.IO.File]::Exists($zip)) { throw "There is no package $zip." }
            if (-not $hash) { $hash = Get-DdnsVouchedHash -Zip $zip -By $by }
            if (-not $hash) {
                throw 'Nobody vouches for the package: it has no valid signature. Give its SHA-256 from the release page with -Sha256.'
            }
        }
        $here = -not $named -and -not $piped -and -not $Session
        $module = Import-DdnsModule -Zip $zip -Hash $hash -Here $here
        # What was named is handed on also when it came to nothing: nothing named would mean this machine.
        $arguments = @{} + $PSBoundParameters
        $arguments.Remove('ComputerName')
        if ($named -or $piped) { $arguments['ComputerName'] = $given.ToArray() }
        if ($zip) {
            $arguments['Package'] = $zip
            $arguments['Sha256'] = $hash
        }
        if ($here -and $Provider -and -not $Secret -and -not $SecretName -and -not $WhatIfPreference) {
            # A machine that was deployed before has its token.
            $known = & $module.ExportedCommands['Get-DdnsTask'] -Detailed -ErrorAction SilentlyContinue
            if ($null -eq $known -or -not $known.Version) {
                $arguments['Secret'] = Read-Host -AsSecureString -Prompt "Token of the provider $Provider"
            }
        }
        & $module.ExportedCommands['Install-Ddns'] @arguments -ErrorAction Continue | Tee-Object -Variable results
        if (@($results | Where-Object { $_ -and $_.Outcome -in 'Failed', 'RolledBack', 'Unreachable' }).Count) { $code = 1 }
    }
    catch {
        Write-Error -ErrorRecord $_ -ErrorAction Continue
        $code = 2
    }
    finally {
        # Unloaded before its files go: a session that still has its formats on the list could load no other module.
        if ($module -and $folder) { Remove-Module -ModuleInfo $module -Force -WhatIf:$false -Confirm:$false }
        if ($folder -and [System.IO.Directory]::Exists($folder)) { [System.IO.Directory]::Delete($folder, $true) }
    }
    exit $code
}
