# From one version to another and back: snapshot, trial, launcher and `current`, pruning.

function Add-DdnsUndo {
    # What takes a step back. The last one noted is the first one run.
    param([hashtable]$Run, [string]$Name, [scriptblock]$Body)
    [void]$Run.Undo.Insert(0, @{ Name = $Name; Body = $Body })
}

function Invoke-DdnsUndo {
    # Takes back what was done; one that fails does not keep the others from it, and is tried again: what stood in its way may be a
    # reader that has gone meanwhile. Returns whether there was anything; what could not be taken back is in NotUndone.
    param([hashtable]$Run)
    $any = $false
    foreach ($undo in @($Run.Undo)) {
        $any = $true
        $step = [pscustomobject]@{ Name = $undo.Name; Outcome = 'Undone'; Detail = ''; Milliseconds = 0 }
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        for ($try = 1; ; $try++) {
            try {
                $null = & $undo.Body $Run
                break
            }
            catch {
                $step.Detail = 'could not be taken back: ' + (ConvertTo-DdnsFault -Record $_).Message
                if ($try -lt 3) { Start-Sleep -Milliseconds 500; continue }
                $step.Outcome = 'Failed'
                [void]$Run.NotUndone.Add($undo.Name)
                break
            }
        }
        if ($step.Outcome -eq 'Undone') { $step.Detail = '' }
        $step.Milliseconds = [int]$watch.ElapsedMilliseconds
        [void]$Run.Steps.Add($step)
    }
    $Run.Undo.Clear()
    $any
}

function Save-DdnsSnapshot {
    # Copies the state's database, whole: no run is at work, and nothing changed while it was copied.
    param([hashtable]$Run)
    $database = Join-DdnsPath -Part $Run.Places.State, 'state.db'
    if (-not $Run.PreviousVersion -or $Run.PreviousVersion -eq $Run.Version -or -not [System.IO.File]::Exists($database)) {
        return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'no state of another version')
    }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail 'copy the state') }
    $folder = Join-DdnsPath -Part $Run.Places.Snapshots, $Run.PreviousVersion
    for ($try = 1; ; $try++) {
        [void](Wait-DdnsTask -Seconds 60)
        if (Copy-DdnsState -From $Run.Places.State -To $folder) { break }
        if ($try -ge 5) {
            throw (New-DdnsFault -Code 'InUse' -Message 'the state is written to all the time, so it can not be copied' -Advice 'End what runs ddns, then deploy again.')
        }
        Start-Sleep -Milliseconds 500
    }
    New-DdnsStepEnd -Outcome 'Done' -Detail "state of $($Run.PreviousVersion)"
}

function Copy-DdnsState {
    # The database and, if there is one, its journal. False when the database changed meanwhile.
    param([string]$From, [string]$To)
    if (Test-Path -LiteralPath $To) { Remove-DdnsItem -Path $To }
    [void][System.IO.Directory]::CreateDirectory($To)
    $file = New-Object -TypeName System.IO.FileInfo -ArgumentList (Join-DdnsPath -Part $From, 'state.db')
    $before = '{0}/{1}' -f $file.Length, $file.LastWriteTimeUtc.Ticks
    try {
        foreach ($name in 'state.db', 'state.db-journal') {
            $path = Join-DdnsPath -Part $From, $name
            if ([System.IO.File]::Exists($path)) { [System.IO.File]::Copy($path, (Join-DdnsPath -Part $To, $name), $true) }
        }
    }
    catch [System.IO.IOException] { return $false }
    $file.Refresh()
    $before -eq ('{0}/{1}' -f $file.Length, $file.LastWriteTimeUtc.Ticks)
}

