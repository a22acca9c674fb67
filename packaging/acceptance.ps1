<#
.SYNOPSIS
    Shows on one real Windows machine what no other test can show, and writes the evidence.

.DESCRIPTION
    Run it as an administrator, in a console window, on a machine without ddns, once for each supported version of Windows.
    It deploys the release with its own scripts, tries what depends on Windows itself (rights, accounts, triggers, consoles,
    event log, remoting, policies, scanner), takes everything off again, and writes one JSON file: one entry a check, with
    result pass, fail or not-run, the evidence, and the time it took. packaging/RELEASE.md is the list of its checks.

    What it makes besides the product, it removes at the end, also after a failure: local users, probe tasks in
    \DDNS-Acceptance, a folder in ProgramData. The log of the task scheduler is switched on while it runs.
    Ends with 0 when nothing failed, 1 when something did, 2 when it could not begin.

.PARAMETER Release
    The folder with the release: zip, MSI, hash list, seal, the three scripts.

.PARAMETER Sha256
    The zip's SHA-256 as the release page has it; not needed for a signed release.

.PARAMETER Settings
    A settings file (TOML) for a name that this machine may publish. In the stage AfterBoot some checks are not run without.

.PARAMETER Secret
    The provider's token for these settings.

.PARAMETER ServiceAccount
    A group managed service account (DOMAIN\name$) that this machine may use.

.PARAMETER Older
    The MSI of an earlier version, for upgrade, downgrade and rollback.

.PARAMETER ForeignSecret
    A secret that another machine sealed: the file EVIDENCE.dpapi that this script writes there. What it holds is made up.

.PARAMETER Sleep
    Let the machine sleep for two minutes in between. It must be one that wakes by a timer.

.PARAMETER Evidence
    The JSON file to write. After a restart it is continued.

.PARAMETER Stage
    All: everything but what needs a restart. BeforeBoot: the same, and leaves the product in place; then put the machine
    to sleep and wake it, and restart it. AfterBoot: looks at what boot, network and resume have started, and clears up.

.PARAMETER Only
    The ids of the checks to run; deployment and clearing up always run.

.PARAMETER List
    Print the checks (id, stage, title) and end. Works on any system.

.EXAMPLE
    .\acceptance.ps1 -Release E:\ddns -Settings E:\test.toml -Secret (Read-Host -AsSecureString) -Evidence E:\server2022.json

.EXAMPLE
    .\acceptance.ps1 -Release E:\ddns -Settings E:\test.toml -Stage BeforeBoot -Evidence E:\win11.json
    # sleep, wake, restart
    .\acceptance.ps1 -Release E:\ddns -Stage AfterBoot -Evidence E:\win11.json
