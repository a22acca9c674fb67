# Stands for the worker on a machine that is a folder (DDNS_MACHINE): the contract of docs/design/powershell.md, with
# files instead of Windows. A file `behaviour` in the folder makes it misbehave: hang, die, freeze, garbage, busy, unwell.
param($Request)
$watch = [Diagnostics.Stopwatch]::StartNew()
$root = $env:DDNS_MACHINE
$misbehave = ''
if (Test-Path -LiteralPath "$root/behaviour") { $misbehave = [IO.File]::ReadAllText("$root/behaviour").Trim() }
[IO.File]::AppendAllText("$root/calls", "$($Request.Operation) whatif=$([bool]$Request.WhatIf) package=$([bool]$Request.Package)`n")
$was = $null
if (Test-Path -LiteralPath "$root/installed.json") { $was = [IO.File]::ReadAllText("$root/installed.json") | ConvertFrom-Json }
$result = [pscustomobject]@{
    Schema = 1; Computer = $env:COMPUTERNAME; Operation = $Request.Operation; Outcome = 'Ok'; Changed = $false
    Version = ''; PreviousVersion = ''; Mode = ''; Steps = @(); Task = $null; Status = $null; StatusError = $null; Drift = @()
    Tombstone = $null; Error = $null; StartedAt = [DateTime]::UtcNow.ToString('s') + 'Z'; Milliseconds = 0
}
if ($was) { $result.Version = $was.version; $result.Mode = 'Task' }
function Step($Name, $Outcome, $Detail) { [pscustomobject]@{ Name = $Name; Outcome = $Outcome; Detail = $Detail; Milliseconds = 1 } }
function Fail($Code, $Message, $Advice) {
    $result.Outcome = 'Failed'
    $result.Error = [pscustomobject]@{ Code = $Code; Message = $Message; Advice = $Advice }
}
function Plain($Value) {
    if ($Value -is [Collections.IDictionary]) {
        return '{' + (($Value.Keys | Sort-Object | ForEach-Object { "$_=" + (Plain $Value[$_]) }) -join ';') + '}'
    }
    "$Value"
}
switch ($misbehave) {
    'hang' { while ($true) { Start-Sleep -Seconds 1 } }
    'freeze' { & kill -STOP $PID; Start-Sleep -Seconds 3600 }
    'garbage' { return 'what is this' }
    'busy once' {
        Remove-Item -LiteralPath "$root/behaviour"
        Fail 'Busy' 'another deployment is at work' 'Wait for it.'
        return $result
    }
}
switch ($Request.Operation) {
    'Install' {
        if ($was) { $result.PreviousVersion = $was.version }
        $version = "$($Request.Version)"
        if (-not $version) { $version = '1.0.0' }
        $wanted = Plain @{ Task = $Request.Task; Settings = $Request.Settings; Mode = $Request.Mode }
        $here = "$root/versions/$version/package"
        if (-not (Test-Path -LiteralPath $here) -or (Get-FileHash -LiteralPath $here).Hash -ne $Request.Sha256) {
            if (-not $Request.Package) { Fail 'PackageMissing' 'the package is not here' 'Send it.'; break }
            $result.Steps += Step 'Package' 'Done' ''
            if (-not $Request.WhatIf) {
                $part = "$root/versions/$version.part"
                New-Item -ItemType Directory -Force -Path $part > $null
                try {
                    [IO.File]::Copy($Request.Package, "$part/package", $true)
                } catch {
                    Remove-Item -LiteralPath $part -Recurse -Force
                    Fail 'DiskFull' $_.Exception.GetBaseException().Message 'Free some space.'
                    break
                }
                if ($misbehave -eq 'die') { Stop-Process -Id $PID -Force; Start-Sleep -Seconds 60 }
                if ((Get-FileHash -LiteralPath "$part/package").Hash -ne $Request.Sha256) {
                    Fail 'PackageHash' 'the package is not the one that was meant' ''
                    break
                }
                Move-Item -LiteralPath $part -Destination "$root/versions/$version"
            }
        }
        if ($was -and $was.version -eq $version -and $was.wanted -eq $wanted) {
            $result.Outcome = if ($Request.WhatIf) { 'WhatIf' } else { 'Unchanged' }
            $result.Steps += Step 'Task' 'Unchanged' ''
            break
        }
        if ($Request.WhatIf) {
            $result.Outcome = 'WhatIf'
            $result.Steps += Step 'Task' 'WouldDo' 'the task would be registered'
            break
        }
        $result.Outcome = if ($was) { 'Updated' } else { 'Installed' }
        $result.Changed = $true
        $result.Version = $version
        $result.Mode = 'Task'
        $result.Steps += Step 'Task' 'Done' ''
        @{ version = $version; wanted = $wanted } | ConvertTo-Json | Set-Content -LiteralPath "$root/installed.json"
        if ($Request.Settings -and $Request.Settings.Names) {
            [IO.File]::WriteAllText("$root/names", ($Request.Settings.Names -join ','))
        }
    }
    'Query' {
        if (-not $was) { $result.Outcome = 'NotInstalled'; break }
        $now = [DateTime]::UtcNow
        $bad = $misbehave -eq 'unwell' -and $was.version -ne '1.0.0'
        $code = if ($bad) { 12 } else { 0 }
        $result.Task = [pscustomobject]@{
            Path = '\DDNS\Update'; State = 'Ready'; Enabled = $true; LastRunTime = $now.AddSeconds(1).ToString('s') + 'Z'
            LastResult = $code; LastResultHex = '0x{0:X}' -f $code; Meaning = 'as it is'; Advice = ''; Severity = if ($bad) { 'Error' } else { 'Ok' }
            NextRunTime = $now.AddMinutes(10).ToString('s') + 'Z'; MissedRuns = 0; Account = 'LOCAL SERVICE'; IntervalMinutes = 10
            Marker = "ddns;1;sha256=$($was.wanted.Length)"; DefinitionMatch = $true
        }
        $result.Status = [pscustomobject]@{
            schema = 1; version = $was.version; host = $env:COMPUTERNAME; written_at = $now.AddSeconds(1).ToString('s') + 'Z'
            run = [pscustomobject]@{ id = 'x'; started = $now.AddSeconds(1).ToString('s') + 'Z'; ended = $now.AddSeconds(1).ToString('s') + 'Z'; exit = $code; full = $true }
            records = @([pscustomobject]@{ name = "$env:COMPUTERNAME.example.test"; type = 'A'; provider = 'p'; address = '203.0.113.7'; outcome = 'unchanged'; error = $null })
            last_runs = @([pscustomobject]@{ started = $now.ToString('s') + 'Z'; ended = $now.ToString('s') + 'Z'; exit = $code; full = $true; changed = 0 })
            changes_last_hour = 0; blocks = @(); notes = @(); paused_until = $null
        }
    }
    'Test' {
        if (-not $was) { $result.Outcome = 'NotInstalled'; break }
        $result.Outcome = 'Drift'
        $result.Drift = @([pscustomobject]@{ PSTypeName = 'Ddns.Drift'; Area = 'Task'; Item = 'marker'; Expected = 'a'; Actual = 'b'; Severity = 'Error' })
    }
    'Start' {
        if (-not $was) { Fail 'NotInstalled' 'there is nothing to start' 'Deploy first.'; break }
        $result.Task = [pscustomobject]@{ State = 'Running'; Enabled = $true; LastResult = 0; DefinitionMatch = $true; IntervalMinutes = 10 }
    }
    'SetConfig' {
        if (-not $was) { Fail 'NotInstalled' 'the client is not installed here' 'Deploy first.'; break }
        foreach ($secret in $Request.Secrets.Values) {
            $plain = (New-Object -TypeName pscredential -ArgumentList 'x', $secret).GetNetworkCredential().Password
            [IO.File]::WriteAllText("$root/secret", $plain)
            $seen = foreach ($process in [IO.Directory]::GetDirectories('/proc')) {
                $line = try { [IO.File]::ReadAllText("$process/cmdline") } catch { '' }
                if ($line.Contains($plain)) { $process }
            }
            [IO.File]::WriteAllText("$root/seen", "$seen")
        }
        $result.Outcome = 'Updated'
        $result.Changed = $true
    }
    'Uninstall' {
        $stone = "$root/tombstone"
        if ($Request.OnlyTombstone -and -not (Test-Path -LiteralPath $stone)) {
            $result.Outcome = if ($was) { 'Unchanged' } else { 'NotInstalled' }
            break
        }
        if (-not $was) { $result.Outcome = 'NotInstalled'; break }
        if ($Request.RemoveRecord -and -not $Request.WhatIf) {
            if ($misbehave -eq 'gateway away') {
                [IO.File]::WriteAllText($stone, 'x')
                $gateway = [pscustomobject]@{ Url = 'https://gw.test'; Host = 'h7' }
                $result.Tombstone = [pscustomobject]@{ Schema = 1; Computer = $env:COMPUTERNAME; Records = @('home.example.test A'); Gateways = @($gateway); Since = '' }
                $result.Steps += Step 'Records' 'Failed' 'away'
                Fail 'GatewayUnreachable' 'the gateway is away' 'Later.'
                break
            }
            [IO.File]::Delete($stone)
            $result.Steps += Step 'Records' 'Done' 'home.example.test A'
        }
        if ($Request.WhatIf) { $result.Outcome = 'WhatIf'; $result.Steps += Step 'Task' 'WouldDo' 'it would be removed'; break }
        Remove-Item -LiteralPath "$root/installed.json", "$root/versions" -Recurse -Force
        $result.Outcome = 'Removed'
        $result.Changed = $true
        $result.Version = ''
    }
}
$result.Milliseconds = [int]$watch.ElapsedMilliseconds
$result
