# How the client is started: the task (also one at logon), a Windows service, or a value under Run for one user.

function Get-DdnsServiceName { 'DDNS' }

function Get-DdnsServiceSid {
    # The SID of a service: S-1-5-80 and the SHA-1 of its name in capitals, as that of a task.
    (Get-DdnsTaskSid -TaskPath (Get-DdnsServiceName)) -replace '^S-1-5-87-', 'S-1-5-80-'
}

function Get-DdnsRunKey { 'HKCU:\Software\Microsoft\Windows\CurrentVersion\Run' }

function Find-DdnsMode {
    # Which start modes are set up. More than one is a fault that the next deployment mends.
    param([hashtable]$Run)
    $xml = ''
    if (-not $Run.Places.PerUser) { $xml = Read-DdnsTaskXml }
    if ($xml) {
        if ($xml -match '<LogonTrigger' -and $xml -notmatch '<TimeTrigger') { 'LogonTask' } else { 'Task' }
    }
    if (-not $Run.Places.PerUser -and (Get-DdnsServiceCommand)) { 'Service' }
    if ($Run.Places.PerUser -and (Get-DdnsRunValue -Run $Run)) { 'RunKey' }
}

function Get-DdnsRunValue {
    param([hashtable]$Run)
    if (-not $Run.Windows) { return '' }
    $values = Get-ItemProperty -LiteralPath (Get-DdnsRunKey) -ErrorAction SilentlyContinue
    [string](Get-DdnsKey -Table $values -Key 'DDNS' -Default '')
}

function Get-DdnsWatchVerb {
    # The arguments of the resident client.
    param([hashtable]$Run)
    'watch', '--every', ('{0}m' -f [int]$Run.Wanted.IntervalMinutes)
    $Run.Places.DataArguments
}

function Set-DdnsMode {
    # Sets the wanted mode up, then takes every other one away.
    param([hashtable]$Run, [hashtable]$Wanted, [hashtable]$Account)
    switch ($Run.Mode) {
        'Service' { $end = Set-DdnsService -Run $Run -Wanted $Wanted }
        'RunKey' { $end = Set-DdnsRunKey -Run $Run }
        default { $end = Set-DdnsTask -Run $Run -Wanted $Wanted -Account $Account }
    }
    $gone = @(Remove-DdnsOtherMode -Run $Run)
    if ($gone.Count -gt 0) {
        $outcome = 'Done'
        if ($Run.WhatIf) { $outcome = 'WouldDo' }
        $end = New-DdnsStepEnd -Outcome $outcome -Detail ("{0}; taken away: {1}" -f $end.Detail, ($gone -join ', ')).TrimStart('; ')
    }
    $end
}

function Remove-DdnsOtherMode {
    param([hashtable]$Run)
    foreach ($mode in @(Find-DdnsMode -Run $Run)) {
        if ($mode -eq $Run.Mode) { continue }
        $bothTasks = $mode -like '*Task' -and $Run.Mode -like '*Task'
        if ($bothTasks) { continue }  # one task, whose definition was just replaced
        if (-not $Run.WhatIf) { Remove-DdnsMode -Run $Run -Mode $mode }
        $mode
    }
}

function Remove-DdnsMode {
    param([hashtable]$Run, [string]$Mode)
    switch ($Mode) {
        'Service' { Remove-DdnsService -Run $Run }
        'RunKey' { Remove-DdnsRunKey -Run $Run }
        default {
            [void](Remove-DdnsTask)
            if ([System.IO.File]::Exists($Run.Places.TaskFile)) { Remove-DdnsItem -Path $Run.Places.TaskFile }
        }
    }
}

