<#
.SYNOPSIS
    Shows on one real Windows machine what no other test can show, and writes the evidence.

.DESCRIPTION
    Run it as an administrator, in a console window, on a machine without ddns, once for each supported version of Windows.
    It deploys the release with its own scripts, tries what depends on Windows itself (rights, accounts, triggers, consoles,
    event log, remoting, policies, scanner), takes everything off again, and writes one JSON file: one entry a check, with
    result pass, fail or not-run, the evidence, and the time it took. packaging/RELEASE.md is the list of its checks.

    What it makes besides the product, it removes at the end, also after a failure: a local user, probe tasks in
    \DDNS-Acceptance, a folder in ProgramData. The log of the task scheduler is switched on while it runs.
    Ends with 0 when nothing failed, 1 when something did, 2 when it could not begin.

.PARAMETER Release
    The folder with the release: zip, MSI, hash list, seal, the three scripts.

.PARAMETER Sha256
    The zip's SHA-256 as the release page has it; not needed for a signed release.

.PARAMETER Settings
    A settings file (TOML) for a name that this machine may publish; needed but for the stage AfterBoot.

.PARAMETER Secret
    The provider's token for these settings.

.PARAMETER ServiceAccount
    A group managed service account (DOMAIN\name$) that this machine may use.

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
    [string]$Evidence = 'acceptance.json',
    [ValidateSet('All', 'BeforeBoot', 'AfterBoot')][string]$Stage = 'All',
    [string[]]$Only = @(),
    [switch]$List
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$asked = @{ Sha256 = $Sha256; Secret = $Secret; ServiceAccount = $ServiceAccount; Only = $Only }
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
    param([string]$Path, [string]$Arguments, [int]$Seconds = 120)
    $how = New-Object -TypeName System.Diagnostics.ProcessStartInfo -ArgumentList $Path, $Arguments
    $how.UseShellExecute = $false
    $how.RedirectStandardOutput = $true
    $how.RedirectStandardError = $true
    $how.CreateNoWindow = $true
    $process = [System.Diagnostics.Process]::Start($how)
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

function Invoke-AsLocalService {
    # A command line in a task of ours under LOCAL SERVICE, which so lacks the SID of the product's task; what it prints.
    param([string]$Command)
    $file = Join-Path -Path $work -ChildPath ([guid]::NewGuid().ToString('N') + '.txt')
    $action = New-ScheduledTaskAction -Execute 'cmd.exe' -Argument "/c ($Command) > `"$file`" 2>&1"
    $principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-19' -LogonType ServiceAccount
    Register-ScheduledTask -TaskPath '\DDNS-Acceptance\' -TaskName 'Probe' -Action $action -Principal $principal -Force | Out-Null
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
    $arguments.ConfigPath = $Settings
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
    $name = 'ddns-acceptance'
    $password = New-Object -TypeName securestring
    ([guid]::NewGuid().ToString() + 'aA1!').ToCharArray() | ForEach-Object { $password.AppendChar($_) }
    New-LocalUser -Name $name -Password $password -AccountNeverExpires | Out-Null
    try {
        $credential = New-Object -TypeName pscredential -ArgumentList $name, $password
        $script = Join-Path -Path $work -ChildPath 'user.cmd'
        $answer = Join-Path -Path $work -ChildPath 'user.txt'
        $lines = @('@echo off', "type `"$data\public\status.json`" >nul 2>&1 && echo public: read")
        foreach ($folder in 'config', 'secrets', 'state', 'logs') { $lines += "dir `"$data\$folder`" >nul 2>&1 && echo ${folder}: read" }
        foreach ($folder in $data, "$data\public", $programs, "$programs\bin") { $lines += "(echo x>`"$folder\planted`") 2>nul && echo ${folder}: written" }
        [System.IO.File]::WriteAllLines($script, [string[]]$lines)
        [System.IO.File]::WriteAllText($answer, '')
        icacls.exe $work /grant "${name}:(OI)(CI)M" | Out-Null
        Start-Process -FilePath 'cmd.exe' -ArgumentList "/c `"$script`" > `"$answer`"" -Credential $credential -Wait -WorkingDirectory $work
        $said = [System.IO.File]::ReadAllText($answer).Trim()
        Assert-That -Condition ($said -eq 'public: read') -Otherwise $said
        $said
    }
    finally { Remove-LocalUser -Name $name }
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
Add-Check -Id 'managed-account' -Title 'The task runs as a group managed service account' -Test {
    $account = $asked.ServiceAccount
    if (-not $account) { Skip-Check -Reason 'no -ServiceAccount was given' }
    [void](Install-Product -More @{ Account = $account })
    try {
        $result = Invoke-Run
        Assert-That -Condition ($result -eq 0) -Otherwise "last result $result"
        "$account, last result $result"
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
        (sc.exe qsidtype DDNS) -join ' '
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