function Restore-DdnsState {
    # Only when the old client can not read what the new one left: its own record of what it did is worth more than a copy.
    param([hashtable]$Run)
    $folder = Join-DdnsPath -Part $Run.Places.Snapshots, $Run.PreviousVersion
    if (-not (Test-Path -LiteralPath $folder)) { return }
    $ended = Invoke-DdnsClient -Run $Run -Version $Run.PreviousVersion -Argument 'run', '--trial'
    if ($ended.Code -ne 15) { return }
    [void](Wait-DdnsTask -Seconds 60)
    foreach ($name in 'state.db-journal', 'state.db') {
        $path = Join-DdnsPath -Part $Run.Places.State, $name
        if ([System.IO.File]::Exists($path)) { Remove-DdnsItem -Path $path }
    }
    foreach ($path in [System.IO.Directory]::GetFiles($folder)) {
        # Copied, not moved: a file has the rights of the folder in which it was made.
        [System.IO.File]::Copy($path, (Join-DdnsPath -Part $Run.Places.State, ([System.IO.Path]::GetFileName($path))), $true)
    }
}

function Test-DdnsTrial {
    # Runs the new client once, writing nothing, as the account that it will run as.
    param([hashtable]$Run, [hashtable]$Wanted, [hashtable]$Account)
    if (-not $Run.Changed -and $Run.PreviousVersion -eq $Run.Version) {
        return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'nothing that it could show')
    }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail 'run the new version once, writing nothing') }
    $last = Get-DdnsLastExit -Run $Run
    if ($Run.Places.PerUser) {
        $code = [long](Invoke-DdnsClient -Run $Run -Version $Run.Version -Argument 'run', '--trial').Code
    }
    else { $code = Invoke-DdnsTrialTask -Run $Run -Wanted $Wanted -Account $Account }
    if ($null -eq $code) {
        throw (New-DdnsFault -Code 'TrialFailed' -Message "version $($Run.Version) did not end its trial run in time" -Advice 'See the log of the client; nothing was changed.')
    }
    # 11, 13, 14: the network or another run, not the version. Another code is no news when the old version ended with it, too.
    $passed = @(0, 11, 13, 14) -contains $code -or ($code -ge 10 -and $code -lt 20 -and $code -eq $last)
    if (-not $passed) { throw (New-DdnsTrialFault -Run $Run -Code $code) }
    $known = Get-DdnsCode -Code $code
    if ($code -eq 0) { return (New-DdnsStepEnd -Outcome 'Done' -Detail $known.Meaning) }
    New-DdnsStepEnd -Outcome 'Warning' -Detail "exit code ${code}: $($known.Meaning)"
}

function New-DdnsTrialFault {
    param([hashtable]$Run, [long]$Code)
    $known = Get-DdnsCode -Code $Code
    $message = "version $($Run.Version) fails its trial run: $($known.Meaning) ($(if ($Code -lt 256) { "exit code $Code" } else { $known.Hex }))"
    if ($Code -lt 256) {
        $said = Get-DdnsSaid -Ended (Invoke-DdnsClient -Run $Run -Version $Run.Version -Argument 'run', '--trial')
        $message += ". It says: $said"
    }
    $advice = $known.Advice
    if (-not $advice) { $advice = 'See the log of the client.' }
    New-DdnsFault -Code 'TrialFailed' -Message $message -Advice $advice
}

function Invoke-DdnsTrialTask {
    # The task \DDNS\Trial has a SID of its own, which may read secrets as long as the trial lasts.
    param([hashtable]$Run, [hashtable]$Wanted, [hashtable]$Account)
    $table = Get-DdnsTaskTable -Run $Run -Wanted $Wanted -Account $Account -Version $Run.Version -Mode 'Task' -Verb 'run', '--trial'
    $table.Triggers = $false
    $table.Description = 'A trial run of a new version of ddns. It is removed at once.'
    $trial = ''
    if ($Account.TokenSid) { $trial = Get-DdnsTaskSid -TaskPath '\DDNS\Trial' }
    try {
        [void](Set-DdnsFolders -Run $Run -Account $Account -Trial $trial)
        Write-DdnsTask -Xml (New-DdnsTaskXml -Task $table) -Name 'Trial' -Account $Account
        Start-DdnsTaskNow -Name 'Trial' -Seconds ([int](Get-DdnsKey -Table $Run.Request -Key 'WaitSeconds' -Default 120))
    }
    finally {
        [void](Remove-DdnsTask -Name 'Trial')
        [void](Set-DdnsFolders -Run $Run -Account $Account)
    }
}