function Set-DdnsTask {
    # Registers the definition when it is another one. One that a person edited is changed back only with Force.
    param([hashtable]$Run, [hashtable]$Wanted, [hashtable]$Account)
    $table = Get-DdnsTaskTable -Run $Run -Wanted $Wanted -Account $Account -Version $Run.Version -Mode $Run.Mode
    $xml = New-DdnsTaskXml -Task $table
    $old = Read-DdnsTaskXml
    $edits = @(Get-DdnsTaskEdit -Run $Run -Xml $old)
    $force = [bool](Get-DdnsKey -Table $Run.Request -Key 'Force' -Default $false)
    if ($old -and (Get-DdnsMarker -Xml $old) -eq (Get-DdnsMarker -Xml $xml) -and ($edits.Count -eq 0 -or -not $force)) {
        if ($edits.Count -eq 0) { return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'the definition is the same') }
        if (-not $Run.WhatIf) { $Run.Drift = $edits }
        return (New-DdnsStepEnd -Outcome 'Warning' -Detail ('a person changed the task: {0}; -Force changes it back' -f (@($edits | ForEach-Object { $_.Item }) -join ', ')))
    }
    $off = $edits.Count -eq 1 -and $edits[0].Item -eq 'Settings/Enabled' -and -not $force
    if ($edits.Count -gt 0 -and -not $force -and -not $off) {
        $items = @($edits | ForEach-Object { $_.Item }) -join ', '
        throw (New-DdnsFault -Code 'TaskEdited' -Message "a person changed the task: $items" -Advice 'Look at the difference with Test-DdnsTask; -Force replaces the task.')
    }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail 'register the task \DDNS\Update') }
    if ($off) { $xml = $xml.Replace('<Enabled>true</Enabled>', '<Enabled>false</Enabled>') }
    Assert-DdnsPassword -Account $Account
    $Run.OldTask = $old
    $Run.OldTaskAccount = $Account
    if ([System.IO.File]::Exists($Run.Places.TaskFile)) { $Run.OldTaskFile = [System.IO.File]::ReadAllText($Run.Places.TaskFile) }
    Add-DdnsUndo -Run $Run -Name 'Task' -Body { param($Run) Restore-DdnsTask -Run $Run }
    Write-DdnsTask -Xml $xml -Account $Account
    # What is compared with: as asked for, so that a task that was switched off stays a difference that is told.
    Write-DdnsFile -Path $Run.Places.TaskFile -Text (New-DdnsTaskXml -Task $table)
    if ($off) { return (New-DdnsStepEnd -Outcome 'Warning' -Detail 'registered, and still disabled, as a person left it') }
    New-DdnsStepEnd -Outcome 'Done' -Detail '\DDNS\Update'
}

function Get-DdnsTaskEdit {
    # What differs between the task that is there and the one that was registered.
    param([hashtable]$Run, [string]$Xml)
    if (-not $Xml -or -not [System.IO.File]::Exists($Run.Places.TaskFile)) { return }
    $registered = [System.IO.File]::ReadAllText($Run.Places.TaskFile)
    # A deployment killed between the registration and the note of it: the task is whole, the note is of the one before.
    if ((Get-DdnsMarker -Xml $registered) -ne (Get-DdnsMarker -Xml $Xml)) { return }
    Compare-DdnsTask -Expected $registered -Actual $Xml
}

function Restore-DdnsTask {
    param([hashtable]$Run)
    if (-not $Run.OldTask) {
        [void](Remove-DdnsTask)
        if ([System.IO.File]::Exists($Run.Places.TaskFile)) { Remove-DdnsItem -Path $Run.Places.TaskFile }
        return
    }
    $xml = $Run.OldTask -replace '^\s*<\?xml[^>]*\?>\s*', ''
    # The password is this account's: it is not for a definition that names another.
    $more = @{}
    if ($null -ne $Run.OldTaskAccount.Password -and (Test-DdnsSameAccount -Left (Get-DdnsTaskUser -Xml $xml) -Right $Run.OldTaskAccount.UserId)) {
        $more.Account = $Run.OldTaskAccount
    }
    try { Write-DdnsTask -Xml $xml @more }
    catch {
        if ((Get-DdnsFaultCode -Exception $_.Exception) -ne 'AccountRight') { throw }
        Restore-DdnsTaskAsNew -Run $Run -User (Get-DdnsTaskUser -Xml $xml)
    }
    $text = $Run.OldTaskFile
    if (-not $text) { $text = $xml }
    # A disk that is full takes no file, but the one that is there may be right.
    if ([System.IO.File]::Exists($Run.Places.TaskFile) -and [System.IO.File]::ReadAllText($Run.Places.TaskFile) -ceq $text) { return }
    Write-DdnsFile -Path $Run.Places.TaskFile -Text $text
}

