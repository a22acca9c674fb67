# The task scheduler: reading, the one write, and what a person changed.

function Get-DdnsTaskPath { '\DDNS\' }

function Read-DdnsTask {
    # A task by its exact path and name (one corrupt foreign task ends a whole listing), $null when there is none.
    param([string]$Name = 'Update')
    try {
        Get-ScheduledTask -TaskPath (Get-DdnsTaskPath) -TaskName $Name -ErrorAction Stop
    }
    catch {
        if ($_.FullyQualifiedErrorId -like 'CmdletizationQuery_NotFound*') { return $null }
        if ([string]$_.CategoryInfo.Category -eq 'ObjectNotFound') { return $null }
        throw (ConvertTo-DdnsTaskFault -Record $_ -Code 'TaskUnreadable')
    }
}

function Read-DdnsTaskXml {
    # The definition as the service keeps it, '' when there is no such task.
    param([string]$Name = 'Update')
    if ($null -eq (Read-DdnsTask -Name $Name)) { return '' }
    try { [string](Export-ScheduledTask -TaskPath (Get-DdnsTaskPath) -TaskName $Name -ErrorAction Stop) }
    catch { throw (ConvertTo-DdnsTaskFault -Record $_ -Code 'TaskUnreadable') }
}

function Write-DdnsTask {
    # The only write. Always with -Force, for the second run, and with -ErrorAction Stop, for these errors don't end a script.
    param([string]$Xml, [string]$Name = 'Update', [hashtable]$Account = @{ Password = $null; NeedsPassword = $false })
    $more = @{}
    Assert-DdnsPassword -Account $Account
    if ($null -ne $Account.Password) {
        $more.User = $Account.Password.UserName
        $more.Password = $Account.Password.GetNetworkCredential().Password
    }
    try {
        $null = Register-ScheduledTask -TaskPath (Get-DdnsTaskPath) -TaskName $Name -Xml $Xml -Force -ErrorAction Stop @more
    }
    catch { throw (ConvertTo-DdnsTaskFault -Record $_ -Code 'TaskRefused') }
}

function Remove-DdnsTask {
    # Returns whether there was one.
    param([string]$Name = 'Update')
    if ($null -eq (Read-DdnsTask -Name $Name)) { return $false }
    Stop-ScheduledTask -TaskPath (Get-DdnsTaskPath) -TaskName $Name -ErrorAction SilentlyContinue
    try { Unregister-ScheduledTask -TaskPath (Get-DdnsTaskPath) -TaskName $Name -Confirm:$false -ErrorAction Stop }
    catch { throw (ConvertTo-DdnsTaskFault -Record $_ -Code 'TaskRefused') }
    $true
}

function ConvertTo-DdnsTaskFault {
    # An error of the task scheduler's commands as one of ours, by its HRESULT.
    param([System.Management.Automation.ErrorRecord]$Record, [string]$Code)
    $number = [long]0
    if ($Record.FullyQualifiedErrorId -match '0x([0-9a-fA-F]{8})') { $number = [System.Convert]::ToInt64($Matches[1], 16) }
    elseif ($Record.Exception.Message -match '0x([0-9a-fA-F]{8})') { $number = [System.Convert]::ToInt64($Matches[1], 16) }
    elseif ($Record.Exception.HResult -ne 0) { $number = [long]$Record.Exception.HResult -band 0xFFFFFFFFL }
    $known = Get-DdnsCode -Code $number
    switch ($number) {
        2147942405 { $Code = 'AccessDenied' }
        2147943732 { $Code = 'AccountUnknown' }
        2147750672 { $Code = 'AccountUnknown' }
        2147943785 { $Code = 'AccountRight' }
        2147943726 { $Code = 'AccountRight' }
        2147750689 { $Code = 'TaskUnreadable' }
    }
    $message = 'the task scheduler refuses: {0}' -f $Record.Exception.Message.Trim()
    $advice = 'Report it.'
    if ($known.Advice -and $known.Severity) { $advice = $known.Advice }
    if ($Code -eq 'AccessDenied') { $advice = Get-DdnsFaultAdvice -Code 'AccessDenied' }
    New-DdnsFault -Code $Code -Message $message -Advice $advice
}

function Wait-DdnsTask {
    # Waits until no instance runs; returns whether that came true in time.
    param([string]$Name = 'Update', [int]$Seconds)
    $until = [DateTime]::UtcNow.AddSeconds($Seconds)
    while ($true) {
        $task = Read-DdnsTask -Name $Name
        if ($null -eq $task) { return $true }
        $state = [string]$task.State
        if ($state -ne 'Running' -and $state -ne 'Queued' -and $state -ne '4' -and $state -ne '2') { return $true }
        if ([DateTime]::UtcNow -gt $until) { return $false }
        Start-Sleep -Milliseconds 200
    }
}

function Start-DdnsTaskNow {
    # Starts a task and waits for its end. Returns its result code, $null when it did not end in time. -Anew: what is at work ends first,
    # for a start beside it would be ignored, and the code be of a run of the definition before.
    param([string]$Name = 'Update', [int]$Seconds, [switch]$Anew)
    if ($Anew) { [void](Wait-DdnsTask -Name $Name -Seconds $Seconds) }
    $before = (Get-ScheduledTaskInfo -TaskPath (Get-DdnsTaskPath) -TaskName $Name -ErrorAction Stop).LastRunTime
    try { Start-ScheduledTask -TaskPath (Get-DdnsTaskPath) -TaskName $Name -ErrorAction Stop }
    catch {
        if ($_.FullyQualifiedErrorId -notmatch '0x8004131[fF]') { throw (ConvertTo-DdnsTaskFault -Record $_ -Code 'TaskRefused') }
    }
    if ($Seconds -le 0) { return $null }
    # The service starts it in its own time: until then it is ready, and its last result is of the run before. Two runs within one second
    # have one time, so patience ends.
    $until = [DateTime]::UtcNow.AddSeconds(5)
    while ($true) {
        if (-not (Wait-DdnsTask -Name $Name -Seconds $Seconds)) { return $null }
        $now = Get-ScheduledTaskInfo -TaskPath (Get-DdnsTaskPath) -TaskName $Name -ErrorAction Stop
        $ended = $now.LastRunTime -ne $before -and @(267009, 267045) -notcontains [long]$now.LastTaskResult
        if ($ended -or [DateTime]::UtcNow -gt $until) { return [long]$now.LastTaskResult }
        Start-Sleep -Milliseconds 100
    }
}

function Get-DdnsMarker {
    # The marker of a definition, '' when it has none.
    param([string]$Xml)
    if ($Xml -match '<Source>\s*(ddns;\d+;sha256=[0-9a-f]{64})\s*</Source>') { return $Matches[1] }
    ''
}

function ConvertTo-DdnsTaskPart {
    # A definition as a table path -> value in which two texts of the same meaning are equal: defaults filled in, durations in seconds,
    # nothing that Windows adds.
    param([string]$Xml)
    $document = New-Object -TypeName System.Xml.XmlDocument
    $document.XmlResolver = $null
    $document.LoadXml(($Xml -replace '^\s*<\?xml[^>]*\?>', ''))
    $parts = @{}
    foreach ($setting in (Get-DdnsSettingDefault).GetEnumerator()) { $parts["Settings/$($setting.Key)"] = $setting.Value }
    Add-DdnsTaskPart -Parts $parts -Node $document.DocumentElement -Path ''
    if (-not $parts.ContainsKey('Principals/Principal/RunLevel')) { $parts['Principals/Principal/RunLevel'] = 'LeastPrivilege' }
    $skipped = 'RegistrationInfo/Date', 'RegistrationInfo/URI', 'RegistrationInfo/Source', 'RegistrationInfo/Author', 'RegistrationInfo/SecurityDescriptor'
    foreach ($name in $skipped) { $parts.Remove($name) }
    $parts
}

function Get-DdnsSettingDefault {
    @{
        AllowStartOnDemand = 'true'; AllowHardTerminate = 'true'; DisallowStartIfOnBatteries = 'true'; StopIfGoingOnBatteries = 'true'
        Enabled = 'true'; ExecutionTimeLimit = '259200'; Hidden = 'false'; MultipleInstancesPolicy = 'IgnoreNew'; Priority = '7'
        StartWhenAvailable = 'false'; RunOnlyIfIdle = 'false'; RunOnlyIfNetworkAvailable = 'false'; WakeToRun = 'false'
        UseUnifiedSchedulingEngine = 'true'
    }
}

function Add-DdnsTaskPart {
    param([hashtable]$Parts, $Node, [string]$Path)
    $seen = @{}
    foreach ($child in $Node.ChildNodes) {
        if ($child.NodeType -ne 'Element') { continue }
        $name = $child.LocalName
        if ($name -eq 'IdleSettings' -or $name -eq 'MaintenanceSettings') { continue }  # Windows adds them
        $seen[$name] = 1 + [int]$seen[$name]
        if ($seen[$name] -gt 1) { $name = '{0}[{1}]' -f $name, $seen[$name] }
        $below = ($Path + '/' + $name).TrimStart('/')
        $elements = @($child.ChildNodes | Where-Object { $_.NodeType -eq 'Element' })
        if ($elements.Count -gt 0) {
            Add-DdnsTaskPart -Parts $Parts -Node $child -Path $below
            continue
        }
        $value = $child.InnerText.Trim()
        if ($below -like '*Trigger*/Enabled' -and $value -eq 'true') { continue }
        if ($child.LocalName -eq 'StopAtDurationEnd' -and $value -eq 'false') { continue }
        if ($child.LocalName -eq 'Triggers' -and $value -eq '') { continue }
        if ($value -match '^P[0-9TDHMSWY.]+$') { $value = [string][System.Xml.XmlConvert]::ToTimeSpan($value).TotalSeconds }
        $Parts[$below] = $value
    }
}

function Compare-DdnsTask {
    # Rows of what differs between the definition that is expected and the one that is there.
    param([string]$Expected, [string]$Actual)
    $left = ConvertTo-DdnsTaskPart -Xml $Expected
    $right = ConvertTo-DdnsTaskPart -Xml $Actual
    foreach ($path in (@($left.Keys) + @($right.Keys) | Sort-Object -Unique)) {
        $was = [string]$left[$path]
        $is = [string]$right[$path]
        if ($was -ceq $is) { continue }
        if ($path -eq 'Principals/Principal/UserId' -and (Test-DdnsSameAccount -Left $was -Right $is)) { continue }
        New-DdnsDrift -Area 'Task' -Item $path -Expected $was -Actual $is
    }
}

function Find-DdnsTaskWriter {
    # SIDs besides SYSTEM and administrators that may change the task: whoever can, runs code as its account. Windows itself adds a right
    # to read for that account.
    param([string]$Xml)
    if ($Xml -notmatch '<SecurityDescriptor>([^<]*)</SecurityDescriptor>') { return }
    foreach ($ace in [regex]::Matches($Matches[1], '\(A;[A-Z]*;([^;]*);[^;]*;[^;]*;([^)]+)\)')) {
        $rights = $ace.Groups[1].Value
        $sid = $ace.Groups[2].Value
        if (@('SY', 'BA', 'S-1-5-18', 'S-1-5-32-544') -contains $sid) { continue }
        $writes = $rights -match '^(.{2})*(FA|FW|GA|GW|WD|WO|SD|KA|KW)'
        if ($rights -match '^0x([0-9a-fA-F]{1,8})$') { $writes = ([System.Convert]::ToInt64($Matches[1], 16) -band 0x500D0016) -ne 0 }
        if ($writes) { $sid }
    }
}

function Test-DdnsSameAccount {
    # The service writes an account as a SID or as a name, differently between versions and languages of Windows.
    param([string]$Left, [string]$Right)
    if (-not $Left -or -not $Right) { return $false }
    $Left -eq $Right -or (ConvertTo-DdnsSid -Account $Left) -eq (ConvertTo-DdnsSid -Account $Right)
}

function ConvertTo-DdnsSid {
    # The SID of an account; the whole name, domain and all, where Windows knows none.
    param([string]$Account)
    if ($Account -match '^S-1-\d') { return $Account }
    $names = @{ 'LOCAL SERVICE' = 'S-1-5-19'; 'NETWORK SERVICE' = 'S-1-5-20'; 'SYSTEM' = 'S-1-5-18' }
    $bare = $Account -replace '^NT AUTHORITY\\', ''
    if ($names.ContainsKey($bare)) { return $names[$bare] }
    if (-not (Test-DdnsWindows)) { return $Account }
    try {
        (New-Object -TypeName System.Security.Principal.NTAccount -ArgumentList $Account).Translate([System.Security.Principal.SecurityIdentifier]).Value
    }
    catch { $Account }
}

function Get-DdnsTaskUser {
    # The account in a definition, '' when there is none.
    param([string]$Xml)
    if ($Xml -match '<Principal\b[^>]*>[\s\S]*?<UserId>\s*([^<]+?)\s*</UserId>') { return [System.Net.WebUtility]::HtmlDecode($Matches[1]) }
    ''
}

function New-DdnsDrift {
    param([string]$Area, [string]$Item, [string]$Expected, [string]$Actual, [string]$Severity = 'Warning')
    [pscustomobject]@{ PSTypeName = 'Ddns.Drift'; Area = $Area; Item = $Item; Expected = $Expected; Actual = $Actual; Severity = $Severity }
}

function Remove-DdnsTaskFolder {
    # The empty folder \DDNS. Only COM can do that; it must not fail an uninstallation.
    param([hashtable]$Run)
    if (-not $Run.Windows) { return $false }
    try {
        $service = New-Object -ComObject 'Schedule.Service'
        $service.Connect()
        $service.GetFolder('\').DeleteFolder('DDNS', 0)
        $true
    }
    catch { $false }
}
