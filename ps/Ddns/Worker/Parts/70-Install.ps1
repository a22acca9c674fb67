# Install: from whatever is there to what was asked for, or back.

function Invoke-DdnsInstall {
    # The whole of a deployment. Returns its outcome; raises what ends it, after everything was taken back.
    param([hashtable]$Run)
    try {
        Invoke-DdnsInstallStep -Run $Run
    }
    catch {
        $failure = $_
        $Run.Undone = Invoke-DdnsUndo -Run $Run
        $Run.Version = $Run.PreviousVersion
        throw $failure
    }
    finally { Complete-DdnsInstall -Run $Run }
    if ($Run.WhatIf) { return 'WhatIf' }
    if (-not $Run.Changed) { return 'Unchanged' }
    if ($Run.PreviousVersion) { return 'Updated' }
    'Installed'
}

function Invoke-DdnsInstallStep {
    param([hashtable]$Run)
    Invoke-DdnsStep -Run $Run -Name 'Preflight' -Body { Initialize-DdnsInstall -Run $Run }
    $wanted = $Run.Wanted
    $account = $Run.Account
    if ($Run.WhatIf -and $Run.PreviousVersion) {
        $look = $Run.Clone()
        [void](Invoke-DdnsTest -Run $look)
        $Run.Drift = $look.Drift
    }
    Invoke-DdnsStep -Run $Run -Name 'Folders' -Body { Initialize-DdnsFolder -Run $Run -Account $account }
    Invoke-DdnsStep -Run $Run -Name 'Package' -Body { Set-DdnsPayload -Run $Run }
    if ($Run.WhatIf -and -not [System.IO.File]::Exists((Get-DdnsProgram -Run $Run -Version $Run.Version))) {
        foreach ($name in 'Settings', 'Secrets', 'Enrolment') {
            Invoke-DdnsStep -Run $Run -Name $name -Body { New-DdnsStepEnd -Outcome 'WouldDo' -Detail 'by the client of the package' }
        }
    }
    else {
        Invoke-DdnsStep -Run $Run -Name 'Settings' -Body { Set-DdnsSettings -Run $Run -Version $Run.Version }
        Invoke-DdnsStep -Run $Run -Name 'Enrolment' -Body { Set-DdnsEnrolment -Run $Run -Version $Run.Version }
        Invoke-DdnsStep -Run $Run -Name 'Secrets' -Body { Save-DdnsSecret -Run $Run; Set-DdnsSecrets -Run $Run -Version $Run.Version }
    }
    if (Test-DdnsRetired -Run $Run) { Invoke-DdnsStep -Run $Run -Name 'Resume' -Body { Resume-DdnsClient -Run $Run } }
    Invoke-DdnsStep -Run $Run -Name 'Snapshot' -Body { Save-DdnsSnapshot -Run $Run }
    Invoke-DdnsStep -Run $Run -Name 'Trial' -Body { Test-DdnsTrial -Run $Run -Wanted $wanted -Account $account }
    Invoke-DdnsStep -Run $Run -Name 'Task' -Body { Set-DdnsMode -Run $Run -Wanted $wanted -Account $account }
    Invoke-DdnsStep -Run $Run -Name 'Launcher' -Body { Switch-DdnsLauncher -Run $Run }
    Invoke-DdnsStep -Run $Run -Name 'Current' -Body { Switch-DdnsCurrent -Run $Run }
    Invoke-DdnsStep -Run $Run -Name 'System' -Body { Set-DdnsSystem -Run $Run }
    Invoke-DdnsStep -Run $Run -Name 'FirstRun' -Body { Start-DdnsFirstRun -Run $Run }
    # An MSI that is gone can't be taken back: only when everything else stands.
    Invoke-DdnsStep -Run $Run -Name 'Msi' -Body { Remove-DdnsMsi -Run $Run }
    Invoke-DdnsStep -Run $Run -Name 'Prune' -Body { Remove-DdnsOldVersion -Run $Run }
    Invoke-DdnsStep -Run $Run -Name 'Record' -Body { Save-DdnsRecord -Run $Run }
}