function Restore-DdnsTaskAsNew {
    # The old definition was a user's, and nobody has the password: the old version runs under the account that was asked for now, rather
    # than a version that is about to be removed.
    param([hashtable]$Run, [string]$User)
    $table = Get-DdnsTaskTable -Run $Run -Wanted $Run.Wanted -Account $Run.OldTaskAccount -Version $Run.PreviousVersion -Mode $Run.Mode
    $xml = New-DdnsTaskXml -Task $table
    Write-DdnsTask -Xml $xml -Account $Run.OldTaskAccount
    Write-DdnsFile -Path $Run.Places.TaskFile -Text $xml
    throw (New-DdnsFault -Code 'AccountRight' -Message "the task of $User can not come back without the password; it runs version $($Run.PreviousVersion) as $($Run.OldTaskAccount.Name)" -Advice (
            'Deploy again with -TaskCredential.'))
}

function Set-DdnsRunKey {
    # One value of this user; it starts the resident client once for each logon.
    param([hashtable]$Run)
    $command = '"{0}" {1}' -f (Get-DdnsProgram -Run $Run -Version $Run.Version), (Join-DdnsArgument -Argument (Get-DdnsWatchVerb -Run $Run))
    $old = Get-DdnsRunValue -Run $Run
    if ($old -ceq $command) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail 'set the value under Run') }
    if (-not $Run.Windows) { throw (New-DdnsFault -Code 'Unsupported' -Message 'the Run key is a part of Windows' -Advice 'Use the task.') }
    $Run.OldRunValue = $old
    Add-DdnsUndo -Run $Run -Name 'RunKey' -Body {
        param($Run)
        if ($Run.OldRunValue) { Set-ItemProperty -LiteralPath (Get-DdnsRunKey) -Name 'DDNS' -Value $Run.OldRunValue }
        else { Remove-DdnsRunKey -Run $Run }
    }
    if (-not (Test-Path -LiteralPath (Get-DdnsRunKey))) { $null = New-Item -Path (Get-DdnsRunKey) -Force }
    $null = New-ItemProperty -LiteralPath (Get-DdnsRunKey) -Name 'DDNS' -Value $command -PropertyType String -Force
    New-DdnsStepEnd -Outcome 'Done' -Detail 'starts at the next logon'
}

function Remove-DdnsRunKey {
    param([hashtable]$Run)
    Stop-DdnsResident -Run $Run
    Remove-ItemProperty -LiteralPath (Get-DdnsRunKey) -Name 'DDNS' -ErrorAction SilentlyContinue
}

function Stop-DdnsResident {
    # Ends clients of this installation that stay resident, by the path of their program.
    param([hashtable]$Run)
    $start = $Run.Places.Binaries + [System.IO.Path]::DirectorySeparatorChar
    foreach ($process in @(Get-Process -Name 'ddns' -ErrorAction SilentlyContinue)) {
        $path = [string]$process.Path
        if ($path.StartsWith($start, [System.StringComparison]::OrdinalIgnoreCase)) {
            Stop-Process -Id $process.Id -Force -ErrorAction SilentlyContinue
        }
    }
}

