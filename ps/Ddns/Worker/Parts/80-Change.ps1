# Start, SetConfig and Uninstall.

function Invoke-DdnsStart {
    # An instance that runs already is success.
    param([hashtable]$Run)
    $Run.Version = Get-DdnsCurrent -Run $Run
    $Run.PreviousVersion = $Run.Version
    $modes = @(Find-DdnsMode -Run $Run)
    if ($modes.Count -eq 0) {
        throw (New-DdnsFault -Code 'NotInstalled' -Message 'there is no task, service or Run key to start' -Advice 'Deploy first: Deploy-DDNS.ps1.')
    }
    $Run.Mode = $modes[0]
    if ($Run.WhatIf) { return 'WhatIf' }
    Invoke-DdnsStep -Run $Run -Name 'Start' -Body {
        $seconds = [int](Get-DdnsKey -Table $Run.Request -Key 'WaitSeconds' -Default 0)
        if ($Run.Mode -like '*Task') { $code = Start-DdnsTaskNow -Seconds $seconds }
        else { $code = [long](Invoke-DdnsClient -Run $Run -Version $Run.Version -Argument 'run').Code }
        if ($null -eq $code) { return (New-DdnsStepEnd -Outcome 'Done' -Detail 'started') }
        $known = Get-DdnsCode -Code $code
        $outcome = 'Done'
        if ($known.Severity -ne 'Ok') { $outcome = 'Warning' }
        New-DdnsStepEnd -Outcome $outcome -Detail "$($known.Hex): $($known.Meaning)"
    }
    $Run.Task = Get-DdnsTaskState -Run $Run
    $Run.Status = Read-DdnsStatus -Run $Run
    'Ok'
}

function Invoke-DdnsSetConfig {
    # New settings, new secrets, or both; a trial run before they count as done.
    param([hashtable]$Run)
    Invoke-DdnsStep -Run $Run -Name 'Preflight' -Body {
        Assert-DdnsMachine -Run $Run
        $Run.Version = Get-DdnsCurrent -Run $Run
        $Run.PreviousVersion = $Run.Version
        if (-not $Run.Version) { throw (New-DdnsFault -Code 'NotInstalled' -Message 'the client is not installed here' -Advice 'Deploy first: Deploy-DDNS.ps1.') }
        $Run.Saved = Read-DdnsRecord -Run $Run
        $Run.Mode = [string](Get-DdnsKey -Table $Run.Saved -Key 'Mode' -Default 'Task')
        New-DdnsStepEnd -Outcome 'Unchanged'
    }
    try {
        if (-not $Run.WhatIf) { Enter-DdnsLock -Run $Run }
        Invoke-DdnsStep -Run $Run -Name 'Settings' -Body { Set-DdnsSettings -Run $Run -Version $Run.Version }
        Invoke-DdnsStep -Run $Run -Name 'Secrets' -Body { Save-DdnsSecret -Run $Run; Set-DdnsSecrets -Run $Run -Version $Run.Version }
        Invoke-DdnsStep -Run $Run -Name 'Trial' -Body { Test-DdnsNewConfig -Run $Run }
    }
    catch {
        $failure = $_
        [void](Invoke-DdnsUndo -Run $Run)
        throw $failure
    }
    finally { Complete-DdnsInstall -Run $Run }
    if ($Run.WhatIf) { return 'WhatIf' }
    if ($Run.Changed) { return 'Updated' }
    'Unchanged'
}

function Test-DdnsNewConfig {
    # As the administrator that calls: rights don't change here, settings and secrets do.
    param([hashtable]$Run)
    if (-not $Run.Changed) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    $last = Get-DdnsLastExit -Run $Run
    $ended = Invoke-DdnsClient -Run $Run -Version $Run.Version -Argument 'run', '--trial'
    if (@(0, 11, 13, 14) -notcontains $ended.Code -and $ended.Code -ne $last) {
        throw (New-DdnsFault -Code 'TrialFailed' -Message "with the new settings or secrets a trial run fails: $(Get-DdnsSaid -Ended $ended)" -Advice 'The old ones are in force again.')
    }
    New-DdnsStepEnd -Outcome 'Unchanged' -Detail "exit code $($ended.Code)"
}