function Initialize-DdnsInstall {
    # What was asked, what is there, and whether it can be done at all. Touches nothing but the lock.
    param([hashtable]$Run)
    Assert-DdnsMachine -Run $Run
    $Run.PreviousVersion = Get-DdnsCurrent -Run $Run
    $Run.Version = $Run.PreviousVersion
    $Run.Saved = Read-DdnsRecord -Run $Run
    $Run.Wanted = Get-DdnsWanted -Run $Run
    $Run.Mode = [string](Get-DdnsKey -Table $Run.Request -Key 'Mode' -Default (Get-DdnsKey -Table $Run.Saved -Key 'Mode' -Default 'Task'))
    $Run.Account = Resolve-DdnsAccount -Run $Run -Account $Run.Wanted.Account -Login $Run.Wanted.Credential
    # A task of this account that is there may stay as it is; where one will have to be written, the password is asked for before.
    $user = ''
    if (-not $Run.Places.PerUser -and $Run.Account.NeedsPassword) { $user = Get-DdnsTaskUser -Xml (Read-DdnsTaskXml) }
    if (-not (Test-DdnsSameAccount -Left $user -Right $Run.Account.UserId)) { Assert-DdnsPassword -Account $Run.Account }
    [void](Assert-DdnsMsi -Run $Run)
    foreach ($path in $Run.Places.Binaries, $Run.Places.Data) { Assert-DdnsFolder -Run $Run -Path $path }
    $detail = "account $($Run.Account.Name)"
    if ($Run.Wanted.RunLevel -eq 'Highest' -and $Run.Account.LogonType -eq '') {
        $detail += '; RunLevel Highest is without effect for a service account'
    }
    if (-not $Run.Places.PerUser -and $Run.Mode -notlike '*Task' -and $Run.Mode -ne 'Service') {
        throw (New-DdnsFault -Code 'Unsupported' -Message "there is no start mode $($Run.Mode)" -Advice 'Use Task, LogonTask, Service or RunKey.')
    }
    if ($Run.Places.PerUser) { Assert-DdnsNoMachineMode -Run $Run }
    New-DdnsStepEnd -Outcome 'Unchanged' -Detail $detail
}

function Assert-DdnsNoMachineMode {
    # One user's installation beside the machine's would update the same records twice.
    param([hashtable]$Run)
    $machine = @{ Request = @{ Operation = 'Query' }; Windows = $Run.Windows }
    $machine.Places = Get-DdnsPlaces -Run $machine
    if (Get-DdnsCurrent -Run $machine) {
        throw (New-DdnsFault -Code 'Unsupported' -Message 'the client is installed for the whole machine' -Advice 'Uninstall that first: Uninstall-DDNS.ps1, as an administrator.')
    }
}

function Get-DdnsWanted {
    # What was asked for, else what the last deployment had, else the defaults.
    param([hashtable]$Run)
    $asked = Get-DdnsKey -Table $Run.Request -Key 'Task' -Default @{}
    $saved = Get-DdnsKey -Table $Run.Saved -Key 'Task' -Default @{}
    $wanted = Get-DdnsTaskDefault
    foreach ($key in @($wanted.Keys)) {
        $value = Get-DdnsKey -Table $asked -Key $key
        if ($null -eq $value) { $value = Get-DdnsKey -Table $saved -Key $key }
        if ($null -ne $value) { $wanted[$key] = $value }
    }
    $wanted.IntervalMinutes = [int]$wanted.IntervalMinutes
    $wanted.DelaySeconds = [int]$wanted.DelaySeconds
    if ($wanted.IntervalMinutes -lt 1 -or $wanted.IntervalMinutes -gt 44640) {
        throw (New-DdnsFault -Code 'Interval' -Message "a task can not repeat every $($wanted.IntervalMinutes) minutes" -Advice (
                'From 1 minute to 31 days. For less than a minute use the resident mode: -Mode Service.'))
    }
    $wanted
}

function Initialize-DdnsFolder {
    param([hashtable]$Run, [hashtable]$Account)
    if ($Run.WhatIf) {
        $missing = @(Get-DdnsAccess -Places $Run.Places -Sid '' -Reader '' | Where-Object { -not (Test-Path -LiteralPath $_.Path) })
        if ($missing.Count -eq 0) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
        return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail "make $($missing.Count) folders")
    }
    $Run.MadeData = -not (Test-Path -LiteralPath $Run.Places.Data)
    if (-not $Run.PreviousVersion) { Add-DdnsUndo -Run $Run -Name 'Folders' -Body { param($Run) Remove-DdnsFirst -Run $Run } }
    $access = Get-DdnsAccess -Places $Run.Places -Sid '' -Reader ''
    $made = 0
    if (Set-DdnsFolder -Run $Run -Path $Run.Places.Binaries -Sddl $access[0].Sddl) { $made = 1 }
    Enter-DdnsLock -Run $Run
    [void](Remove-DdnsTask -Name 'Trial')  # what a deployment that was killed left
    Clear-DdnsLeftover -Run $Run
    $made += Set-DdnsFolders -Run $Run -Account $Account
    $writers = @(Find-DdnsWriter -Run $Run -Path $Run.Places.Binaries)
    if ($writers.Count -gt 0) {
        throw (New-DdnsFault -Code 'UnsafeFolder' -Message "$($Run.Places.Binaries) may be written by $($writers -join ', ')" -Advice 'Take that right away, then deploy again.')
    }
    if ($made -eq 0) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    New-DdnsStepEnd -Outcome 'Done' -Detail "$made made or mended"
}

