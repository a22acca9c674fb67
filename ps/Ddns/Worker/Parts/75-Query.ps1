# Query and Test: what there is, and what differs from what was deployed.

function Invoke-DdnsQuery {
    # Needs no elevation; says so when something could not be seen for want of it.
    param([hashtable]$Run)
    $Run.Version = Get-DdnsCurrent -Run $Run
    $Run.Status = Read-DdnsStatus -Run $Run
    $Run.Tombstone = Get-DdnsTombstone -Run $Run
    $hidden = $false
    try {
        $Run.Mode = @(Find-DdnsMode -Run $Run) -join ', '
        $Run.Task = Get-DdnsTaskState -Run $Run
    }
    catch {
        if ((Get-DdnsFaultCode -Exception $_.Exception) -ne 'AccessDenied') { throw }
        $hidden = $true
    }
    if ($null -eq $Run.Task -and -not $Run.Mode -and $Run.Version -and -not (Test-DdnsElevated -Run $Run)) { $hidden = $true }
    if ($hidden) { return 'NeedsElevation' }
    if (-not $Run.Version -and $null -eq $Run.Task -and -not $Run.Mode) {
        if (Get-DdnsMsi -Run $Run) { $Run.Version = Get-DdnsMsi -Run $Run; return 'Ok' }
        return 'NotInstalled'
    }
    'Ok'
}