function Invoke-DdnsUninstall {
    # Nothing there is success. Data stay unless RemoveData; records in DNS and the key at the gateway unless RemoveRecord: then they go
    # before the files, for without the key nobody could take them back.
    param([hashtable]$Run)
    Invoke-DdnsStep -Run $Run -Name 'Preflight' -Body {
        Assert-DdnsMachine -Run $Run
        $Run.Version = Get-DdnsCurrent -Run $Run
        $Run.PreviousVersion = $Run.Version
        if (-not $Run.Version -and (Get-DdnsMsi -Run $Run)) {
            throw (New-DdnsFault -Code 'MsiInstalled' -Message 'the client was installed by its MSI' -Advice 'Uninstall it in Programs and Features, or with msiexec /x.')
        }
        foreach ($path in $Run.Places.Binaries, $Run.Places.Data) { Assert-DdnsFolder -Run $Run -Path $path }
        New-DdnsStepEnd -Outcome 'Unchanged'
    }
    $modes = @(Find-DdnsMode -Run $Run)
    $data = [bool](Get-DdnsKey -Table $Run.Request -Key 'RemoveData' -Default $false)
    $record = [bool](Get-DdnsKey -Table $Run.Request -Key 'RemoveRecord' -Default $false)
    $Run.Tombstone = Get-DdnsTombstone -Run $Run
    if ($null -eq $Run.Tombstone -and (Get-DdnsKey -Table $Run.Request -Key 'OnlyTombstone' -Default $false)) {
        # Somebody was here since: deployed again, it is not for a fleet's memory to take away.
        return $(if ($Run.Version) { 'Unchanged' } else { 'NotInstalled' })
    }
    $there = (Test-Path -LiteralPath $Run.Places.Binaries) -or $modes.Count -gt 0 -or ($record -and $null -ne $Run.Tombstone)
    if (-not $there -and -not ($data -and (Test-Path -LiteralPath $Run.Places.Data))) { return 'NotInstalled' }
    $Run.Mode = $modes -join ', '
    if (-not $Run.WhatIf -and (Test-Path -LiteralPath $Run.Places.Binaries)) { Enter-DdnsLock -Run $Run }
    try {
        Invoke-DdnsStep -Run $Run -Name 'Stop' -Body { Stop-DdnsMode -Run $Run -Modes $modes }
        Invoke-DdnsStep -Run $Run -Name 'Task' -Body { Remove-DdnsAllMode -Run $Run -Modes $modes }
        if ($record) { Invoke-DdnsStep -Run $Run -Name 'Records' -Body { Remove-DdnsOwnRecord -Run $Run } }
        Invoke-DdnsStep -Run $Run -Name 'System' -Body { Remove-DdnsSystem -Run $Run }
        Invoke-DdnsStep -Run $Run -Name 'Files' -Body { Remove-DdnsBinary -Run $Run }
        if ($data) { Invoke-DdnsStep -Run $Run -Name 'Data' -Body { Remove-DdnsData -Run $Run } }
    }
    finally { Exit-DdnsLock -Run $Run }
    if ($Run.WhatIf) { return 'WhatIf' }
    $Run.Version = ''
    $Run.Mode = ''
    'Removed'
}

function Stop-DdnsMode {
    # A run that is at work may end; it has a time limit of its own.
    param([hashtable]$Run, [string[]]$Modes)
    if ($Run.WhatIf -or @($Modes).Count -eq 0) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    $detail = ''
    if ((@($Modes) -like '*Task').Count -gt 0 -and -not (Wait-DdnsTask -Seconds 60)) {
        Stop-ScheduledTask -TaskPath (Get-DdnsTaskPath) -TaskName 'Update' -ErrorAction SilentlyContinue
        $detail = 'a run was ended'
    }
    New-DdnsStepEnd -Outcome 'Unchanged' -Detail $detail
}

function Remove-DdnsAllMode {
    param([hashtable]$Run, [string[]]$Modes)
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail ('take away: ' + ($Modes -join ', '))) }
    foreach ($mode in @($Modes)) { if ($mode) { Remove-DdnsMode -Run $Run -Mode $mode } }
    if (-not $Run.Places.PerUser) {
        [void](Remove-DdnsTask -Name 'Trial')
        [void](Remove-DdnsTaskFolder -Run $Run)
    }
    if (@($Modes).Count -eq 0) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    New-DdnsStepEnd -Outcome 'Done' -Detail ($Modes -join ', ')
}

function Remove-DdnsBinary {
    param([hashtable]$Run)
    $folder = $Run.Places.Binaries
    if (-not (Test-Path -LiteralPath $folder)) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail "remove $folder") }
    if ($Run.Windows) { Stop-DdnsResident -Run $Run }
    Exit-DdnsLock -Run $Run
    # An uninstallation from Programs and Features runs from this very folder; scripts are read whole, so they may go.
    try { Remove-DdnsItem -Path $folder }
    catch {
        throw (New-DdnsFault -Code 'InUse' -Message "$folder can not be removed: $($_.Exception.InnerException.Message)" -Advice 'Close what has a file of it open (a console in that folder, say), then uninstall again.')
    }
    New-DdnsStepEnd -Outcome 'Done' -Detail $folder
}

function Remove-DdnsData {
    param([hashtable]$Run)
    $folder = $Run.Places.Data
    if (-not (Test-Path -LiteralPath $folder)) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail "remove $folder") }
    Remove-DdnsItem -Path $folder
    New-DdnsStepEnd -Outcome 'Done' -Detail $folder
}