function Remove-DdnsFirst {
    # A first installation that failed leaves nothing, except data that were there before, and an MSI's program.
    param([hashtable]$Run)
    Exit-DdnsLock -Run $Run
    if (-not (Get-DdnsMsi -Run $Run) -and (Test-Path -LiteralPath $Run.Places.Binaries)) { Remove-DdnsItem -Path $Run.Places.Binaries }
    if ($Run.MadeData -and (Test-Path -LiteralPath $Run.Places.Data)) { Remove-DdnsItem -Path $Run.Places.Data }
    [void](Remove-DdnsTaskFolder -Run $Run)
}

function Set-DdnsPayload {
    # The version that is asked for, in its folder. Without a package, or when it is known by its hash, what is there must do.
    param([hashtable]$Run)
    $request = $Run.Request
    $package = [string](Get-DdnsKey -Table $request -Key 'Package' -Default '')
    $sha256 = ([string](Get-DdnsKey -Table $request -Key 'Sha256' -Default '')).Trim().ToLowerInvariant()
    $known = Find-DdnsInstalledPackage -Run $Run -Sha256 $sha256 -Version ([string](Get-DdnsKey -Table $request -Key 'Version' -Default ''))
    if ($known) {
        $Run.Version = $known
        Assert-DdnsRelease -Run $Run -Release (Get-DdnsRelease -Run $Run -Version $known)
        return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail "version $known is there, and whole")
    }
    if (-not $package -and $sha256) {
        throw (New-DdnsFault -Code 'PackageMissing' -Message 'this package is not on the machine' -Advice 'Send it, and name it with -Package.')
    }
    if (-not $package -and $Run.PreviousVersion) {
        return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail "version $($Run.PreviousVersion) stays")
    }
    if ($Run.WhatIf) { $copy = Test-DdnsPackageInPlace -Package $package -Sha256 $sha256 }
    else { $copy = Get-DdnsPackage -Run $Run }
    $end = Expand-DdnsPackage -Run $Run -Package $copy
    if ($end.Outcome -eq 'Done') {
        Add-DdnsUndo -Run $Run -Name 'Package' -Body { param($Run) Remove-DdnsVersion -Run $Run }
    }
    $end
}

function Remove-DdnsVersion {
    # The new version's folder, unless it is the one in force (a repair).
    param([hashtable]$Run)
    if ($Run.Version -eq $Run.PreviousVersion) { return }
    Remove-DdnsSoon -Run $Run -Path (Join-DdnsPath -Part $Run.Places.Binaries, $Run.Version)
}

function Test-DdnsPackageInPlace {
    # For -WhatIf: nothing is copied, so nothing is promised for the moment of the real call.
    param([string]$Package, [string]$Sha256)
    if (-not [System.IO.File]::Exists($Package)) {
        throw (New-DdnsFault -Code 'PackageMissing' -Message "there is no file $Package, or this account may not read it" -Advice 'Check the path.')
    }
    $found = Get-DdnsHash -Path $Package
    if ($found -ne $Sha256) {
        throw (New-DdnsFault -Code 'PackageHash' -Message "$Package is not the package that was vouched for: its SHA-256 is $found" -Advice 'Fetch the package again.')
    }
    $Package
}