#>
[CmdletBinding()]
param(
    [string]$Release = $PSScriptRoot,
    [string]$Sha256,
    [string]$Settings,
    [object]$Secret,
    [string]$ServiceAccount,
    [string]$Older,
    [string]$ForeignSecret,
    [switch]$Sleep,
    [string]$Evidence = 'acceptance.json',
    [ValidateSet('All', 'BeforeBoot', 'AfterBoot')][string]$Stage = 'All',
    [string[]]$Only = @(),
    [switch]$List
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$asked = @{
    Sha256 = $Sha256; Secret = $Secret; ServiceAccount = $ServiceAccount; Only = $Only
    Older = $Older; ForeignSecret = $ForeignSecret; Sleep = [bool]$Sleep
}
$checks = New-Object -TypeName System.Collections.ArrayList

function Add-Check {
    # Test returns its evidence, calls Skip-Check with a reason, or throws.
    param([string]$Id, [string]$Title, [scriptblock]$Test, [string]$At = 'Installed')
    [void]$checks.Add([pscustomobject]@{ Id = $Id; At = $At; Title = $Title; Test = $Test })
}

function Skip-Check {
    param([string]$Reason)
    throw (New-Object -TypeName System.OperationCanceledException -ArgumentList $Reason)
}

function Assert-That {
    param([bool]$Condition, [string]$Otherwise)
    if (-not $Condition) { throw $Otherwise }
}

function Wait-Until {
    # Asks every half second; $false when the time is over.
    param([scriptblock]$Condition, [int]$Seconds)
    $end = [datetime]::UtcNow.AddSeconds($Seconds)
    while ([datetime]::UtcNow -lt $end) {
        if (& $Condition) { return $true }
        Start-Sleep -Milliseconds 500
    }
    $false
}

function Invoke-Program {
    # Runs a program to its end with pipes for its streams.
    param([string]$Path, [string]$Arguments, [int]$Seconds = 120, [hashtable]$Environment = @{}, [string]$InputText)
    $how = New-Object -TypeName System.Diagnostics.ProcessStartInfo -ArgumentList $Path, $Arguments
    $how.UseShellExecute = $false
    $how.RedirectStandardOutput = $true
    $how.RedirectStandardError = $true
    $how.RedirectStandardInput = $true
    $how.CreateNoWindow = $true
    foreach ($name in $Environment.Keys) { $how.EnvironmentVariables[$name] = $Environment[$name] }
    $process = [System.Diagnostics.Process]::Start($how)
    if ($InputText) { $process.StandardInput.Write($InputText) }
    $process.StandardInput.Close()
    $out = $process.StandardOutput.ReadToEndAsync()
    $err = $process.StandardError.ReadToEndAsync()
    if (-not $process.WaitForExit($Seconds * 1000)) {
        $process.Kill()
        throw "$Path $Arguments did not end in $Seconds s"
    }
    [pscustomobject]@{ Exit = $process.ExitCode; Out = $out.Result; Err = $err.Result }
}

function Get-AppProcess {
    # The processes of the program itself, not those of the launcher.
    @(Get-Process -Name 'ddns' -ErrorAction SilentlyContinue | Where-Object { $_.Path -like '*\app\ddns.exe' })
}

function Get-PublicStatus {
    [System.IO.File]::ReadAllText("$data\public\status.json") | ConvertFrom-Json
}

function Invoke-Run {
    # Starts the task and waits for its end; the last result.
    param([int]$Seconds = 180)
    $before = (Get-ScheduledTaskInfo -TaskPath '\DDNS\' -TaskName 'Update').LastRunTime
    Start-ScheduledTask -TaskPath '\DDNS\' -TaskName 'Update'
    $ended = Wait-Until -Seconds $Seconds -Condition {
        (Get-ScheduledTaskInfo -TaskPath '\DDNS\' -TaskName 'Update').LastRunTime -ne $before -and
        [string](Get-ScheduledTask -TaskPath '\DDNS\' -TaskName 'Update').State -eq 'Ready'
    }
    Assert-That -Condition $ended -Otherwise "the task did not run to its end in $Seconds s"
    (Get-ScheduledTaskInfo -TaskPath '\DDNS\' -TaskName 'Update').LastTaskResult
}

function Invoke-AsTask {
    # A command line in a task of ours under a principal, which so lacks the SID of the product's task; what it prints.
    param([string]$Command, [object]$Principal, [string]$Folder = $work)
    $file = Join-Path -Path $Folder -ChildPath ([guid]::NewGuid().ToString('N') + '.txt')
    $action = New-ScheduledTaskAction -Execute 'cmd.exe' -Argument "/c ($Command) > `"$file`" 2>&1"
    Register-ScheduledTask -TaskPath '\DDNS-Acceptance\' -TaskName 'Probe' -Action $action -Principal $Principal -Force | Out-Null
    try {
        Start-ScheduledTask -TaskPath '\DDNS-Acceptance\' -TaskName 'Probe'
        $ended = Wait-Until -Seconds 60 -Condition {
            [System.IO.File]::Exists($file) -and [string](Get-ScheduledTask -TaskPath '\DDNS-Acceptance\' -TaskName 'Probe').State -eq 'Ready'
        }
        Assert-That -Condition $ended -Otherwise 'the probe did not end'
        [System.IO.File]::ReadAllText($file)
    }
    finally { Unregister-ScheduledTask -TaskPath '\DDNS-Acceptance\' -TaskName 'Probe' -Confirm:$false }
}

function Invoke-AsLocalService {
    param([string]$Command)
    Invoke-AsTask -Command $Command -Principal (New-ScheduledTaskPrincipal -UserId 'S-1-5-19' -LogonType ServiceAccount)
}

function Invoke-AsVisitor {
    # Lines of a command file under a local user without rights, who is there for that time only; what they print.
    param([string[]]$Line, [switch]$WithProfile)
    $name = 'ddns-acceptance'
    $password = New-Object -TypeName securestring
    ([guid]::NewGuid().ToString() + 'aA1!').ToCharArray() | ForEach-Object { $password.AppendChar($_) }
    $user = New-LocalUser -Name $name -Password $password -AccountNeverExpires
    try {
        $script = Join-Path -Path $work -ChildPath 'user.cmd'
        $answer = Join-Path -Path $work -ChildPath 'user.txt'
        [System.IO.File]::WriteAllLines($script, [string[]](@('@echo off') + $Line))
        [System.IO.File]::WriteAllText($answer, '')
        icacls.exe $work /grant "${name}:(OI)(CI)M" | Out-Null
        $how = @{
            FilePath = 'cmd.exe'; ArgumentList = "/c `"$script`" > `"$answer`" 2>&1"; Wait = $true; WorkingDirectory = $work
            Credential = New-Object -TypeName pscredential -ArgumentList $name, $password; LoadUserProfile = [bool]$WithProfile
        }
        Start-Process @how
        [System.IO.File]::ReadAllText($answer).Trim()
    }
    finally {
        icacls.exe $work /remove "$name" | Out-Null
        Get-CimInstance -ClassName Win32_UserProfile -Filter "SID='$($user.SID.Value)'" | Remove-CimInstance -ErrorAction SilentlyContinue
        Remove-LocalUser -Name $name
    }
}

function Get-SettingsFile {
    # The settings file that `config validate --json` says it reads; it is told of invalid and missing ones, too.
    param([string]$Text)
    ($Text | ConvertFrom-Json).data.file
}

function Get-Rule {
    # The rights to a folder: the owner, whether it inherits none, and each rule as SID, mask, inheritance flags, kind.
    param([string]$Path)
    $acl = Get-Acl -LiteralPath $Path
    $kind = [System.Security.Principal.SecurityIdentifier]
    $rules = @($acl.GetAccessRules($true, $true, $kind) | ForEach-Object {
            "$($_.IdentityReference.Value) $([int]$_.FileSystemRights) $([int]$_.InheritanceFlags) $($_.AccessControlType)"
        } | Sort-Object)
    "$($acl.GetOwner($kind).Value) protected=$($acl.AreAccessRulesProtected): $($rules -join ', ')"
}

function Format-Rule {
    # What Get-Rule must say of a folder that SYSTEM and administrators own, with these rules besides.
    param([string[]]$More = @())
    $rules = @('S-1-5-18 2032127 3 Allow', 'S-1-5-32-544 2032127 3 Allow') + $More | Sort-Object
    "S-1-5-32-544 protected=True: $($rules -join ', ')"
}

function Expand-Program {
    # The program of a release zip, unpacked and not installed; the path of its exe.
    param([string]$Zip)
    $folder = Join-Path -Path $work -ChildPath ([System.IO.Path]::GetFileNameWithoutExtension($Zip))
    if (-not [System.IO.Directory]::Exists($folder)) { Expand-Archive -LiteralPath $Zip -DestinationPath $folder }
    "$folder\app\ddns.exe"
}

function Start-Watch {
    # A resident program whose lines go to a file: its launcher and the file.
    param([string]$Every)
    $file = Join-Path -Path $work -ChildPath ([guid]::NewGuid().ToString('N') + '.jsonl')
    $how = @{ RedirectStandardOutput = $file; RedirectStandardError = "$file.err"; PassThru = $true; WindowStyle = 'Hidden' }
    $process = Start-Process -FilePath "$programs\bin\ddns.exe" -ArgumentList "watch --json --every $Every" @how
    [pscustomobject]@{ Process = $process; File = $file }
}

function Get-WatchReason {
    # The reasons of the runs that a resident program has told so far.
    param([pscustomobject]$Watch)
    $stream = New-Object -TypeName System.IO.FileStream -ArgumentList $Watch.File, 'Open', 'Read', 'ReadWrite, Delete'
    try { $text = (New-Object -TypeName System.IO.StreamReader -ArgumentList $stream).ReadToEnd() }
    finally { $stream.Dispose() }
    # The last line may be half there.
    @($text.Split("`n") | Where-Object { $_.TrimEnd().EndsWith('}') } | ForEach-Object { ($_ | ConvertFrom-Json).data.reason })
}

function Assert-SecretRefused {
    # A sealed secret of somebody else, in a data folder of our own: the run must name it and end with 12.
    param([string]$Blob)
    $folder = Join-Path -Path $work -ChildPath ([guid]::NewGuid().ToString('N'))
    [void][System.IO.Directory]::CreateDirectory("$folder\secrets")
    [System.IO.File]::WriteAllLines("$folder\ddns.toml", [string[]]('schema = 1', '[[record]]', 'name = "acceptance.example.com"', 'provider = "main"',
            '[provider.main]', 'kind = "cloudflare"', 'token = "dpapi:foreign"'))
    [System.IO.File]::Copy($Blob, "$folder\secrets\foreign.dpapi")
    $done = Invoke-Program -Path "$programs\bin\ddns.exe" -Arguments "run --full --data `"$folder`""
    $said = [System.IO.File]::ReadAllText("$folder\public\status.json")
    $right = $done.Exit -eq 12 -and $said -like '*provider.bad_credentials*'
    Assert-That -Condition $right -Otherwise "exit $($done.Exit): $($done.Out)$($done.Err)"
    "exit $($done.Exit): $($done.Out)$($done.Err)"
}

function Assert-FolderRefused {
    # With something in the place of the data folder: neither deployment nor program uses it. What they said.
    if (-not $Settings) { Skip-Check -Reason 'deployment needs -Settings at this stage, too' }
    $said = ''
    try { [void](Install-Product) } catch { $said = $_.Exception.Message }
    Assert-That -Condition ($said -like '*UnsafeFolder*') -Otherwise "deployment: $said"
    $done = Invoke-Program -Path (Expand-Program -Zip (Find-ReleaseFile -Ending 'zip')) -Arguments 'config validate'
    Assert-That -Condition ($done.Exit -eq 15) -Otherwise "the program, exit $($done.Exit): $($done.Out)$($done.Err)"
    $left = @(Get-Leftover | Where-Object { $_ -ne $data })
    Assert-That -Condition ($left.Count -eq 0) -Otherwise "left behind: $($left -join '; ')"
    "$said; $($done.Err.Trim())"
}

function Invoke-Msi {
    # /i, /fa or /x of a package, silently; the exit code.
    param([string]$What, [string]$Package, [string]$More = '')
    (Invoke-Program -Path 'msiexec.exe' -Arguments "$What `"$Package`" /qn /norestart $More" -Seconds 300).Exit
}

function Get-ProgramVersion {
    (Invoke-Program -Path "$programs\bin\ddns.exe" -Arguments '--version').Out.Trim()
}

function Use-OlderMsi {
    # Installs the older MSI, does something with the newer one, and takes off what is there then.
    param([scriptblock]$Act)
    $newer = Find-ReleaseFile -Ending 'msi'
    if (-not $newer -or -not $asked.Older) { Skip-Check -Reason 'there is no MSI in the release, or none of an earlier version was given (-Older)' }
    $code = Invoke-Msi -What '/i' -Package $asked.Older
    Assert-That -Condition ($code -eq 0) -Otherwise "the older one: $code"
    try { & $Act $newer (Get-ProgramVersion) }
    finally {
        foreach ($package in $newer, $asked.Older) { [void](Invoke-Msi -What '/x' -Package $package) }
        if ([System.IO.Directory]::Exists($data)) { [System.IO.Directory]::Delete($data, $true) }
    }
}

function Find-ReleaseFile {
    # The release file of this machine's architecture with this ending, or $null.
    param([string]$Ending)
    $architecture = switch ($env:PROCESSOR_ARCHITECTURE) { 'ARM64' { 'arm64' } 'x86' { 'x86' } default { 'amd64' } }
    $pattern = "^ddns-.*-windows-$architecture(-for-testing)?\.$Ending$"
    Get-ChildItem -LiteralPath $Release -File | Where-Object { $_.Name -match $pattern } |
        Select-Object -First 1 -ExpandProperty FullName
}

function Install-Product {
    # Deploys with the release's own script; its result object.
    param([hashtable]$More = @{})
    $arguments = @{ Package = Find-ReleaseFile -Ending 'zip'; WaitSeconds = 180 } + $More
    if ($Settings) { $arguments.ConfigPath = $Settings }
    foreach ($name in 'Sha256', 'Secret') { if ($asked[$name]) { $arguments[$name] = $asked[$name] } }
    $result = & (Join-Path -Path $Release -ChildPath 'Deploy-DDNS.ps1') @arguments
    Assert-That -Condition ($LASTEXITCODE -eq 0) -Otherwise "Deploy-DDNS.ps1 ended with ${LASTEXITCODE}: $($result | ConvertTo-Json -Depth 4 -Compress)"
    $result
}

function Uninstall-Product {
    $result = & (Join-Path -Path $Release -ChildPath 'Uninstall-DDNS.ps1') -RemoveData -Confirm:$false
    Assert-That -Condition ($LASTEXITCODE -eq 0) -Otherwise "Uninstall-DDNS.ps1 ended with ${LASTEXITCODE}: $($result | ConvertTo-Json -Depth 4 -Compress)"
}

function Get-Leftover {
    # What is still there of the product.
    foreach ($path in $programs, $data, 'HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\DDNS',
        'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\DDNS', 'HKLM:\SOFTWARE\DDNS') {
        if (Test-Path -LiteralPath $path) { $path }
    }
    if ([System.Environment]::GetEnvironmentVariable('PATH', 'Machine') -like '*\DDNS\bin*') { 'PATH' }
    Get-ScheduledTask -ErrorAction SilentlyContinue | Where-Object { $_.TaskPath -like '\DDNS\*' } | ForEach-Object { $_.TaskPath + $_.TaskName }
    Get-Service -Name 'DDNS' -ErrorAction SilentlyContinue | ForEach-Object { 'service DDNS' }
}

function Get-TriggerEvent {
    # Times at which the scheduler started the product's task since a time: 107 by time, 108 by an event, 118 by boot.
    param([int]$Id, [datetime]$Since)
    $filter = @{ LogName = $taskLog; Id = $Id; StartTime = $Since }
    @(Get-WinEvent -FilterHashtable $filter -ErrorAction SilentlyContinue | Where-Object { $_.Message -like '*\DDNS\Update*' } |
            ForEach-Object { $_.TimeCreated.ToUniversalTime().ToString('o') })
}

Add-Check -Id 'deploy' -At 'Deployment' -Title 'Deploy-DDNS.ps1 deploys the release' -Test {
    (Install-Product).Steps | ConvertTo-Json -Compress
}
Add-Check -Id 'shell' -Title 'The scripts run in Windows PowerShell 5.1' -Test {
    if ($PSVersionTable.PSVersion.Major -ne 5) { Skip-Check -Reason "this is PowerShell $($PSVersionTable.PSVersion); run the script with powershell.exe" }
    "$($PSVersionTable.PSVersion), $PSCulture, language mode $($ExecutionContext.SessionState.LanguageMode)"
}
Add-Check -Id 'signatures' -Title 'Windows finds every signature of the release valid' -Test {
    $files = @(Get-ChildItem -LiteralPath $Release -File | Where-Object { $_.Extension -in '.ps1', '.psd1', '.msi' }) +
    @(Get-ChildItem -LiteralPath $programs -Recurse -File | Where-Object { $_.Extension -in '.exe', '.dll', '.pyd', '.ps1', '.psd1', '.psm1', '.ps1xml' })
    $found = @($files | ForEach-Object { Get-AuthenticodeSignature -LiteralPath $_.FullName } | Group-Object -Property { [string]$_.Status } |
            ForEach-Object { "$($_.Name): $($_.Count)" })
    if ([string](Get-AuthenticodeSignature -LiteralPath (Join-Path -Path $Release -ChildPath 'Deploy-DDNS.ps1')).Status -eq 'NotSigned') {
        Skip-Check -Reason "this release is not signed ($($found -join ', '))"
    }
    Assert-That -Condition (@($found).Count -eq 1 -and $found[0] -like 'Valid:*') -Otherwise ($found -join ', ')
    $found[0]
}
Add-Check -Id 'all-signed' -Title 'The scripts run under the execution policy AllSigned' -Test {
    $script = Join-Path -Path $Release -ChildPath 'Get-DDNS.ps1'
    if ([string](Get-AuthenticodeSignature -LiteralPath $script).Status -eq 'NotSigned') { Skip-Check -Reason 'this release is not signed' }
    $done = Invoke-Program -Path 'powershell.exe' -Arguments "-NoProfile -NonInteractive -ExecutionPolicy AllSigned -File `"$script`""
    Assert-That -Condition ($done.Exit -in 0, 1 -and $done.Err -notmatch 'UnauthorizedAccess|PSSecurityException') -Otherwise "exit $($done.Exit): $($done.Err)"
    "exit $($done.Exit)"
}
Add-Check -Id 'constrained' -Title 'Constrained language mode is refused with a clear message' -Test {
    $script = Join-Path -Path $Release -ChildPath 'Deploy-DDNS.ps1'
    $text = "`$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'; & '$script' -WhatIf"
    $done = Invoke-Program -Path 'powershell.exe' -Arguments "-NoProfile -NonInteractive -ExecutionPolicy Bypass -Command `"$text`""
    Assert-That -Condition ($done.Exit -ne 0 -and ($done.Out + $done.Err) -match 'language') -Otherwise "exit $($done.Exit): $($done.Out)$($done.Err)"
    ($done.Out + $done.Err).Trim()
}
Add-Check -Id 'bitness' -Title 'From the 32-bit PowerShell the scripts go on in the 64-bit one' -Test {
    $shell = "$env:SystemRoot\SysWOW64\WindowsPowerShell\v1.0\powershell.exe"
    if (-not [System.IO.File]::Exists($shell)) { Skip-Check -Reason 'there is no 32-bit PowerShell' }
    $script = Join-Path -Path $Release -ChildPath 'Get-DDNS.ps1'
    $done = Invoke-Program -Path $shell -Arguments "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$script`""
    Assert-That -Condition ($done.Exit -in 0, 1) -Otherwise "exit $($done.Exit): $($done.Err)"
    "exit $($done.Exit)"
}
Add-Check -Id 'not-elevated' -Title 'Without the rights of an administrator the deployment says so, and changes nothing' -Test {
    $script = Join-Path -Path $Release -ChildPath 'Deploy-DDNS.ps1'
    $zip = Find-ReleaseFile -Ending 'zip'
    $hash = (Get-FileHash -LiteralPath $zip -Algorithm SHA256).Hash
    $said = Invoke-AsVisitor -WithProfile -Line "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$script`" -Package `"$zip`" -Sha256 $hash", 'echo exit %ERRORLEVEL%'
    Assert-That -Condition ($said -match 'administrator' -and $said -match 'exit [12]') -Otherwise $said
    $said
}
Add-Check -Id 'account-unknown' -Title 'An account that does not exist is refused, and the task stays' -Test {
    $before = Export-ScheduledTask -TaskPath '\DDNS\' -TaskName 'Update'
    $said = ''
    try { [void](Install-Product -More @{ Account = 'no-such-account$' }) } catch { $said = $_.Exception.Message }
    Assert-That -Condition ($said -like '*AccountUnknown*') -Otherwise $said
    Assert-That -Condition ((Export-ScheduledTask -TaskPath '\DDNS\' -TaskName 'Update') -eq $before) -Otherwise 'the task is another one'
    $said
}
Add-Check -Id 'account-right' -Title 'A user without "log on as a batch job" is refused with that reason, and the task of before is back' -Test {
    $before = Export-ScheduledTask -TaskPath '\DDNS\' -TaskName 'Update'
    $password = New-Object -TypeName securestring
    ([guid]::NewGuid().ToString() + 'aA1!').ToCharArray() | ForEach-Object { $password.AppendChar($_) }
    $user = New-LocalUser -Name 'ddns-batch' -Password $password -AccountNeverExpires
    $said = ''
    try {
        $login = New-Object -TypeName pscredential -ArgumentList "$env:COMPUTERNAME\ddns-batch", $password
        try { [void](Install-Product -More @{ TaskCredential = $login }) } catch { $said = $_.Exception.Message }
    }
    finally { Remove-LocalUser -Name $user.Name }
    Assert-That -Condition ($said -like '*AccountRight*' -or $said -like '*batch*') -Otherwise $said
    Assert-That -Condition ((Export-ScheduledTask -TaskPath '\DDNS\' -TaskName 'Update') -eq $before) -Otherwise 'the task is another one'
    $said
}
Add-Check -Id 'secret-logs' -Title 'With script block logging, module logging and transcription on, a secret is in none of them' -Test {
    $canary = 'canary-' + [guid]::NewGuid().ToString('N')
    $key = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\PowerShell'
    if (Test-Path -LiteralPath $key) { Skip-Check -Reason 'PowerShell has policies on this machine' }
    $since = [datetime]::Now
    [System.IO.File]::WriteAllText("$work\canary.txt", $canary)
    $lines = @("`$module = Import-Module '$programs\$([System.IO.File]::ReadAllText("$programs\bin\current").Trim())\ps\Ddns' -PassThru"
        '$secure = New-Object -TypeName System.Security.SecureString'
        "foreach (`$one in [System.IO.File]::ReadAllText('$work\canary.txt').ToCharArray()) { `$secure.AppendChar(`$one) }"
        'Set-DdnsConfig -Secret $secure -Verbose')
    [System.IO.File]::WriteAllLines("$work\canary.ps1", [string[]]$lines)
    try {
        foreach ($part in 'ScriptBlockLogging', 'ModuleLogging', 'Transcription', 'ModuleLogging\ModuleNames') { $null = New-Item -Path "$key\$part" -Force }
        Set-ItemProperty -LiteralPath "$key\ScriptBlockLogging" -Name 'EnableScriptBlockLogging' -Value 1
        Set-ItemProperty -LiteralPath "$key\ModuleLogging" -Name 'EnableModuleLogging' -Value 1
        Set-ItemProperty -LiteralPath "$key\ModuleLogging\ModuleNames" -Name '*' -Value '*'
        Set-ItemProperty -LiteralPath "$key\Transcription" -Name 'EnableTranscripting' -Value 1
        Set-ItemProperty -LiteralPath "$key\Transcription" -Name 'OutputDirectory' -Value "$work\transcripts"
        $done = Invoke-Program -Path 'powershell.exe' -Arguments "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$work\canary.ps1`""
    }
    finally {
        Remove-Item -LiteralPath $key -Recurse -Force
        [System.IO.File]::Delete("$work\canary.txt")
    }
    $events = @(Get-WinEvent -FilterHashtable @{ LogName = 'Microsoft-Windows-PowerShell/Operational'; StartTime = $since } -ErrorAction SilentlyContinue)
    Assert-That -Condition (@($events | Where-Object { $_.Message -like '*Set-DdnsConfig*' }).Count -gt 0) -Otherwise "the call itself is in none of $($events.Count) events: nothing was logged"
    $leaks = @($events | Where-Object { $_.Message -like "*$canary*" } | ForEach-Object { "event $($_.Id)" })
    $leaks += @(Get-ChildItem -LiteralPath "$work\transcripts", $data -Recurse -File -ErrorAction SilentlyContinue |
            Where-Object { [System.IO.File]::ReadAllText($_.FullName).Contains($canary) } | ForEach-Object { $_.FullName })
    if (($done.Out + $done.Err).Contains($canary)) { $leaks += 'output' }
    Assert-That -Condition ($leaks.Count -eq 0) -Otherwise ($leaks -join ', ')
    "in none of $($events.Count) events, transcripts, files; exit $($done.Exit)"
}
Add-Check -Id 'gallery' -Title 'The module is published to a repository in a folder, and installed from there' -Test {
    $version = [System.IO.File]::ReadAllText("$programs\bin\current").Trim()
    if (-not (Get-Command -Name 'Publish-Module' -ErrorAction SilentlyContinue)) { Skip-Check -Reason 'there is no PowerShellGet' }
    [void][System.IO.Directory]::CreateDirectory("$work\repository")
    [void][System.IO.Directory]::CreateDirectory("$work\module\Ddns")
    Copy-Item -Path "$programs\$version\ps\Ddns\*" -Destination "$work\module\Ddns" -Recurse
    foreach ($name in 'Deploy-DDNS', 'Get-DDNS', 'Uninstall-DDNS') { [void](Test-ScriptFileInfo -LiteralPath "$programs\$version\ps\$name.ps1") }
    Register-PSRepository -Name 'ddns-acceptance' -SourceLocation "$work\repository" -PublishLocation "$work\repository" -InstallationPolicy Trusted
    try {
        try { Publish-Module -Path "$work\module\Ddns" -Repository 'ddns-acceptance' -NuGetApiKey 'none' }
        catch { if ($_.Exception.Message -like '*nuget.exe*') { Skip-Check -Reason 'PowerShellGet wants nuget.exe, which is not here' } else { throw } }
        Save-Module -Name 'Ddns' -Repository 'ddns-acceptance' -Path "$work\saved"
    }
    finally { Unregister-PSRepository -Name 'ddns-acceptance' }
    $found = Test-ModuleManifest -Path "$work\saved\Ddns\$version\Ddns.psd1"
    "$($found.Name) $($found.Version): $(@($found.ExportedFunctions.Keys) -join ' ')"
}
Add-Check -Id 'idempotent' -Title 'A second deployment changes nothing' -Test {
    $again = Install-Product
    Assert-That -Condition ($again.Outcome -eq 'Unchanged') -Otherwise "outcome $($again.Outcome)"
    "$($again.Outcome) in $($again.Milliseconds) ms"
}
Add-Check -Id 'task-definition' -Title 'The task scheduler exports the task as it was registered' -Test {
    $drift = @(& (Join-Path -Path $Release -ChildPath 'Get-DDNS.ps1') -Drift)
    $rows = @($drift | Where-Object { $_.PSObject.Properties['Area'] })
    Assert-That -Condition ($rows.Count -eq 0) -Otherwise (ConvertTo-Json -InputObject $rows -Depth 4 -Compress)
    Export-ScheduledTask -TaskPath '\DDNS\' -TaskName 'Update'
}
Add-Check -Id 'task-sid' -Title 'The task has the SID that the rights on the secrets name' -Test {
    $said = (schtasks.exe /showsid /tn 'DDNS-Update') -join ' '
    Assert-That -Condition ($said -match 'S-1-5-87-[\d-]+') -Otherwise $said
    $sid = $Matches[0]
    $granted = (Get-Acl -LiteralPath "$data\secrets").Sddl
    Assert-That -Condition ($granted.Contains($sid)) -Otherwise "$sid is not in $granted"
    "$sid in $granted"
}
Add-Check -Id 'local-service' -Title 'The task runs as LOCAL SERVICE, which has no profile, and reads its secret' -Test {
    $result = Invoke-Run
    Assert-That -Condition ($result -eq 0) -Otherwise "last result $result; $((Get-PublicStatus).records | ConvertTo-Json -Depth 4 -Compress)"
    (Get-PublicStatus).run | ConvertTo-Json -Compress
}
Add-Check -Id 'secret-other-task' -Title 'Another task of LOCAL SERVICE can not read the secrets' -Test {
    $names = @(Get-ChildItem -LiteralPath "$data\secrets" -File | ForEach-Object { $_.FullName })
    if (-not $names.Count) { Skip-Check -Reason 'there is no secret' }
    $read = @($names | ForEach-Object { "type `"$_`" >nul && echo READ" })
    $said = Invoke-AsLocalService -Command ("whoami & dir `"$data\secrets`" && echo LISTED & " + ($read -join ' & '))
    Assert-That -Condition ($said -cnotmatch 'LISTED|READ') -Otherwise $said
    $said
}
Add-Check -Id 'user-denied' -Title 'A plain user reads status.json, and neither settings, secrets nor state; can write nowhere' -Test {
    $lines = @("type `"$data\public\status.json`" >nul 2>&1 && echo public: read")
    foreach ($folder in 'config', 'secrets', 'state', 'logs') { $lines += "dir `"$data\$folder`" >nul 2>&1 && echo ${folder}: read" }
    foreach ($folder in $data, "$data\public", $programs, "$programs\bin") { $lines += "(echo x>`"$folder\planted`") 2>nul && echo ${folder}: written" }
    $said = Invoke-AsVisitor -Line $lines
    Assert-That -Condition ($said -eq 'public: read') -Otherwise $said
    $said
}
Add-Check -Id 'folder-rights' -Title 'Each folder has the owner and exactly the rights that it was made with' -Test {
    [void]((schtasks.exe /showsid /tn 'DDNS-Update') -join ' ' -match 'S-1-5-87-[\d-]+')
    $users = 'S-1-5-32-545 1179817'
    $reads = 'S-1-5-19 1179817 3 Allow'
    $changes = 'S-1-5-19 1245631 3 Allow'
    $wanted = [ordered]@{
        $programs = @("$users 3 Allow"); $data = @("$users 0 Allow"); "$data\config" = @($reads); "$data\secrets" = @("$($Matches[0]) 1179817 3 Allow")
        "$data\state" = @($changes); "$data\logs" = @($changes); "$data\public" = @($changes, "$users 3 Allow")
    }
    foreach ($path in $wanted.Keys) {
        $found = Get-Rule -Path $path
        Assert-That -Condition ($found -eq (Format-Rule -More $wanted[$path])) -Otherwise "${path}: $found, not $(Format-Rule -More $wanted[$path])"
        "${path}: $((Get-Acl -LiteralPath $path).Sddl)"
    }
}
Add-Check -Id 'places-service' -Title 'LOCAL SERVICE, outside the task too, takes the machine''s places' -Test {
    $file = Get-SettingsFile -Text (Invoke-AsLocalService -Command "`"$programs\bin\ddns.exe`" config validate --json 2>nul")
    Assert-That -Condition ($file -eq "$data\config\ddns.toml") -Otherwise $file
    $file
}
Add-Check -Id 'places-filtered' -Title 'An administrator without elevation (UAC) has places of his own' -Test {
    if (-not [System.Environment]::UserInteractive) { Skip-Check -Reason 'nobody is logged on here' }
    $me = [System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    $folder = "$work\filtered"
    [void][System.IO.Directory]::CreateDirectory($folder)
    icacls.exe $folder /grant "*${me}:(OI)(CI)M" | Out-Null
    $principal = New-ScheduledTaskPrincipal -UserId $me -LogonType Interactive -RunLevel Limited
    $command = "(fltmc >nul 2>&1 && echo ELEVATED) & `"$programs\bin\ddns.exe`" config validate --json 2>nul"
    $said = Invoke-AsTask -Command $command -Principal $principal -Folder $folder
    if ($said -cmatch 'ELEVATED') { Skip-Check -Reason 'UAC does not filter this account' }
    $file = Get-SettingsFile -Text $said
    Assert-That -Condition ($file -eq "$env:LOCALAPPDATA\DDNS\ddns.toml") -Otherwise $file
    $file
}
Add-Check -Id 'places-environment' -Title 'With elevation a %ProgramData% that a user set is ignored' -Test {
    [void][System.IO.Directory]::CreateDirectory("$work\set-by-user\DDNS")
    $set = @{ ProgramData = "$work\set-by-user"; ALLUSERSPROFILE = "$work\set-by-user" }
    $done = Invoke-Program -Path "$programs\bin\ddns.exe" -Arguments 'config validate --json' -Environment $set
    $file = Get-SettingsFile -Text $done.Out
    Assert-That -Condition ($file -eq "$data\config\ddns.toml") -Otherwise $file
    $file
}
Add-Check -Id 'dpapi-account' -Title 'A secret that another account sealed is refused with a clear message' -Test {
    $blob = "$work\account.dpapi"
    $text = "Add-Type -AssemblyName System.Security; `$utf8 = [Text.Encoding]::UTF8; [IO.File]::WriteAllBytes('$blob', " +
    "[Security.Cryptography.ProtectedData]::Protect(`$utf8.GetBytes('made-up'), `$utf8.GetBytes('ddns-fleet secret 1'), 'CurrentUser'))"
    $said = Invoke-AsVisitor -WithProfile -Line "powershell.exe -NoProfile -NonInteractive -Command `"$text`""
    Assert-That -Condition ([System.IO.File]::Exists($blob)) -Otherwise "the other account could not seal: $said"
    Assert-SecretRefused -Blob $blob
}
Add-Check -Id 'dpapi-machine' -Title 'A secret that another machine sealed is refused with a clear message' -Test {
    $folder = "$work\for-others"
    [void][System.IO.Directory]::CreateDirectory($folder)
    $done = Invoke-Program -Path "$programs\bin\ddns.exe" -Arguments "secret set made-up --data `"$folder`"" -InputText "made-up`n"
    Assert-That -Condition ($done.Exit -eq 0) -Otherwise "sealing: exit $($done.Exit): $($done.Err)"
    [System.IO.File]::Copy("$folder\secrets\made-up.dpapi", "$Evidence.dpapi", $true)
    if (-not $asked.ForeignSecret) { Skip-Check -Reason "no -ForeignSecret was given; for another machine: $Evidence.dpapi" }
    Assert-SecretRefused -Blob $asked.ForeignSecret
}
Add-Check -Id 'status-held' -Title 'A run ends well while a reader holds status.json again and again' -Test {
    $path = "$data\public\status.json"
    $before = (Get-Item -LiteralPath $path).LastWriteTimeUtc
    Start-ScheduledTask -TaskPath '\DDNS\' -TaskName 'Update'
    $held = New-Object -TypeName System.Collections.ArrayList
    $ended = Wait-Until -Seconds 180 -Condition {
        # Without FILE_SHARE_DELETE, as most readers: nobody can put another file in its place meanwhile.
        try {
            $stream = New-Object -TypeName System.IO.FileStream -ArgumentList $path, 'Open', 'Read', 'Read'
            Start-Sleep -Milliseconds 80
            $stream.Dispose()
            [void]$held.Add(1)
        }
        catch { Write-Verbose -Message "just being replaced: $($_.Exception.Message)" }
        (Get-Item -LiteralPath $path).LastWriteTimeUtc -ne $before -and [string](Get-ScheduledTask -TaskPath '\DDNS\' -TaskName 'Update').State -eq 'Ready'
    }
    Assert-That -Condition $ended -Otherwise 'the run did not write status.json'
    $result = (Get-ScheduledTaskInfo -TaskPath '\DDNS\' -TaskName 'Update').LastTaskResult
    Assert-That -Condition ($result -eq 0 -and $held.Count -gt 0) -Otherwise "last result $result, held $($held.Count) times"
    [void](Get-PublicStatus)
    "last result $result, held $($held.Count) times"
}
Add-Check -Id 'session-0' -Title 'In session 0, without a desktop and a console, the program works' -Test {
    $said = Invoke-AsLocalService -Command "powershell.exe -NoProfile -Command (Get-Process -Id `$PID).SessionId & `"$programs\bin\ddns.exe`" status --json"
    $session, $json = $said.Trim().Split("`n", 2)
    Assert-That -Condition ($session.Trim() -eq '0' -and ($json | ConvertFrom-Json).command -eq 'status') -Otherwise $said
    "session $($session.Trim()), status --json read"
}
Add-Check -Id 'watch-network' -Title 'ddns watch sees a real change of an address' -Test {
    $route = Get-NetRoute -DestinationPrefix '0.0.0.0/0', '::/0' -ErrorAction SilentlyContinue | Sort-Object -Property RouteMetric | Select-Object -First 1
    if ($null -eq $route) { Skip-Check -Reason 'this machine has no way out' }
    $watch = Start-Watch -Every '1h'
    # A unique local address that nothing is sent from: what else is configured stays as it is.
    $address = @{ InterfaceIndex = $route.InterfaceIndex; IPAddress = 'fd00:ddd5:acce::77'; PolicyStore = 'ActiveStore' }
    try {
        $begun = Wait-Until -Seconds 120 -Condition { @(Get-WatchReason -Watch $watch) -contains 'start' }
        Assert-That -Condition $begun -Otherwise 'the first run did not end'
        New-NetIPAddress @address -AddressFamily IPv6 -PrefixLength 64 -SkipAsSource $true | Out-Null
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        $seen = Wait-Until -Seconds 120 -Condition { @(Get-WatchReason -Watch $watch) -contains 'network' }
        Assert-That -Condition $seen -Otherwise "reasons: $(@(Get-WatchReason -Watch $watch) -join ' ')"
        "a run because of the network, told $([int]$clock.Elapsed.TotalSeconds) s after the change"
    }
    finally {
        Remove-NetIPAddress @address -Confirm:$false -ErrorAction SilentlyContinue
        if (-not $watch.Process.HasExited) { $watch.Process.Kill() }
    }
}
Add-Check -Id 'sleep' -Title 'After a sleep Windows tells how long it was, and ddns watch runs because of it' -Test {
    if (-not $asked.Sleep) { Skip-Check -Reason 'the machine may not sleep (-Sleep)' }
    $source = '[DllImport("kernel32")] static extern bool QueryUnbiasedInterruptTime(out ulong time);
[DllImport("kernel32")] static extern ulong GetTickCount64();
[DllImport("powrprof", SetLastError = true)] static extern bool SetSuspendState(bool hibernate, bool force, bool noWake);
public static bool Suspend() { return SetSuspendState(false, false, false); }
public static double Bias() { ulong awake; QueryUnbiasedInterruptTime(out awake); return GetTickCount64() / 1000.0 - awake / 1e7; }'
    $power = Add-Type -Namespace 'Acceptance' -Name 'Power' -MemberDefinition $source -PassThru
    $watch = Start-Watch -Every '1d'
    try {
        $begun = Wait-Until -Seconds 120 -Condition { @(Get-WatchReason -Watch $watch) -contains 'start' }
        Assert-That -Condition $begun -Otherwise 'the first run did not end'
        $wake = @{
            Action = New-ScheduledTaskAction -Execute 'cmd.exe' -Argument '/c exit'
            Trigger = New-ScheduledTaskTrigger -Once -At ([datetime]::Now.AddSeconds(120))
            Settings = New-ScheduledTaskSettingsSet -WakeToRun
            Principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount
        }
        Register-ScheduledTask -TaskPath '\DDNS-Acceptance\' -TaskName 'Wake' @wake -Force | Out-Null
        $before = $power::Bias()
        Assert-That -Condition $power::Suspend() -Otherwise 'this machine can not sleep'
        $slept = Wait-Until -Seconds 300 -Condition { $power::Bias() -gt $before + 10 }
        Assert-That -Condition $slept -Otherwise "asleep for $($power::Bias() - $before) s"
        $seen = Wait-Until -Seconds 120 -Condition { @(Get-WatchReason -Watch $watch) -contains 'resume' }
        Assert-That -Condition $seen -Otherwise "asleep for $($power::Bias() - $before) s, reasons: $(@(Get-WatchReason -Watch $watch) -join ' ')"
        "asleep for $([int]($power::Bias() - $before)) s, then a run because of it"
    }
    finally {
        Unregister-ScheduledTask -TaskPath '\DDNS-Acceptance\' -TaskName 'Wake' -Confirm:$false -ErrorAction SilentlyContinue
        if (-not $watch.Process.HasExited) { $watch.Process.Kill() }
    }
}
Add-Check -Id 'wow-registry' -Title 'The 32-bit program reads the policy, and a 32-bit one finds MachineGuid where it looks' -Test {
    $zip = Get-ChildItem -LiteralPath $Release -File | Where-Object { $_.Name -match '^ddns-.*-windows-x86(-for-testing)?\.zip$' } | Select-Object -First 1
    $shell = "$env:SystemRoot\SysWOW64\WindowsPowerShell\v1.0\powershell.exe"
    if ($null -eq $zip -or -not [System.IO.File]::Exists($shell)) { Skip-Check -Reason 'there is no 32-bit release, or no 64-bit Windows' }
    $key = 'HKLM:\SOFTWARE\Policies\DDNS'
    if (Test-Path -LiteralPath $key) { Skip-Check -Reason 'this machine has a policy for ddns' }
    try {
        New-Item -Path "$key\Detect" -Force | Out-Null
        New-ItemProperty -LiteralPath "$key\Detect" -Name 'timeout' -Value '7s' -PropertyType String | Out-Null
        $done = Invoke-Program -Path (Expand-Program -Zip $zip.FullName) -Arguments 'config show --json'
        $told = ($done.Out | ConvertFrom-Json).data.values.'detect.timeout'
        Assert-That -Condition ($told.value -eq '7s' -and $told.layer -eq 'policy') -Otherwise "exit $($done.Exit): $($told | ConvertTo-Json -Compress)$($done.Err)"
    }
    finally { Remove-Item -LiteralPath $key -Recurse }
    $text = "[Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64').OpenSubKey('SOFTWARE\Microsoft\Cryptography').GetValue('MachineGuid')"
    $seen = (Invoke-Program -Path $shell -Arguments "-NoProfile -NonInteractive -Command `"$text`"").Out.Trim()
    $mine = (Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Cryptography').MachineGuid
    Assert-That -Condition ($seen -eq $mine) -Otherwise "32-bit: $seen"
    'detect.timeout = 7s of the policy; the same MachineGuid'
}
Add-Check -Id 'no-window' -Title 'A run of the task shows no window' -Test {
    Start-ScheduledTask -TaskPath '\DDNS\' -TaskName 'Update'
    $seen = New-Object -TypeName System.Collections.ArrayList
    [void](Wait-Until -Seconds 30 -Condition {
            foreach ($process in Get-AppProcess) { [void]$seen.Add([long]$process.MainWindowHandle) }
            $seen.Count -gt 0 -and [string](Get-ScheduledTask -TaskPath '\DDNS\' -TaskName 'Update').State -eq 'Ready'
        })
    if (-not $seen.Count) { Skip-Check -Reason 'the run was over before it was seen' }
    Assert-That -Condition (-not @($seen | Where-Object { $_ -ne 0 }).Count) -Otherwise "window handles $($seen -join ' ')"
    "$($seen.Count) looks, no window"
}
Add-Check -Id 'repetition' -Title 'The task starts by time, every minute when so deployed' -Test {
    $since = [datetime]::Now
    [void](Install-Product -More @{ Interval = '1m' })
    try {
        $twice = Wait-Until -Seconds 200 -Condition { @(Get-TriggerEvent -Id 107 -Since $since).Count -ge 2 }
        Assert-That -Condition $twice -Otherwise "starts: $(@(Get-TriggerEvent -Id 107 -Since $since) -join ' ')"
        @(Get-TriggerEvent -Id 107 -Since $since) -join ' '
    }
    finally { [void](Install-Product -More @{ Interval = '10m' }) }
}
Add-Check -Id 'managed-account' -Title 'The task runs as a group managed service account, in the machine''s places' -Test {
    $account = $asked.ServiceAccount
    if (-not $account) { Skip-Check -Reason 'no -ServiceAccount was given' }
    [void](Install-Product -More @{ Account = $account })
    try {
        $before = (Get-Item -LiteralPath "$data\public\status.json").LastWriteTimeUtc
        $result = Invoke-Run
        $written = (Get-Item -LiteralPath "$data\public\status.json").LastWriteTimeUtc
        Assert-That -Condition ($result -eq 0 -and $written -gt $before) -Otherwise "last result $result, the machine's status.json is of $written"
        "$account, last result $result, the machine's status.json is of $($written.ToString('o'))"
    }
    finally { [void](Install-Product -More @{ Account = 'LocalService' }) }
}
Add-Check -Id 'console-output' -Title 'Typed in a console, ddns.exe is waited for, and its output is in the window' -Test {
    if ($Host.Name -ne 'ConsoleHost' -or [System.Console]::IsOutputRedirected) { Skip-Check -Reason 'this is no console window' }
    $top = [System.Console]::CursorTop
    & "$programs\bin\ddns.exe" --version
    $code = $LASTEXITCODE
    $rows = New-Object -TypeName System.Management.Automation.Host.Rectangle -ArgumentList 0, $top, 60, ([System.Console]::CursorTop)
    $cells = $Host.UI.RawUI.GetBufferContents($rows)
    $text = -join ($cells | ForEach-Object { $_.Character })
    Assert-That -Condition ($code -eq 0 -and $text -match '\d+\.\d+\.\d+') -Otherwise "exit $code, window: $text"
    "exit $code, window: $($text.Trim())"
}
Add-Check -Id 'console-app' -Title 'Typed by its full path, the windowless program prints to the console it is called from' -Test {
    if ($Host.Name -ne 'ConsoleHost' -or [System.Console]::IsOutputRedirected) { Skip-Check -Reason 'this is no console window' }
    $top = [System.Console]::CursorTop
    $process = Start-Process -FilePath $app -ArgumentList '--version' -NoNewWindow -PassThru -Wait
    $rows = New-Object -TypeName System.Management.Automation.Host.Rectangle -ArgumentList 0, $top, 60, ([System.Console]::CursorTop + 1)
    $cells = $Host.UI.RawUI.GetBufferContents($rows)
    $text = -join ($cells | ForEach-Object { $_.Character })
    Assert-That -Condition ($process.ExitCode -eq 0 -and $text -match '\d+\.\d+\.\d+') -Otherwise "exit $($process.ExitCode), window: $text"
    "window: $($text.Trim())"
}
Add-Check -Id 'console-file' -Title 'ddns.exe > file writes the file, through the launcher and without it' -Test {
    foreach ($exe in "$programs\bin\ddns.exe", $app) {
        $file = Join-Path -Path $work -ChildPath 'out.txt'
        $how = @{ RedirectStandardOutput = $file; RedirectStandardError = "$file.err"; Wait = $true; PassThru = $true; WindowStyle = 'Hidden' }
        $process = Start-Process -FilePath $exe -ArgumentList '--version' @how
        $text = [System.IO.File]::ReadAllText($file)
        $right = $process.ExitCode -eq 0 -and $text -match '\d+\.\d+\.\d+'
        Assert-That -Condition $right -Otherwise "$exe, exit $($process.ExitCode): $text$([System.IO.File]::ReadAllText("$file.err"))"
    }
    $script = Join-Path -Path $work -ChildPath 'file.cmd'
    [System.IO.File]::WriteAllLines($script, [string[]]('@echo off', "`"$programs\bin\ddns.exe`" status --json > `"$work\status.json`"", 'echo %errorlevel%'))
    $done = Invoke-Program -Path 'cmd.exe' -Arguments "/c `"$script`""
    $parsed = [System.IO.File]::ReadAllText("$work\status.json") | ConvertFrom-Json
    Assert-That -Condition ($parsed.command -eq 'status') -Otherwise "cmd: $($done.Out)"
    "cmd: errorlevel $($done.Out.Trim())"
}
Add-Check -Id 'console-findstr' -Title 'In cmd, findstr filters what ddns.exe prints' -Test {
    $script = Join-Path -Path $work -ChildPath 'findstr.cmd'
    $pipe = "`"$programs\bin\ddns.exe`" status --json | findstr /c:"
    [System.IO.File]::WriteAllLines($script, [string[]]('@echo off', "$pipe`"command`"", 'echo %errorlevel%', "$pipe`"no-such-thing`"", 'echo %errorlevel%'))
    $done = Invoke-Program -Path 'cmd.exe' -Arguments "/c `"$script`""
    $lines = @($done.Out.Trim().Split("`n") | ForEach-Object { $_.Trim() })
    $right = $lines.Count -eq 3 -and $lines[0] -match '"command"' -and $lines[1] -eq '0' -and $lines[2] -eq '1'
    Assert-That -Condition $right -Otherwise "$($done.Out)$($done.Err)"
    $lines -join '; '
}
Add-Check -Id 'console-width' -Title 'Tables are as wide as the console window is' -Test {
    if ($Host.Name -ne 'ConsoleHost' -or [System.Console]::IsOutputRedirected) { Skip-Check -Reason 'this is no console window' }
    $width = [System.Console]::WindowWidth
    # A pipe has no width: there COLUMNS says it.
    $texts = foreach ($columns in $width, 80) {
        (Invoke-Program -Path "$programs\bin\ddns.exe" -Arguments 'config show' -Environment @{ COLUMNS = "$columns" }).Out.TrimEnd()
    }
    if ($texts[0] -eq $texts[1]) { Skip-Check -Reason "the table looks the same with $width and with 80 columns; change the window's width" }
    $wanted = @($texts[0].Split("`n") | ForEach-Object { ($_ -replace '[^\x20-\x7e]+', '?').TrimEnd(' ?') })
    [System.Console]::Clear()
    & "$programs\bin\ddns.exe" config show
    $rows = New-Object -TypeName System.Management.Automation.Host.Rectangle -ArgumentList 0, 0, ($width - 1), ([System.Console]::CursorTop - 1)
    $cells = $Host.UI.RawUI.GetBufferContents($rows)
    $seen = for ($row = 0; $row -lt $cells.GetLength(0); $row++) {
        $line = -join $(for ($column = 0; $column -lt $cells.GetLength(1); $column++) { $cells[$row, $column].Character })
        ($line -replace '[^\x20-\x7e]+', '?').TrimEnd(' ?')
    }
    # The last ones: a long table may have scrolled away at the top.
    $last = [math]::Min($wanted.Count, @($seen).Count)
    $right = (@($wanted)[-$last..-1] -join "`n") -eq (@($seen)[-$last..-1] -join "`n")
    Assert-That -Condition $right -Otherwise "$width columns: $(@($seen) -join "`n")"
    "$width columns, $last lines as they should be"
}
Add-Check -Id 'console-code' -Title 'Exit codes arrive in cmd and in PowerShell' -Test {
    $script = Join-Path -Path $work -ChildPath 'code.cmd'
    [System.IO.File]::WriteAllLines($script, [string[]]('@echo off', "`"$programs\bin\ddns.exe`" no-such-command", 'echo %errorlevel%'))
    $done = Invoke-Program -Path 'cmd.exe' -Arguments "/c `"$script`""
    Assert-That -Condition ($done.Out.Trim() -eq '2') -Otherwise "cmd: $($done.Out)"
    $done = Invoke-Program -Path 'powershell.exe' -Arguments "-NoProfile -Command `"& '$programs\bin\ddns.exe' no-such-command; exit `$LASTEXITCODE`""
    Assert-That -Condition ($done.Exit -eq 2) -Otherwise "PowerShell: $($done.Exit)"
    'cmd: 2, PowerShell: 2'
}
Add-Check -Id 'console-ctrl-c' -Title 'Ctrl-C ends the program, and the launcher hands on its code' -Test {
    $launched = Start-Process -FilePath "$programs\bin\ddns.exe" -ArgumentList 'watch' -PassThru -WindowStyle Minimized
    $null = $launched.Handle
    Assert-That -Condition (Wait-Until -Seconds 30 -Condition { (Get-AppProcess).Count -gt 0 }) -Otherwise 'the program did not start'
    Start-Sleep -Seconds 3
    $source = 'using System; using System.Runtime.InteropServices; public static class Keys {
[DllImport("kernel32")] static extern bool FreeConsole();
[DllImport("kernel32")] static extern bool AttachConsole(uint process);
[DllImport("kernel32")] static extern bool SetConsoleCtrlHandler(IntPtr handler, bool add);
[DllImport("kernel32")] static extern bool GenerateConsoleCtrlEvent(uint kind, uint group);
public static bool CtrlC(uint process) { FreeConsole(); if (!AttachConsole(process)) return false;
SetConsoleCtrlHandler(IntPtr.Zero, true); return GenerateConsoleCtrlEvent(0, 0); } }'
    $helper = Join-Path -Path $work -ChildPath 'keys.ps1'
    [System.IO.File]::WriteAllText($helper, "Add-Type -TypeDefinition '$source'; [Keys]::CtrlC($($launched.Id)); Start-Sleep -Seconds 2")
    $sent = Invoke-Program -Path 'powershell.exe' -Arguments "-NoProfile -ExecutionPolicy Bypass -File `"$helper`""
    try {
        Assert-That -Condition ($launched.WaitForExit(30000)) -Otherwise "it goes on; sending said $($sent.Out)$($sent.Err)"
        Assert-That -Condition ($launched.ExitCode -in 0, 130) -Otherwise "exit $($launched.ExitCode)"
        Assert-That -Condition (Wait-Until -Seconds 10 -Condition { (Get-AppProcess).Count -eq 0 }) -Otherwise 'the program is still there'
        "exit $($launched.ExitCode)"
    }
    finally { if (-not $launched.HasExited) { $launched.Kill() } }
}
Add-Check -Id 'console-kill' -Title 'Ended by force, the launcher leaves no program behind' -Test {
    $launched = Start-Process -FilePath "$programs\bin\ddns.exe" -ArgumentList 'watch' -PassThru -WindowStyle Minimized
    Assert-That -Condition (Wait-Until -Seconds 30 -Condition { (Get-AppProcess).Count -gt 0 }) -Otherwise 'the program did not start'
    $launched.Kill()
    Assert-That -Condition (Wait-Until -Seconds 10 -Condition { (Get-AppProcess).Count -eq 0 }) -Otherwise 'the program is still there'
    'gone'
}
Add-Check -Id 'path' -Title 'A new shell finds ddns on PATH' -Test {
    $fresh = [System.Environment]::GetEnvironmentVariable('PATH', 'Machine')
    Assert-That -Condition (@($fresh.Split(';') | Where-Object { $_.TrimEnd('\') -eq "$programs\bin" }).Count -eq 1) -Otherwise $fresh
    "$programs\bin"
}
Add-Check -Id 'event-log' -Title 'An event of the program is read back with its text' -Test {
    $file = "$data\config\ddns.toml"
    $kept = [System.IO.File]::ReadAllBytes($file)
    $since = [datetime]::Now
    try {
        [System.IO.File]::AppendAllText($file, "`nno_such_key = 1`n")
        $result = Invoke-Run
        $filter = @{ LogName = 'Application'; ProviderName = 'DDNS'; StartTime = $since }
        $seen = Wait-Until -Seconds 20 -Condition { @(Get-WinEvent -FilterHashtable $filter -ErrorAction SilentlyContinue).Count -gt 0 }
        Assert-That -Condition $seen -Otherwise "no event; the run ended with $result"
        $event300 = Get-WinEvent -FilterHashtable $filter -MaxEvents 1
        $right = $result -eq 10 -and $event300.Id -eq 300 -and $event300.Message -like '*no_such_key*'
        Assert-That -Condition $right -Otherwise "result $result, event $($event300.Id): $($event300.Message)"
        $event300.Message
    }
    finally { [System.IO.File]::WriteAllBytes($file, $kept) }
}
Add-Check -Id 'trust' -Title 'TLS to public services is trusted through the store of Windows' -Test {
    $done = Invoke-Program -Path "$programs\bin\ddns.exe" -Arguments 'detect --json'
    Assert-That -Condition ($done.Exit -eq 0) -Otherwise "exit $($done.Exit): $($done.Out)$($done.Err)"
    $done.Out
}
Add-Check -Id 'long-path' -Title 'A data folder beyond 260 characters works where Windows allows it' -Test {
    $allowed = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\FileSystem' -Name 'LongPathsEnabled' -ErrorAction SilentlyContinue
    if ($null -eq $allowed -or $allowed.LongPathsEnabled -ne 1) { Skip-Check -Reason 'long paths are not enabled on this machine' }
    $folder = "$work\" + ('long-folder-name\' * 20)
    [void][System.IO.Directory]::CreateDirectory("\\?\$folder")
    $done = Invoke-Program -Path "$programs\bin\ddns.exe" -Arguments "config validate --data `"$($folder.TrimEnd('\'))`""
    [System.IO.Directory]::Delete("\\?\$work\long-folder-name", $true)
    Assert-That -Condition ($done.Exit -eq 10 -and $done.Err -match 'no settings') -Otherwise "exit $($done.Exit): $($done.Err)"
    "$($folder.Length) characters: $($done.Err.Trim())"
}
Add-Check -Id 'remoting' -Title 'Over WinRM the launcher is waited for, and its output comes back' -Test {
    if ((Get-Service -Name 'WinRM').Status -ne 'Running') { Skip-Check -Reason 'WinRM does not run on this machine' }
    $exe = "$programs\bin\ddns.exe"
    $back = Invoke-Command -ComputerName 'localhost' -ScriptBlock {
        $text = & $using:exe status --json
        [pscustomobject]@{ Exit = $LASTEXITCODE; Text = $text -join "`n" }
    }
    Assert-That -Condition (($back.Text | ConvertFrom-Json).command -eq 'status') -Otherwise "exit $($back.Exit): $($back.Text)"
    "exit $($back.Exit)"
}
Add-Check -Id 'fleet' -Title 'Get-DDNS.ps1 asks by WinRM: this machine, another name for it, and one that is not there' -Test {
    if ((Get-Service -Name 'WinRM').Status -ne 'Running') { Skip-Check -Reason 'WinRM does not run on this machine' }
    $machines = @{ Name = $env:COMPUTERNAME; Address = 'localhost' }, @{ Name = 'not-this-one'; Address = 'localhost' }, @{ Name = 'nowhere.invalid' }
    $rows = @(& (Join-Path -Path $Release -ChildPath 'Get-DDNS.ps1') -ComputerName $machines -Detailed -ErrorAction SilentlyContinue)
    $told = @($rows | ForEach-Object { '{0}: {1} {2}' -f $_.ComputerName, $_.Outcome, $(if ($_.Error) { $_.Error.Code }) } | Sort-Object) -join '; '
    $wanted = @("$($env:COMPUTERNAME): Ok ", 'not-this-one: Failed WrongMachine', 'nowhere.invalid: Unreachable NameUnknown' | Sort-Object) -join '; '
    Assert-That -Condition ($told -eq $wanted) -Otherwise $told
    $told
}
Add-Check -Id 'report' -Title 'Get-DDNS.ps1 shows this machine as a list, and writes the three kinds of report' -Test {
    $script = Join-Path -Path $Release -ChildPath 'Get-DDNS.ps1'
    $said = (& $script | Out-String).Trim()
    Assert-That -Condition ($said -match '(?m)^Health\s+: ' -and $said -match '(?m)^Last run\s+: ') -Otherwise $said
    $sizes = foreach ($kind in 'csv', 'json', 'html') {
        $null = & $script -ReportPath "$work\report.$kind"
        Assert-That -Condition ($LASTEXITCODE -in 0, 1) -Otherwise "${kind}: exit $LASTEXITCODE"
        $text = [System.IO.File]::ReadAllText("$work\report.$kind")
        Assert-That -Condition $text.Contains($env:COMPUTERNAME) -Otherwise "the $kind does not name this machine"
        "${kind}: $($text.Length)"
    }
    "$said; $($sizes -join ', ')"
}
Add-Check -Id 'applocker' -Title 'AppLocker has what its publisher rules need, and has stopped nothing' -Test {
    if (-not (Get-Command -Name 'Get-AppLockerFileInformation' -ErrorAction SilentlyContinue)) { Skip-Check -Reason 'this edition has no AppLocker commands' }
    $files = @(Get-AppLockerFileInformation -Directory $programs -Recurse -FileType Exe, Dll, Script)
    $policy = $files | New-AppLockerPolicy -RuleType Publisher, Hash -User 'Everyone' -Optimize
    $verdicts = @($policy | Test-AppLockerPolicy -Path "$programs\bin\ddns.exe", $app -User 'S-1-5-19')
    Assert-That -Condition (-not @($verdicts | Where-Object { [string]$_.PolicyDecision -ne 'Allowed' }).Count) -Otherwise ($verdicts | Out-String)
    $logs = 'Microsoft-Windows-AppLocker/EXE and DLL', 'Microsoft-Windows-AppLocker/MSI and Script'
    $filter = @{ LogName = $logs; Id = 8003, 8004, 8006, 8007; StartTime = $started }
    $stopped = @(Get-WinEvent -FilterHashtable $filter -ErrorAction SilentlyContinue | Where-Object { $_.Message -like '*DDNS*' })
    Assert-That -Condition ($stopped.Count -eq 0) -Otherwise $stopped[0].Message
    "$($files.Count) files, $(@($files | Where-Object { $_.Publisher }).Count) with a publisher; both exes allowed"
}
Add-Check -Id 'network-profile' -Title 'The profile of this machine''s network is the one that Windows shows' -Test {
    $route = Get-NetRoute -DestinationPrefix '0.0.0.0/0' -ErrorAction SilentlyContinue | Sort-Object -Property RouteMetric | Select-Object -First 1
    if (-not $route) { Skip-Check -Reason 'this machine has no IPv4 router' }
    $shown = Get-NetConnectionProfile -InterfaceIndex $route.InterfaceIndex
    $category = @{ Public = 'public'; Private = 'private'; DomainAuthenticated = 'domain' }[[string]$shown.NetworkCategory]
    $folder = (New-Item -ItemType Directory -Path (Join-Path -Path $work -ChildPath ([guid]::NewGuid().ToString('N')))).FullName
    $said = foreach ($network in "profile:$($shown.Name)", "category:$category", 'profile:nowhere') {
        $text = 'schema = 1', '[detect]', 'sources = ["interface"]', "networks = ['$network']"
        [System.IO.File]::WriteAllLines("$folder\ddns.toml", [string[]]$text)
        $done = Invoke-Program -Path "$programs\bin\ddns.exe" -Arguments "detect -4 --json --data `"$folder`""
        ($done.Out | ConvertFrom-Json).data.families[0].because
    }
    Assert-That -Condition (@($said).Count -eq 3 -and -not $said[0] -and -not $said[1] -and $said[2] -like "*($($shown.Name), $category)*") -Otherwise ($said -join '; ')
    $said[2]
}
Add-Check -Id 'command-owner' -Title 'A command is taken from settings below ProgramData that administrators own, and from no others' -Test {
    $folder = Join-Path -Path $env:ProgramData -ChildPath 'DDNS-acceptance'
    [void][System.IO.Directory]::CreateDirectory($folder)
    try {
        $text = 'schema = 1', '[detect]', "sources = [{ command = ['$env:SystemRoot\System32\cmd.exe', '/c', 'echo 192.0.2.1'], operator = 'own' }]"
        [System.IO.File]::WriteAllLines("$folder\ddns.toml", [string[]]$text)
        $ask = { Invoke-Program -Path "$programs\bin\ddns.exe" -Arguments "detect --json --data `"$folder`"" }
        $open = & $ask
        [void](icacls.exe $folder /setowner '*S-1-5-32-544' /T)
        [void](icacls.exe $folder /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F')
        $closed = & $ask
    }
    finally { [System.IO.Directory]::Delete($folder, $true) }
    Assert-That -Condition ($open.Exit -eq 10 -and $open.Err -match 'is not run') -Otherwise "open to users, exit $($open.Exit): $($open.Err)"
    Assert-That -Condition ($closed.Exit -ne 10 -and $closed.Out -match '192\.0\.2\.1') -Otherwise "closed, exit $($closed.Exit): $($closed.Err)"
    $open.Err.Trim()
}
Add-Check -Id 'defender' -Title 'Microsoft Defender finds nothing in the program' -Test {
    if (-not (Get-Command -Name 'Get-MpComputerStatus' -ErrorAction SilentlyContinue)) { Skip-Check -Reason 'Microsoft Defender is not on this machine' }
    $state = Get-MpComputerStatus
    if (-not $state.AntivirusEnabled) { Skip-Check -Reason 'Microsoft Defender is switched off' }
    Start-MpScan -ScanType CustomScan -ScanPath $programs
    $found = @(Get-MpThreatDetection | Where-Object { $_.InitialDetectionTime -ge $started -and ($_.Resources -join ' ') -like '*DDNS*' })
    Assert-That -Condition ($found.Count -eq 0) -Otherwise ($found | ConvertTo-Json -Depth 3 -Compress)
    Assert-That -Condition ([System.IO.File]::Exists($app)) -Otherwise "$app is gone"
    "signatures $($state.AntivirusSignatureVersion) of $($state.AntivirusSignatureLastUpdated.ToUniversalTime().ToString('o'))"
}
Add-Check -Id 'service' -Title 'As a service it starts, recovers when it is killed, and stops' -Test {
    [void](Install-Product -More @{ Mode = 'Service' })
    try {
        $runs = Wait-Until -Seconds 60 -Condition { [string](Get-Service -Name 'DDNS').Status -eq 'Running' -and (Get-AppProcess).Count -gt 0 }
        Assert-That -Condition $runs -Otherwise 'the service does not run'
        $first = (Get-CimInstance -ClassName Win32_Service -Filter "Name='DDNS'").ProcessId
        Stop-Process -Id $first -Force
        $again = Wait-Until -Seconds 180 -Condition {
            $now = (Get-CimInstance -ClassName Win32_Service -Filter "Name='DDNS'").ProcessId
            $now -ne 0 -and $now -ne $first
        }
        Assert-That -Condition $again -Otherwise "it did not start again; $((sc.exe qfailure DDNS) -join ' ')"
        Stop-Service -Name 'DDNS'
        "process $first, then another"
    }
    finally { [void](Install-Product -More @{ Mode = 'Task' }) }
}
Add-Check -Id 'service-settings' -Title 'The service starts delayed, has its own SID, recovers from errors too, and is in session 0' -Test {
    [void](Install-Product -More @{ Mode = 'Service' })
    try {
        $key = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Services\DDNS'
        $flags = "start $($key.Start), delayed $($key.DelayedAutostart), SID type $($key.ServiceSidType), failure flag $($key.FailureActionsOnNonCrashFailures)"
        Assert-That -Condition ($flags -eq 'start 2, delayed 1, SID type 1, failure flag 1') -Otherwise $flags
        # SERVICE_FAILURE_ACTIONS as the registry has it: five words, then type and milliseconds of each action.
        $words = @(for ($at = 0; $at -lt $key.FailureActions.Length; $at += 4) { [System.BitConverter]::ToUInt32($key.FailureActions, $at) })
        $actions = $words[5..10] -join ' '
        Assert-That -Condition ($words[0] -eq 86400 -and $actions -eq '1 60000 1 60000 1 300000') -Otherwise "recovery: $($words -join ' ')"
        $account = New-Object -TypeName System.Security.Principal.NTAccount -ArgumentList 'NT SERVICE\DDNS'
        $sid = $account.Translate([System.Security.Principal.SecurityIdentifier]).Value
        Assert-That -Condition ((Get-Rule -Path "$data\secrets") -like "*$sid *") -Otherwise "$sid has no right: $(Get-Rule -Path "$data\secrets")"
        $runs = Wait-Until -Seconds 60 -Condition { (Get-CimInstance -ClassName Win32_Service -Filter "Name='DDNS'").ProcessId -ne 0 }
        Assert-That -Condition $runs -Otherwise 'the service does not run'
        $session = (Get-Process -Id (Get-CimInstance -ClassName Win32_Service -Filter "Name='DDNS'").ProcessId).SessionId
        Assert-That -Condition ($session -eq 0) -Otherwise "session $session"
        "$flags, recovery $actions, $sid, session $session"
    }
    finally { [void](Install-Product -More @{ Mode = 'Task' }) }
}
Add-Check -Id 'entry' -Title 'Programs and Features lists the program' -Test {
    $entry = Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\DDNS'
    "$($entry.DisplayName) $($entry.DisplayVersion), $($entry.Publisher), $($entry.EstimatedSize) KiB"
}
Add-Check -Id 'boot' -At 'AfterBoot' -Title 'The restarted machine has run the task by itself' -Test {
    $boot = (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime
    Assert-That -Condition ($boot.ToUniversalTime() -gt [datetime]::Parse($kept.written_at).ToUniversalTime()) -Otherwise "the last start was $boot, before the first stage"
    $starts = @(Get-TriggerEvent -Id 118 -Since $boot)
    Assert-That -Condition ($starts.Count -gt 0) -Otherwise "no start by boot since $boot"
    "boot $($boot.ToUniversalTime().ToString('o')), started $($starts -join ' ')"
}
Add-Check -Id 'network' -At 'AfterBoot' -Title 'A network that came has started the task' -Test {
    $starts = @(Get-TriggerEvent -Id 108 -Since ([datetime]::Parse($kept.written_at)))
    $filter = @{ LogName = 'Microsoft-Windows-NetworkProfile/Operational'; Id = 10000; StartTime = [datetime]::Parse($kept.written_at) }
    $networks = @(Get-WinEvent -FilterHashtable $filter -ErrorAction SilentlyContinue)
    if (-not $networks.Count) { Skip-Check -Reason 'no network came since the first stage' }
    Assert-That -Condition ($starts.Count -gt 0) -Otherwise "$($networks.Count) networks came, none started the task"
    $starts -join ' '
}
Add-Check -Id 'resume' -At 'AfterBoot' -Title 'Waking up has started the task' -Test {
    $since = [datetime]::Parse($kept.written_at)
    $sleep = @{ LogName = 'System'; ProviderName = 'Microsoft-Windows-Power-Troubleshooter'; Id = 1; StartTime = $since }
    $standby = @{ LogName = 'System'; ProviderName = 'Microsoft-Windows-Kernel-Power'; Id = 507; StartTime = $since }
    $wakes = @($sleep, $standby | ForEach-Object { Get-WinEvent -FilterHashtable $_ -ErrorAction SilentlyContinue })
    if (-not $wakes.Count) { Skip-Check -Reason 'the machine did not sleep between the stages' }
    $starts = @(Get-TriggerEvent -Id 108 -Since $since | Where-Object {
            $start = [datetime]::Parse($_)
            @($wakes | Where-Object { [math]::Abs(($start - $_.TimeCreated).TotalSeconds) -lt 180 }).Count
        })
    Assert-That -Condition ($starts.Count -gt 0) -Otherwise "$($wakes.Count) times awake, none started the task"
    $starts -join ' '
}
Add-Check -Id 'uninstall' -At 'Removed' -Title 'Uninstalling leaves nothing behind' -Test {
    Uninstall-Product
    $left = @(Get-Leftover)
    Assert-That -Condition ($left.Count -eq 0) -Otherwise ($left -join '; ')
    'nothing'
}
Add-Check -Id 'planted-junction' -At 'Removed' -Title 'A junction in the place of the data folder is refused, and nothing goes where it leads' -Test {
    $other = "$work\elsewhere"
    [void][System.IO.Directory]::CreateDirectory($other)
    cmd.exe /c mklink /J $data $other | Out-Null
    Assert-That -Condition ([System.IO.Directory]::Exists($data)) -Otherwise 'the junction could not be made'
    try {
        Assert-FolderRefused
        $came = @(Get-ChildItem -LiteralPath $other -Force)
        Assert-That -Condition ($came.Count -eq 0) -Otherwise "in $other there is $($came[0].Name)"
    }
    finally { [System.IO.Directory]::Delete($data) }
}
Add-Check -Id 'planted-folder' -At 'Removed' -Title 'A data folder that a user made is refused' -Test {
    $said = Invoke-AsVisitor -Line "mkdir `"$data`""
    Assert-That -Condition ([System.IO.Directory]::Exists($data)) -Otherwise "the user could not make it: $said"
    try { Assert-FolderRefused }
    finally { [System.IO.Directory]::Delete($data, $true) }
}
Add-Check -Id 'folder-made' -At 'Removed' -Title 'A folder that the program makes for the machine belongs to administrators, and has its rights' -Test {
    $exe = Expand-Program -Zip (Find-ReleaseFile -Ending 'zip')
    try {
        $done = Invoke-Program -Path $exe -Arguments 'secret set made-up' -InputText "made-up`n"
        Assert-That -Condition ($done.Exit -eq 0) -Otherwise "exit $($done.Exit): $($done.Err)"
        Assert-That -Condition ((Get-Rule -Path "$data\secrets") -eq (Format-Rule)) -Otherwise (Get-Rule -Path "$data\secrets")
        $look = Format-Rule -More 'S-1-5-32-545 1179817 0 Allow'
        Assert-That -Condition ((Get-Rule -Path $data) -eq $look) -Otherwise (Get-Rule -Path $data)
        (Get-Acl -LiteralPath "$data\secrets").Sddl
    }
    finally { if ([System.IO.Directory]::Exists($data)) { [System.IO.Directory]::Delete($data, $true) } }
}
Add-Check -Id 'msi' -At 'Removed' -Title 'The MSI installs, repairs and uninstalls silently, and leaves nothing behind' -Test {
    $package = Find-ReleaseFile -Ending 'msi'
    if (-not $package) { Skip-Check -Reason 'there is no MSI in the release' }
    $codes = foreach ($what in '/i', '/fa', '/x') {
        $done = Invoke-Program -Path 'msiexec.exe' -Arguments "$what `"$package`" /qn /norestart" -Seconds 300
        $done.Exit
        if ($what -eq '/i') {
            $version = Invoke-Program -Path "$programs\bin\ddns.exe" -Arguments '--version'
            $version.Exit
        }
    }
    Assert-That -Condition (-not @($codes | Where-Object { $_ -ne 0 }).Count) -Otherwise "install, --version, repair, uninstall: $($codes -join ' ')"
    $left = @(Get-Leftover)
    Assert-That -Condition ($left.Count -eq 0) -Otherwise ($left -join '; ')
    "install, --version, repair, uninstall: $($codes -join ' ')"
}
Add-Check -Id 'msi-upgrade' -At 'Removed' -Title 'The MSI takes the place of an older one, and keeps the data' -Test {
    Use-OlderMsi -Act {
        param($newer, $was)
        [void][System.IO.Directory]::CreateDirectory("$data\public")
        [System.IO.File]::WriteAllText("$data\public\kept.txt", 'kept')
        $code = Invoke-Msi -What '/i' -Package $newer
        $now = Get-ProgramVersion
        $entries = @(Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*' |
                Where-Object { $_.PSObject.Properties['DisplayName'] -and $_.DisplayName -like 'DDNS*' })
        $right = $code -eq 0 -and $now -and $now -ne $was -and $entries.Count -eq 1 -and [System.IO.File]::Exists("$data\public\kept.txt")
        Assert-That -Condition $right -Otherwise "exit $code, $was, then $now; entries: $($entries.Count)"
        "$was, then $now"
    }
}
Add-Check -Id 'msi-downgrade' -At 'Removed' -Title 'An older MSI is refused, and the newer program stays' -Test {
    Use-OlderMsi -Act {
        param($newer)
        $code = Invoke-Msi -What '/i' -Package $newer
        Assert-That -Condition ($code -eq 0) -Otherwise "the newer one: $code"
        $was = Get-ProgramVersion
        $log = "$work\downgrade.log"
        $code = Invoke-Msi -What '/i' -Package $asked.Older -More "/l*v `"$log`""
        $right = $code -eq 1603 -and (Get-ProgramVersion) -eq $was -and [System.IO.File]::ReadAllText($log) -match 'A newer version of DDNS'
        Assert-That -Condition $right -Otherwise "exit $code, $was, then $(Get-ProgramVersion)"
        "exit $code; $was stays"
    }
}
Add-Check -Id 'msi-rollback' -At 'Removed' -Title 'An upgrade whose trial fails is taken back: the old program works as before' -Test {
    Use-OlderMsi -Act {
        param($newer, $was)
        $made = Invoke-Program -Path "$programs\bin\ddns.exe" -Arguments 'config init --name acceptance.example.com --provider cloudflare'
        Assert-That -Condition ($made.Exit -eq 0) -Otherwise "settings: $($made.Err)"
        [System.IO.File]::AppendAllText("$data\config\ddns.toml", "`nno_such_key = 1`n")
        $before = (Get-FileHash -LiteralPath "$programs\msi\app\ddns.exe").Hash
        $log = "$work\rollback.log"
        $code = Invoke-Msi -What '/i' -Package $newer -More "/l*v `"$log`""
        Assert-That -Condition ($code -in 1603, 1722 -and [System.IO.File]::ReadAllText($log) -match 'TrySettings') -Otherwise "the upgrade ended with $code"
        $there = [System.IO.File]::Exists("$programs\msi\app\ddns.exe")
        $right = $there -and (Get-FileHash -LiteralPath "$programs\msi\app\ddns.exe").Hash -eq $before -and (Get-ProgramVersion) -eq $was
        Assert-That -Condition $right -Otherwise "exit $code; the old program is not back (there: $there)"
        $path = [System.Environment]::GetEnvironmentVariable('PATH', 'Machine')
        Assert-That -Condition ($path -like '*\DDNS\bin*') -Otherwise "PATH is not back: $path"
        "exit $code; $was is back"
    }
}

if ($List) {
    foreach ($check in $checks) { "$($check.Id)`t$($check.At)`t$($check.Title)" }
    exit 0
}

function Invoke-Check {
    # One check; its entry of the evidence.
    param([pscustomobject]$Check)
    Write-Progress -Activity 'Acceptance' -Status $Check.Title
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    $result = 'pass'
    try { $text = (& $Check.Test | Out-String).Trim() }
    catch [System.OperationCanceledException] {
        $result = 'not-run'
        $text = $_.Exception.Message
    }
    catch {
        $result = 'fail'
        $text = "$($_.Exception.Message) ($($_.InvocationInfo.ScriptLineNumber))"
    }
    Write-Verbose -Message "$($Check.Id): $result, $text"
    [pscustomobject]@{ id = $Check.Id; title = $Check.Title; result = $result; evidence = $text; milliseconds = $clock.ElapsedMilliseconds }
}

function Invoke-Stage {
    # The checks of one stage, each entry as it comes.
    param([string]$At)
    foreach ($check in $checks) {
        if ($check.At -ne $At -or ($asked.Only.Count -and $check.Id -notin $asked.Only)) { continue }
        Invoke-Check -Check $check
    }
}

function Get-Machine {
    $system = Get-CimInstance -ClassName Win32_OperatingSystem
    [pscustomobject]@{
        caption = $system.Caption; version = $system.Version; architecture = $env:PROCESSOR_ARCHITECTURE
        culture = $PSCulture; code_page = [System.Text.Encoding]::Default.CodePage; powershell = [string]$PSVersionTable.PSVersion
    }
}

function Write-Evidence {
    param([object[]]$Entry, [bool]$LogWasOn)
    $zip = Find-ReleaseFile -Ending 'zip'
    $all = [pscustomobject]@{
        schema = 1; stage = $Stage; started_at = $started.ToUniversalTime().ToString('o'); written_at = [datetime]::UtcNow.ToString('o')
        machine = Get-Machine; release = [System.IO.Path]::GetFileName($zip)
        sha256 = (Get-FileHash -LiteralPath $zip -Algorithm SHA256).Hash.ToLowerInvariant()
        log_was_on = $LogWasOn; checks = $Entry
    }
    $utf8 = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
    [System.IO.File]::WriteAllText($Evidence, (ConvertTo-Json -InputObject $all -Depth 6), $utf8)
}

function Switch-TaskLog {
    param([bool]$On)
    wevtutil.exe set-log $taskLog "/enabled:$($On.ToString().ToLowerInvariant())" | Out-Null
}

function Test-Administrator {
    $me = [System.Security.Principal.WindowsPrincipal][System.Security.Principal.WindowsIdentity]::GetCurrent()
    $me.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
}

function Initialize-WorkFolder {
    # For administrators and the probe alone: what lies here is run with their rights.
    if ([System.IO.Directory]::Exists($work)) { throw "$work is there already; remove it" }
    [void][System.IO.Directory]::CreateDirectory($work)
    icacls.exe $work /inheritance:r /grant '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' '*S-1-5-19:(OI)(CI)M' | Out-Null
    Assert-That -Condition ($LASTEXITCODE -eq 0) -Otherwise "the rights of $work can't be set"
}

$started = [datetime]::Now
$taskLog = 'Microsoft-Windows-TaskScheduler/Operational'
$Evidence = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Evidence)
$kept = [pscustomobject]@{ written_at = ''; log_was_on = $true; checks = @() }
$problem = ''
if ([System.Environment]::OSVersion.Platform -ne 'Win32NT') { $problem = 'this runs on Windows only; -List runs everywhere' }
elseif (-not (Test-Administrator)) { $problem = 'start it as an administrator' }
elseif (-not (Find-ReleaseFile -Ending 'zip')) { $problem = "there is no release zip for this machine in $Release" }
elseif ($Stage -ne 'AfterBoot' -and -not $Settings) { $problem = 'name a settings file with -Settings' }
elseif ($Stage -eq 'AfterBoot' -and -not [System.IO.File]::Exists($Evidence)) { $problem = "$Evidence, which the stage BeforeBoot wrote, is not there" }
if ($problem) {
    [System.Console]::Error.WriteLine("acceptance: $problem")
    exit 2
}
$programs = "$env:ProgramFiles\DDNS"
$data = "$env:ProgramData\DDNS"
$work = "$env:ProgramData\DDNS-Acceptance"
if ($Stage -eq 'AfterBoot') { $kept = [System.IO.File]::ReadAllText($Evidence) | ConvertFrom-Json }
elseif (@(Get-Leftover).Count) {
    [System.Console]::Error.WriteLine("acceptance: ddns is on this machine ($(@(Get-Leftover) -join '; ')); take one without it")
    exit 2
}

$logWasOn = [bool]$kept.log_was_on
$entries = @($kept.checks)
try {
    Initialize-WorkFolder
    if ($Stage -eq 'AfterBoot') { $entries += @(Invoke-Stage -At 'AfterBoot') }
    else {
        $logWasOn = [bool](Get-WinEvent -ListLog $taskLog).IsEnabled
        Switch-TaskLog -On $true
        $entries += @($checks | Where-Object { $_.At -eq 'Deployment' } | ForEach-Object { Invoke-Check -Check $_ })
        if ($entries[0].result -eq 'pass') {
            $app = "$programs\$([System.IO.File]::ReadAllText("$programs\bin\current").Trim())\app\ddns.exe"
            $entries += @(Invoke-Stage -At 'Installed')
        }
    }
    if ($Stage -ne 'BeforeBoot') { $entries += @(Invoke-Stage -At 'Removed') }
}
finally {
    if ($Stage -ne 'BeforeBoot') {
        if (@(Get-Leftover).Count) { try { Uninstall-Product } catch { Write-Warning -Message $_.Exception.Message } }
        Switch-TaskLog -On $logWasOn
        # The task scheduler keeps an empty folder, which only its COM interface removes.
        $scheduler = New-Object -ComObject 'Schedule.Service'
        $scheduler.Connect()
        try { $scheduler.GetFolder('\').DeleteFolder('DDNS-Acceptance', 0) } catch { Write-Verbose -Message 'there was no probe' }
    }
    if ([System.IO.Directory]::Exists($work)) { [System.IO.Directory]::Delete($work, $true) }
    Write-Evidence -Entry $entries -LogWasOn $logWasOn
}
$entries | Group-Object -Property result | ForEach-Object { "$($_.Name): $($_.Count)" }
if (@($entries | Where-Object { $_.result -eq 'fail' }).Count) { exit 1 }
exit 0