function Read-DdnsStatus {
    # status.json, parsed; why not, in StatusError.
    param([hashtable]$Run)
    $file = $Run.Places.StatusFile
    try {
        if (-not [System.IO.File]::Exists($file)) {
            $Run.StatusError = 'there was no run yet'
            return $null
        }
        # Shared in every way: the client replaces the file while others read it.
        $share = [System.IO.FileShare]::ReadWrite -bor [System.IO.FileShare]::Delete
        $stream = [System.IO.File]::Open($file, [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, $share)
        $reader = New-Object -TypeName System.IO.StreamReader -ArgumentList $stream, ([System.Text.Encoding]::UTF8)
        try { ConvertFrom-Json -InputObject $reader.ReadToEnd() }
        finally { $reader.Dispose() }
    }
    catch [System.UnauthorizedAccessException] {
        $Run.StatusError = "$file may not be read by this account"
        $null
    }
    catch {
        $Run.StatusError = "$file can not be read: $($_.Exception.Message)"
        $null
    }
}

function Get-DdnsTaskState {
    # The task as scalars; $null when there is none.
    param([hashtable]$Run)
    if ($Run.Places.PerUser) { return $null }
    $task = Read-DdnsTask
    if ($null -eq $task) { return $null }
    $info = Get-ScheduledTaskInfo -TaskPath (Get-DdnsTaskPath) -TaskName 'Update' -ErrorAction Stop
    $xml = Read-DdnsTaskXml
    $known = Get-DdnsCode -Code $info.LastTaskResult
    $states = @{ '0' = 'Unknown'; '1' = 'Disabled'; '2' = 'Queued'; '3' = 'Ready'; '4' = 'Running' }
    $state = [string]$task.State
    if ($states.ContainsKey($state)) { $state = $states[$state] }
    $interval = 0
    if ($xml -match '<Interval>\s*(P[^<\s]+)\s*</Interval>') { $interval = [int][System.Xml.XmlConvert]::ToTimeSpan($Matches[1]).TotalMinutes }
    $account = ''
    if ($xml -match '<UserId>\s*([^<]+?)\s*</UserId>') { $account = Get-DdnsAccountWord -Sid $Matches[1] }
    $match = $null
    if ([System.IO.File]::Exists($Run.Places.TaskFile)) { $match = @(Get-DdnsTaskEdit -Run $Run -Xml $xml).Count -eq 0 }
    [pscustomobject]@{
        Path = '\DDNS\Update'
        State = $state
        Enabled = $state -ne 'Disabled'
        LastRunTime = ConvertTo-DdnsTime -Time $info.LastRunTime
        LastResult = $known.Code
        LastResultHex = $known.Hex
        Meaning = $known.Meaning
        Advice = $known.Advice
        Severity = $known.Severity
        NextRunTime = ConvertTo-DdnsTime -Time $info.NextRunTime
        MissedRuns = [int]$info.NumberOfMissedRuns
        Account = $account
        IntervalMinutes = $interval
        Marker = Get-DdnsMarker -Xml $xml
        DefinitionMatch = $match
    }
}

function Get-DdnsAccountWord {
    # The built-in accounts by the names that people know; another as the definition has it.
    param([string]$Sid)
    $known = @{ 'S-1-5-18' = 'SYSTEM'; 'S-1-5-19' = 'LOCAL SERVICE'; 'S-1-5-20' = 'NETWORK SERVICE' }
    if ($known.ContainsKey($Sid)) { return $known[$Sid] }
    $Sid
}

function Invoke-DdnsTest {
    # Compares with what was deployed. Rows of difference; nothing is changed.
    param([hashtable]$Run)
    $Run.Version = Get-DdnsCurrent -Run $Run
    $Run.Saved = Read-DdnsRecord -Run $Run
    $modes = @(Find-DdnsMode -Run $Run)
    if (-not $Run.Version -and $modes.Count -eq 0) { return 'NotInstalled' }
    if (-not $Run.Places.PerUser -and -not (Test-DdnsElevated -Run $Run)) {
        throw (New-DdnsFault -Code 'NotElevated' -Message 'rights and task can only be compared by an administrator' -Advice (Get-DdnsFaultAdvice -Code 'AccessDenied'))
    }
    $Run.Mode = [string](Get-DdnsKey -Table $Run.Saved -Key 'Mode' -Default 'Task')
    $rows = New-Object -TypeName System.Collections.ArrayList
    foreach ($row in @(Test-DdnsMode -Run $Run -Modes $modes)) { [void]$rows.Add($row) }
    foreach ($row in @(Test-DdnsFile -Run $Run)) { [void]$rows.Add($row) }
    foreach ($row in @(Test-DdnsFolderAccess -Run $Run)) { [void]$rows.Add($row) }
    foreach ($row in @(Test-DdnsConfig -Run $Run)) { [void]$rows.Add($row) }
    foreach ($row in @(Test-DdnsChannel -Run $Run)) { [void]$rows.Add($row) }
    $Run.Drift = @($rows)
    if ($rows.Count -gt 0) { return 'Drift' }
    'Ok'
}

function Test-DdnsMode {
    param([hashtable]$Run, [string[]]$Modes)
    $active = @($Modes) -join ', '
    if ($active -ne $Run.Mode) { New-DdnsDrift -Area 'Mode' -Item 'start mode' -Expected $Run.Mode -Actual $active -Severity 'Error' }
    if ($Run.Mode -notlike '*Task') { return }
    $xml = Read-DdnsTaskXml
    if (-not $xml) { return }
    foreach ($sid in @(Find-DdnsTaskWriter -Xml $xml)) {
        New-DdnsDrift -Area 'Task' -Item 'RegistrationInfo/SecurityDescriptor' -Expected 'only administrators may change it' -Actual "$sid may" -Severity 'Error'
    }
    if ([System.IO.File]::Exists($Run.Places.TaskFile)) {
        $registered = [System.IO.File]::ReadAllText($Run.Places.TaskFile)
        if ((Get-DdnsMarker -Xml $registered) -ne (Get-DdnsMarker -Xml $xml)) {
            New-DdnsDrift -Area 'Task' -Item 'marker' -Expected (Get-DdnsMarker -Xml $registered) -Actual (Get-DdnsMarker -Xml $xml) -Severity 'Error'
        }
        Compare-DdnsTask -Expected $registered -Actual $xml
    }
    $program = Get-DdnsProgram -Run $Run -Version $Run.Version
    if ($xml.IndexOf([System.Security.SecurityElement]::Escape($program), [System.StringComparison]::OrdinalIgnoreCase) -lt 0) {
        New-DdnsDrift -Area 'Task' -Item 'program' -Expected $program -Actual 'another' -Severity 'Error'
    }
}

function Test-DdnsFile {
    param([hashtable]$Run)
    if (-not $Run.Version) {
        New-DdnsDrift -Area 'File' -Item 'current' -Expected 'a version' -Actual 'none' -Severity 'Error'
        return
    }
    $folder = Join-DdnsPath -Part $Run.Places.Binaries, $Run.Version
    $list = Join-DdnsPath -Part $folder, 'SHA256SUMS'
    if (-not [System.IO.File]::Exists($list)) {
        New-DdnsDrift -Area 'File' -Item $list -Expected 'a hash list' -Actual 'missing' -Severity 'Error'
        return
    }
    foreach ($wrong in @(Find-DdnsWrongFile -Folder $folder -List (ConvertFrom-DdnsHashList -Text ([System.IO.File]::ReadAllText($list))))) {
        New-DdnsDrift -Area 'File' -Item $folder -Expected 'as released' -Actual $wrong -Severity 'Error'
    }
}

function Test-DdnsFolderAccess {
    param([hashtable]$Run)
    $wanted = Get-DdnsTaskDefault
    $name = [string](Get-DdnsKey -Table (Get-DdnsKey -Table $Run.Saved -Key 'Task') -Key 'Account' -Default $wanted.Account)
    foreach ($row in (Get-DdnsExpectedAccess -Run $Run -Account $name)) {
        if (-not (Test-Path -LiteralPath $row.Path)) {
            New-DdnsDrift -Area 'Acl' -Item $row.Path -Expected 'a folder' -Actual 'missing' -Severity 'Error'
            continue
        }
        try { Assert-DdnsFolder -Run $Run -Path $row.Path }
        catch {
            New-DdnsDrift -Area 'Acl' -Item $row.Path -Expected 'an administrator''s folder' -Actual $_.Exception.Message -Severity 'Error'
            continue
        }
        if (-not $Run.Windows -or $Run.Places.PerUser) { continue }
        $security = New-Object -TypeName System.Security.AccessControl.DirectorySecurity
        $security.SetSecurityDescriptorSddlForm($row.Sddl)
        if (-not (Test-DdnsAccess -Path $row.Path -Wanted $security)) {
            $is = (Get-Acl -LiteralPath $row.Path).GetSecurityDescriptorSddlForm([System.Security.AccessControl.AccessControlSections]::Access)
            New-DdnsDrift -Area 'Acl' -Item $row.Path -Expected $row.Sddl -Actual $is -Severity 'Error'
        }
    }
}

function Get-DdnsExpectedAccess {
    # The table of rights of what was deployed.
    param([hashtable]$Run, [string]$Account)
    $login = New-Object -TypeName System.Object  # no password is needed to know whose rights they are
    $found = Resolve-DdnsAccount -Run $Run -Account $Account -Login $login
    $who = Get-DdnsReader -Run $Run -Account $found
    Get-DdnsAccess -Places $Run.Places -Sid $who.Sid -Reader $who.Reader
}

function Test-DdnsConfig {
    param([hashtable]$Run)
    if (-not $Run.Version) { return }
    $checked = Invoke-DdnsClient -Run $Run -Version $Run.Version -Argument 'config', 'validate'
    if ($checked.Code -ne 0) {
        New-DdnsDrift -Area 'Config' -Item $Run.Places.ConfigFile -Expected 'valid' -Actual (Get-DdnsSaid -Ended $checked) -Severity 'Error'
    }
}

function Test-DdnsChannel {
    # A trigger on a channel that is switched off is silently dead.
    param([hashtable]$Run)
    if (-not $Run.Windows -or $Run.Mode -ne 'Task') { return }
    $key = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WINEVT\Channels\Microsoft-Windows-NetworkProfile/Operational'
    $path = $key.Substring(6)
    $channel = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($path)
    if ($null -eq $channel) { return }
    try { $on = $channel.GetValue('Enabled', 1) }
    finally { $channel.Dispose() }
    if ([int]$on -eq 0) {
        New-DdnsDrift -Area 'Channel' -Item 'Microsoft-Windows-NetworkProfile/Operational' -Expected 'enabled' -Actual 'disabled'
    }
}