function Find-DdnsInstalledPackage {
    # The installed version that came from the package with this hash, when every file of it is as it was; '' when there is none.
    param([hashtable]$Run, [string]$Sha256, [string]$Version)
    if (-not $Sha256) { return '' }
    $packages = Get-DdnsKey -Table $Run.Saved -Key 'Packages' -Default @{}
    $found = ''
    foreach ($property in $packages.PSObject.Properties) {
        if ($property.Name -match '^\d+\.\d+\.\d+$' -and [string]$property.Value -eq $Sha256) { $found = $property.Name }
    }
    if (-not $found -or ($Version -and $Version -ne $found)) { return '' }
    $folder = Join-DdnsPath -Part $Run.Places.Binaries, $found
    $list = Join-DdnsPath -Part $folder, 'SHA256SUMS'
    if (-not [System.IO.File]::Exists($list)) { return '' }
    $wrong = @(Find-DdnsWrongFile -Folder $folder -List (ConvertFrom-DdnsHashList -Text ([System.IO.File]::ReadAllText($list))))
    if ($wrong.Count -gt 0) { return '' }
    $found
}

function Save-DdnsSecret {
    # The stored form of all secrets, so that a wrong new one can be taken back.
    param([hashtable]$Run)
    $secrets = Get-DdnsKey -Table $Run.Request -Key 'Secrets' -Default @{}
    if ($Run.WhatIf -or $secrets.Count -eq 0 -or -not (Test-Path -LiteralPath $Run.Places.Secrets)) { return }
    $copy = Join-DdnsPath -Part $Run.Places.Staging, ('secrets-{0}' -f [guid]::NewGuid().ToString('N'))
    [void][System.IO.Directory]::CreateDirectory($copy)
    foreach ($path in [System.IO.Directory]::GetFiles($Run.Places.Secrets)) {
        [System.IO.File]::Copy($path, (Join-DdnsPath -Part $copy, ([System.IO.Path]::GetFileName($path))))
    }
    $Run.OldSecrets = $copy
    Add-DdnsUndo -Run $Run -Name 'Secrets' -Body {
        param($Run)
        foreach ($path in [System.IO.Directory]::GetFiles($Run.Places.Secrets)) { Remove-DdnsItem -Path $path }
        foreach ($path in [System.IO.Directory]::GetFiles($Run.OldSecrets)) {
            [System.IO.File]::Copy($path, (Join-DdnsPath -Part $Run.Places.Secrets, ([System.IO.Path]::GetFileName($path))))
        }
    }
}

function Switch-DdnsLauncher {
    param([hashtable]$Run)
    if (-not $Run.WhatIf -and $Run.PreviousVersion -and $Run.PreviousVersion -ne $Run.Version) {
        Add-DdnsUndo -Run $Run -Name 'Launcher' -Body { param($Run) [void](Set-DdnsLauncher -Run $Run -Version $Run.PreviousVersion) }
    }
    Set-DdnsLauncher -Run $Run -Version $Run.Version
}

function Switch-DdnsCurrent {
    param([hashtable]$Run)
    $end = Set-DdnsCurrent -Run $Run -Version $Run.Version
    if ($end.Outcome -eq 'Done' -and $Run.PreviousVersion) {
        Add-DdnsUndo -Run $Run -Name 'Current' -Body { param($Run) [void](Set-DdnsCurrent -Run $Run -Version $Run.PreviousVersion) }
    }
    $end
}

function Start-DdnsFirstRun {
    # What was deployed must work, started the way it will be started.
    param([hashtable]$Run)
    $would = @($Run.Steps | Where-Object { $_.Outcome -eq 'WouldDo' }).Count -gt 0
    if (-not $Run.Changed -and -not $would) { return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'nothing is new') }
    if (-not (Get-DdnsKey -Table $Run.Request -Key 'StartNow' -Default $true)) { return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'not asked for') }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail 'run once') }
    $last = Get-DdnsLastExit -Run $Run
    # Taken back last, when the old task and version are in force again.
    if ($Run.PreviousVersion -and $Run.PreviousVersion -ne $Run.Version) {
        [void]$Run.Undo.Add(@{ Name = 'State'; Body = { param($Run) Restore-DdnsState -Run $Run } })
    }
    $code = Start-DdnsMode -Run $Run
    if ($null -eq $code) { return (New-DdnsStepEnd -Outcome 'Warning' -Detail 'started; it did not end within the time that was given') }
    $known = Get-DdnsCode -Code $code
    $fine = @(0, 11, 13, 14) -contains $code -or ($code -ge 10 -and $code -lt 20 -and $code -eq $last)
    if (-not $fine) {
        throw (New-DdnsFault -Code 'FirstRun' -Message "version $($Run.Version) fails its first run: $($known.Meaning) ($($known.Hex))" -Advice $(if ($known.Advice) { $known.Advice } else { 'See the log of the client.' }))
    }
    if ($code -eq 0) { return (New-DdnsStepEnd -Outcome 'Done' -Detail $known.Meaning) }
    New-DdnsStepEnd -Outcome 'Warning' -Detail "exit code ${code}: $($known.Meaning)"
}