function Get-DdnsServiceCommand {
    # What the service is registered with, '' when there is none.
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$(Get-DdnsServiceName)"
    if (-not (Test-DdnsWindows) -or -not (Test-Path -LiteralPath $key)) { return '' }
    [string](Get-DdnsKey -Table (Get-ItemProperty -LiteralPath $key) -Key 'ImagePath' -Default '')
}

function Set-DdnsService {
    # The client makes its service itself: account, service SID, rights, recovery. It runs every IntervalMinutes.
    param([hashtable]$Run, [hashtable]$Wanted)
    if (-not $Run.Windows) { throw (New-DdnsFault -Code 'Unsupported' -Message 'a Windows service is a part of Windows' -Advice 'Use the task.') }
    $old = Get-DdnsServiceCommand
    $program = Get-DdnsProgram -Run $Run -Version $Run.Version
    $every = ' --every {0}(s|\b)' -f ([int]$Wanted.IntervalMinutes * 60)
    if ($old.IndexOf($program, [System.StringComparison]::OrdinalIgnoreCase) -ge 0 -and ($old -match $every)) {
        return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'the service is the same')
    }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail 'set the service DDNS up') }
    $Run.OldService = $old
    Add-DdnsUndo -Run $Run -Name 'Service' -Body { param($Run) Restore-DdnsService -Run $Run }
    if ($old) { Stop-Service -Name (Get-DdnsServiceName) -Force -ErrorAction SilentlyContinue }
    Install-DdnsService -Run $Run -Version $Run.Version -Wanted $Wanted
    New-DdnsStepEnd -Outcome 'Done' -Detail 'service DDNS'
}

function Install-DdnsService {
    param([hashtable]$Run, [string]$Version, [hashtable]$Wanted)
    $account = [string]$Wanted.Account
    if ($account -eq 'System') { $account = 'LocalSystem' }
    $arguments = 'service', 'install', '--every', ('{0}m' -f [int]$Wanted.IntervalMinutes), '--account', $account
    $ended = Invoke-DdnsClient -Run $Run -Version $Version -Argument $arguments
    if ($ended.Code -ne 0) {
        throw (New-DdnsFault -Code 'TaskRefused' -Message "the service can not be made: $(Get-DdnsSaid -Ended $ended)" -Advice 'Close the services console, then try again.')
    }
}

function Restore-DdnsService {
    param([hashtable]$Run)
    if (-not $Run.OldService -or -not $Run.PreviousVersion) { Remove-DdnsService -Run $Run; return }
    Stop-Service -Name (Get-DdnsServiceName) -Force -ErrorAction SilentlyContinue
    Install-DdnsService -Run $Run -Version $Run.PreviousVersion -Wanted $Run.Wanted
    Start-Service -Name (Get-DdnsServiceName) -ErrorAction SilentlyContinue
}

function Remove-DdnsService {
    # By the client that is there; without one, by sc.exe.
    param([hashtable]$Run)
    if (-not (Get-DdnsServiceCommand)) { return }
    foreach ($version in $Run.Version, $Run.PreviousVersion) {
        if (-not $version -or -not [System.IO.File]::Exists((Get-DdnsProgram -Run $Run -Version $version))) { continue }
        $ended = Invoke-DdnsClient -Run $Run -Version $version -Argument 'service', 'remove'
        if ($ended.Code -eq 0) { return }
    }
    Stop-Service -Name (Get-DdnsServiceName) -Force -ErrorAction SilentlyContinue
    $system = [System.Environment]::GetFolderPath('System')
    $process = Start-Process -FilePath (Join-DdnsPath -Part $system, 'sc.exe') -ArgumentList 'delete', (Get-DdnsServiceName) -Wait -PassThru -WindowStyle Hidden
    if (@(0, 1060, 1072) -notcontains $process.ExitCode) {
        throw (New-DdnsFault -Code 'InUse' -Message "the service can not be removed: sc.exe ended with $($process.ExitCode)" -Advice 'Close the services console, then try again.')
    }
}
