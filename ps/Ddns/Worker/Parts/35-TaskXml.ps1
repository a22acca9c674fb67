# The definition of the task. Pure: the same table gives the same text on every machine and in every culture.

function Get-DdnsTaskDefault {
    # The keys of Request.Task and what they are when nobody says.
    @{
        IntervalMinutes = 10
        Account = 'LocalService'
        Credential = $null
        RunLevel = 'LeastPrivilege'
        NetworkTrigger = $true
        ResumeTrigger = $true
        BootTrigger = $true
        LogonTrigger = $false
        DelaySeconds = 60
    }
}

function Get-DdnsPhase {
    # Seconds into the interval at which this machine runs: a fleet spreads over the interval, and each machine keeps its place.
    param([string]$MachineId, [int]$IntervalMinutes)
    $sha = [System.Security.Cryptography.SHA256]::Create()
    try { $hash = $sha.ComputeHash([System.Text.Encoding]::UTF8.GetBytes($MachineId)) }
    finally { $sha.Dispose() }
    $number = [long]$hash[0] + [long]$hash[1] * 256 + [long]$hash[2] * 65536 + [long]$hash[3] * 16777216
    [int]($number % ($IntervalMinutes * 60))
}

function Get-DdnsSubscription {
    # The events that stand for "a network came" and "the machine woke up".
    param([bool]$Network, [bool]$Resume)
    $query = ''
    if ($Network) {
        $query += '<Select Path="Microsoft-Windows-NetworkProfile/Operational">*[System[(EventID=10000)]]</Select>'
    }
    if ($Resume) {
        $query += '<Select Path="System">*[System[Provider[@Name=''Microsoft-Windows-Kernel-Power''] and (EventID=107 or EventID=507)]]</Select>'
    }
    "<QueryList><Query Id=`"0`">$query</Query></QueryList>"
}

function New-DdnsTaskXml {
    # The XML of a task, with its marker. Keys: Mode, Command, Arguments, WorkingDirectory, Version, Description, UserId, LogonType,
    # TokenSid, and those of Get-DdnsTaskDefault; PhaseSeconds; Triggers $false for a task that is only started by hand.
    param([hashtable]$Task)
    $plain = Format-DdnsTask -Task $Task -Source ''
    $sha = [System.Security.Cryptography.SHA256]::Create()
    try { $hash = $sha.ComputeHash([System.Text.Encoding]::UTF8.GetBytes($plain)) }
    finally { $sha.Dispose() }
    $hex = [System.BitConverter]::ToString($hash).Replace('-', '').ToLowerInvariant()
    Format-DdnsTask -Task $Task -Source "ddns;1;sha256=$hex"
}

function Format-DdnsTask {
    param([hashtable]$Task, [string]$Source)
    $text = { param($value) [System.Security.SecurityElement]::Escape([string]$value) }
    $lines = New-Object -TypeName System.Collections.ArrayList
    $put = { param([string]$line) [void]$lines.Add($line) }
    & $put '<Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">'
    & $put '  <RegistrationInfo>'
    & $put '    <SecurityDescriptor>O:BAG:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)</SecurityDescriptor>'
    if ($Source) { & $put "    <Source>$(& $text $Source)</Source>" }
    & $put '    <Author>ddns</Author>'
    & $put "    <Version>$(& $text $Task.Version)</Version>"
    & $put "    <Description>$(& $text $Task.Description)</Description>"
    & $put '  </RegistrationInfo>'
    foreach ($line in (Format-DdnsTrigger -Task $Task)) { & $put $line }
    & $put '  <Principals>'
    & $put '    <Principal id="Author">'
    & $put "      <UserId>$(& $text $Task.UserId)</UserId>"
    if ($Task.LogonType) { & $put "      <LogonType>$(& $text $Task.LogonType)</LogonType>" }
    $level = 'LeastPrivilege'
    if ($Task.RunLevel -eq 'Highest') { $level = 'HighestAvailable' }
    & $put "      <RunLevel>$level</RunLevel>"
    if ($Task.TokenSid) { & $put '      <ProcessTokenSidType>Unrestricted</ProcessTokenSidType>' }
    & $put '    </Principal>'
    & $put '  </Principals>'
    foreach ($line in (Format-DdnsTaskSetting)) { & $put $line }
    & $put '  <Actions Context="Author">'
    & $put '    <Exec>'
    & $put "      <Command>$(& $text ('"' + $Task.Command + '"'))</Command>"
    & $put "      <Arguments>$(& $text $Task.Arguments)</Arguments>"
    & $put "      <WorkingDirectory>$(& $text $Task.WorkingDirectory)</WorkingDirectory>"
    & $put '    </Exec>'
    & $put '  </Actions>'
    & $put '</Task>'
    ($lines -join "`r`n") + "`r`n"
}

function Format-DdnsTrigger {
    param([hashtable]$Task)
    if ((Get-DdnsKey -Table $Task -Key 'Triggers' -Default $true) -eq $false) { return '  <Triggers />' }
    $delay = [System.Xml.XmlConvert]::ToString([TimeSpan]::FromSeconds([int]$Task.DelaySeconds))
    $every = [System.Xml.XmlConvert]::ToString([TimeSpan]::FromMinutes([int]$Task.IntervalMinutes))
    # No Duration: the one form that means "for ever". A start in the past, without offset: local time, never "now".
    $repetition = "      <Repetition><Interval>$every</Interval><StopAtDurationEnd>false</StopAtDurationEnd></Repetition>"
    '  <Triggers>'
    if ($Task.Mode -eq 'LogonTask') {
        '    <LogonTrigger>'
        $repetition
        "      <Delay>$delay</Delay>"
        '    </LogonTrigger>'
        '  </Triggers>'
        return
    }
    $start = [DateTime]::new(2020, 1, 1).AddSeconds([int]$Task.PhaseSeconds).ToString('yyyy-MM-ddTHH:mm:ss', [cultureinfo]::InvariantCulture)
    '    <TimeTrigger>'
    "      <StartBoundary>$start</StartBoundary>"
    $repetition
    '    </TimeTrigger>'
    if ($Task.BootTrigger) {
        '    <BootTrigger>'
        "      <Delay>$delay</Delay>"
        '    </BootTrigger>'
    }
    if ($Task.NetworkTrigger -or $Task.ResumeTrigger) {
        $query = Get-DdnsSubscription -Network ([bool]$Task.NetworkTrigger) -Resume ([bool]$Task.ResumeTrigger)
        # Events come in bursts, and the network needs a moment: between 10 and 30 s, each machine its own.
        $pause = 10 + [int]$Task.PhaseSeconds % 21
        '    <EventTrigger>'
        "      <Subscription>$([System.Security.SecurityElement]::Escape($query))</Subscription>"
        "      <Delay>PT${pause}S</Delay>"
        '    </EventTrigger>'
    }
    if ($Task.LogonTrigger) {
        '    <LogonTrigger>'
        "      <Delay>$delay</Delay>"
        '    </LogonTrigger>'
    }
    '  </Triggers>'
}

function Format-DdnsTaskSetting {
    # Written out where the default of Windows differs, or differs between its versions.
    '  <Settings>'
    '    <AllowStartOnDemand>true</AllowStartOnDemand>'
    '    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>'
    '    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>'
    '    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>'
    '    <AllowHardTerminate>true</AllowHardTerminate>'
    '    <StartWhenAvailable>true</StartWhenAvailable>'
    '    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>'
    '    <WakeToRun>false</WakeToRun>'
    '    <Enabled>true</Enabled>'
    '    <Hidden>false</Hidden>'
    '    <ExecutionTimeLimit>PT10M</ExecutionTimeLimit>'
    '    <Priority>7</Priority>'
    '    <RunOnlyIfIdle>false</RunOnlyIfIdle>'
    '    <UseUnifiedSchedulingEngine>true</UseUnifiedSchedulingEngine>'
    '  </Settings>'
}

function Get-DdnsTaskTable {
    # What New-DdnsTaskXml needs, from what was asked and what this machine is.
    param([hashtable]$Run, [hashtable]$Wanted, [hashtable]$Account, [string]$Version, [string]$Mode, [string[]]$Verb = @('run'))
    $table = @{} + $Wanted
    $table.Mode = $Mode
    $table.Version = $Version
    $table.Description = 'Keeps the DNS records of this machine at its public address. Deployed by Deploy-DDNS.ps1; change it by deploying again.'
    $table.Command = Get-DdnsProgram -Run $Run -Version $Version
    $table.Arguments = Join-DdnsArgument -Argument ($Verb + $Run.Places.DataArguments)
    $table.WorkingDirectory = $Run.Places.State
    $table.UserId = $Account.UserId
    $table.LogonType = $Account.LogonType
    $table.TokenSid = $Account.TokenSid
    $table.PhaseSeconds = Get-DdnsPhase -MachineId (Get-DdnsMachineId -Run $Run) -IntervalMinutes $Wanted.IntervalMinutes
    $table
}

function Join-DdnsArgument {
    # A command line from arguments, quoted as Windows programs take it apart.
    param([string[]]$Argument)
    $quoted = foreach ($one in $Argument) {
        if ($one -ne '' -and $one -notmatch '[\s"]') { $one; continue }
        '"' + (($one -replace '(\\*)"', '$1$1\"') -replace '(\\+)$', '$1$1') + '"'
    }
    @($quoted) -join ' '
}