function Start-DdnsMode {
    # Starts what the mode starts; the result code of a run, or $null.
    param([hashtable]$Run)
    $seconds = [int](Get-DdnsKey -Table $Run.Request -Key 'WaitSeconds' -Default 120)
    if ($Run.Mode -like '*Task') {
        $task = Read-DdnsTask
        if ($null -eq $task) {
            throw (New-DdnsFault -Code 'FirstRun' -Message 'the task that was just registered is gone' -Advice 'Find out what removes it (a policy, a virus scanner), then deploy again.')
        }
        if (-not [bool]$task.Settings.Enabled) { return [long]0 }
        return (Start-DdnsTaskNow -Seconds $seconds -Anew)
    }
    $code = [long](Invoke-DdnsClient -Run $Run -Version $Run.Version -Argument 'run' -Seconds $seconds).Code
    if ($Run.Mode -eq 'Service') {
        try { Start-Service -Name (Get-DdnsServiceName) -ErrorAction Stop }
        catch {
            throw (New-DdnsFault -Code 'FirstRun' -Message "the service can not be started: $($_.Exception.Message)" -Advice 'Look at the event log.')
        }
    }
    elseif (@(0, 11, 13, 14) -contains $code) { Start-DdnsResident -Run $Run }
    $code
}

function Start-DdnsResident {
    # What the value under Run starts at the next logon, now.
    param([hashtable]$Run)
    Stop-DdnsResident -Run $Run
    $start = New-Object -TypeName System.Diagnostics.ProcessStartInfo
    $start.FileName = Get-DdnsProgram -Run $Run -Version $Run.Version
    $start.Arguments = Join-DdnsArgument -Argument (Get-DdnsWatchVerb -Run $Run)
    # Through the shell it inherits nothing: whoever reads this PowerShell's output would wait as long as the client runs.
    $start.UseShellExecute = $true
    $start.WindowStyle = [System.Diagnostics.ProcessWindowStyle]::Hidden
    [System.Diagnostics.Process]::Start($start).Dispose()
}

function Save-DdnsRecord {
    # What was deployed, for the next deployment. No secret is in it.
    param([hashtable]$Run)
    $packages = @{}
    $old = Get-DdnsKey -Table $Run.Saved -Key 'Packages'
    if ($null -ne $old) { foreach ($property in $old.PSObject.Properties) { $packages[$property.Name] = [string]$property.Value } }
    $sha256 = ([string](Get-DdnsKey -Table $Run.Request -Key 'Sha256' -Default '')).Trim().ToLowerInvariant()
    if ($sha256) { $packages[$Run.Version] = $sha256 }
    foreach ($version in @($packages.Keys)) {
        if (-not (Test-Path -LiteralPath (Join-DdnsPath -Part $Run.Places.Binaries, $version))) { $packages.Remove($version) }
    }
    $task = [ordered]@{}
    foreach ($key in @($Run.Wanted.Keys | Sort-Object)) { if ($key -ne 'Credential') { $task[$key] = $Run.Wanted[$key] } }
    $sorted = [ordered]@{}
    foreach ($key in @($packages.Keys | Sort-Object)) { $sorted[$key] = $packages[$key] }
    $record = [ordered]@{ Schema = 1; Mode = $Run.Mode; Task = $task; Packages = $sorted }
    $text = ConvertTo-Json -InputObject $record -Depth 5
    $file = $Run.Places.Record
    if ([System.IO.File]::Exists($file) -and [System.IO.File]::ReadAllText($file) -ceq $text) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo') }
    Write-DdnsFile -Path $file -Text $text
    New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'noted'
}

function Read-DdnsRecord {
    # $null when there is none, or none that can be read.
    param([hashtable]$Run)
    try { ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($Run.Places.Record)) }
    catch { $null }
}

function Complete-DdnsInstall {
    # Leaves no working files, whatever happened.
    param([hashtable]$Run)
    $Run.Part = ''
    if ($null -ne $Run.Lock) {
        try { Clear-DdnsLeftover -Run $Run }
        catch { [void]$Run.Notes.Add('working files could not be removed; the next deployment does it') }
    }
    Exit-DdnsLock -Run $Run
}