function Get-DdnsLastExit {
    # The exit code of the last run that the status tells of; -1 when it tells of none.
    param([hashtable]$Run)
    try {
        $status = ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($Run.Places.StatusFile))
        [long](Get-DdnsKey -Table (Get-DdnsKey -Table $status -Key 'run') -Key 'exit' -Default -1)
    }
    catch { [long]-1 }
}

function Set-DdnsLauncher {
    # A launcher that runs can't be overwritten, but it can be renamed.
    param([hashtable]$Run, [string]$Version)
    $new = Join-DdnsPath -Part $Run.Places.Binaries, $Version, 'bin', $Run.Places.Program
    $launcher = $Run.Places.Launcher
    if ($Run.WhatIf -and -not [System.IO.Directory]::Exists((Join-DdnsPath -Part $Run.Places.Binaries, $Version))) {
        return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail 'replace the launcher')
    }
    if (-not [System.IO.File]::Exists($new)) { return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'the package has none') }
    $there = [System.IO.File]::Exists($launcher)
    if ($there -and (Get-DdnsHash -Path $launcher) -eq (Get-DdnsHash -Path $new)) {
        return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'the launcher is the same')
    }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail 'replace the launcher') }
    [void][System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($launcher))
    [System.IO.File]::Copy($new, "$launcher.new", $true)
    if ($there) { [System.IO.File]::Move($launcher, ('{0}.old-{1}' -f $launcher, [guid]::NewGuid().ToString('N').Substring(0, 8))) }
    [System.IO.File]::Move("$launcher.new", $launcher)
    New-DdnsStepEnd -Outcome 'Done'
}

function Set-DdnsCurrent {
    param([hashtable]$Run, [string]$Version)
    $file = $Run.Places.Current
    if ([System.IO.File]::Exists($file) -and [System.IO.File]::ReadAllText($file).Trim() -eq $Version) {
        return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail $Version)
    }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail $Version) }
    [void][System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($file))
    Write-DdnsFile -Path $file -Text $Version
    New-DdnsStepEnd -Outcome 'Done' -Detail $Version
}

function Remove-DdnsOldVersion {
    # All but the version in force and the newest of the others, and launchers that were renamed aside.
    param([hashtable]$Run)
    $keep = @($Run.Version)
    if ($Run.PreviousVersion -and $Run.PreviousVersion -ne $Run.Version) { $keep += $Run.PreviousVersion }
    if (-not (Test-Path -LiteralPath $Run.Places.Binaries)) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    $found = @(foreach ($path in [System.IO.Directory]::GetDirectories($Run.Places.Binaries)) {
            $name = [System.IO.Path]::GetFileName($path)
            if ($name -match '^\d+\.\d+\.\d+$') { $name }
        })
    if ($keep.Count -eq 1) {
        $keep += @($found | Where-Object { $_ -ne $Run.Version } | Sort-Object -Property { [version]$_ } -Descending | Select-Object -First 1)
    }
    $gone = @($found | Where-Object { $keep -notcontains $_ })
    $bin = [System.IO.Path]::GetDirectoryName($Run.Places.Launcher)
    $aside = @(if (Test-Path -LiteralPath $bin) { [System.IO.Directory]::GetFiles($bin, '*.old-*') })
    if ($gone.Count + $aside.Count -eq 0) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail ('remove ' + ($gone -join ', '))) }
    foreach ($name in $gone) {
        Remove-DdnsSoon -Run $Run -Path (Join-DdnsPath -Part $Run.Places.Binaries, $name)
        Remove-DdnsSoon -Run $Run -Path (Join-DdnsPath -Part $Run.Places.Snapshots, $name)
    }
    foreach ($path in $aside) { Remove-DdnsSoon -Run $Run -Path $path }
    New-DdnsStepEnd -Outcome 'Done' -Detail ($gone -join ', ')
}

function Remove-DdnsSoon {
    # What is still in use is left for the next deployment.
    param([hashtable]$Run, [string]$Path)
    try { Remove-DdnsItem -Path $Path }
    catch { [void]$Run.Notes.Add("$Path is still in use; the next deployment removes it") }
}
