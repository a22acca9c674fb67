# What a step, a fault and the whole call come to.

function New-DdnsFault {
    # An error that was foreseen: a code for programs, a message that names the thing, advice that says what to do.
    param([string]$Code, [string]$Message, [string]$Advice = '')
    $fault = New-Object -TypeName System.InvalidOperationException -ArgumentList $Message
    $fault.Data['DdnsCode'] = $Code
    $fault.Data['DdnsAdvice'] = $Advice
    $fault
}

function Get-DdnsFaultCode {
    # What an error that was not foreseen comes to, by its type and its HRESULT or errno.
    param([System.Exception]$Exception)
    if ($Exception.Data.Contains('DdnsCode')) { return [string]$Exception.Data['DdnsCode'] }
    $deepest = $Exception
    while ($null -ne $deepest.InnerException) {
        $deepest = $deepest.InnerException
        if ($deepest.Data.Contains('DdnsCode')) { return [string]$deepest.Data['DdnsCode'] }
    }
    if ($deepest -is [System.UnauthorizedAccessException]) { return 'AccessDenied' }
    # 0x80070070, 0x80070027, errno 28; 0x80070020, 0x80070021; 0x80070005
    $number = $deepest.HResult
    if (@(-2147024784, -2147024857, 28) -contains $number) { return 'DiskFull' }
    if (@(-2147024864, -2147024863) -contains $number) { return 'InUse' }
    if (@(-2147024891) -contains $number) { return 'AccessDenied' }
    if ($deepest -is [System.IO.IOException] -and $deepest.Message -like '*No space left*') { return 'DiskFull' }
    'Unexpected'
}

function Get-DdnsFaultAdvice {
    param([string]$Code)
    switch ($Code) {
        'AccessDenied' { 'Run it in a PowerShell that was started as an administrator.' }
        'DiskFull' { 'Free some space on the system drive, then deploy again: nothing was changed for good.' }
        'InUse' { 'A file is open in another program. Wait for the run to end, or close what holds it, then try again.' }
        default { 'Try again with -Verbose; if it stays, report the message.' }
    }
}

function ConvertTo-DdnsFault {
    # The Error property of a result.
    param([System.Management.Automation.ErrorRecord]$Record)
    $exception = $Record.Exception
    while ($null -ne $exception.InnerException -and -not $exception.Data.Contains('DdnsCode')) {
        $exception = $exception.InnerException
    }
    $code = Get-DdnsFaultCode -Exception $exception
    $advice = Get-DdnsFaultAdvice -Code $code
    if ($exception.Data.Contains('DdnsAdvice')) { $advice = [string]$exception.Data['DdnsAdvice'] }
    if ($code -eq 'Unexpected') { Write-Verbose -Message ($Record.ScriptStackTrace) }
    [pscustomobject]@{ Code = $code; Message = $exception.Message; Advice = $advice }
}

function Invoke-DdnsStep {
    # Runs one step and notes how it ended. The body returns nothing (Done) or what New-DdnsStepEnd makes.
    param([hashtable]$Run, [string]$Name, [scriptblock]$Body)
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $step = [pscustomobject]@{ Name = $Name; Outcome = 'Done'; Detail = ''; Milliseconds = 0 }
    [void]$Run.Steps.Add($step)
    Write-Verbose -Message "ddns: $Name"
    try {
        $end = & $Body | Select-Object -Last 1
        if ($end -is [hashtable]) {
            $step.Outcome = $end.Outcome
            $step.Detail = $end.Detail
        }
        if ($step.Outcome -eq 'Done') { $Run.Changed = $true }
    }
    catch {
        $step.Outcome = 'Failed'
        $step.Detail = (ConvertTo-DdnsFault -Record $_).Message
        throw
    }
    finally {
        $step.Milliseconds = [int]$watch.ElapsedMilliseconds
    }
    if ($Run.Places.EndAfter -eq $Name) { Stop-Process -Id $PID -Force }
}

function New-DdnsStepEnd {
    param([string]$Outcome, [string]$Detail = '')
    @{ Outcome = $Outcome; Detail = $Detail }
}

function New-DdnsRun {
    # What all functions of one call share.
    param([hashtable]$Request)
    @{
        Request = $Request
        Windows = Test-DdnsWindows
        Places = $null
        Steps = New-Object -TypeName System.Collections.ArrayList
        Undo = New-Object -TypeName System.Collections.ArrayList
        Changed = $false
        WhatIf = [bool](Get-DdnsKey -Table $Request -Key 'WhatIf' -Default $false)
        StartedAt = [DateTime]::UtcNow
        Version = ''
        PreviousVersion = ''
        Mode = ''
        Drift = @()
        Task = $null
        Status = $null
        StatusError = $null
        Tombstone = $null
        Lock = $null
        Part = ''
        Notes = New-Object -TypeName System.Collections.ArrayList
        Undone = $false
        NotUndone = New-Object -TypeName System.Collections.ArrayList
        Saved = $null
        Wanted = $null
        Account = $null
        Release = $null
        MadeData = $false
        OldSettings = ''
        OldSecrets = ''
        OldTask = ''
        OldTaskFile = ''
        OldTaskAccount = @{}
        OldRunValue = ''
        OldService = ''
    }
}

function New-DdnsResult {
    param([hashtable]$Run, [string]$Outcome, $Fault = $null)
    [pscustomobject]@{
        PSTypeName = 'Ddns.Result'
        Schema = 1
        Computer = [System.Environment]::MachineName
        Operation = [string](Get-DdnsKey -Table $Run.Request -Key 'Operation' -Default '')
        Outcome = $Outcome
        Changed = [bool]$Run.Changed
        Version = [string]$Run.Version
        PreviousVersion = [string]$Run.PreviousVersion
        Mode = [string]$Run.Mode
        Steps = @($Run.Steps)
        Task = $Run.Task
        Status = $Run.Status
        StatusError = $Run.StatusError
        Drift = @($Run.Drift)
        Tombstone = $Run.Tombstone
        Error = $Fault
        StartedAt = (ConvertTo-DdnsTime -Time $Run.StartedAt)
        Milliseconds = [int]([DateTime]::UtcNow - $Run.StartedAt).TotalMilliseconds
    }
}

function Get-DdnsKey {
    # The value of a key of a table that need not have it, also of one that came through remoting or JSON.
    param($Table, [string]$Key, $Default = $null)
    if ($Table -is [System.Collections.IDictionary]) {
        if ($Table.Contains($Key) -and $null -ne $Table[$Key]) { return $Table[$Key] }
        return $Default
    }
    if ($null -ne $Table) {
        $property = $Table.PSObject.Properties[$Key]
        if ($null -ne $property -and $null -ne $property.Value) { return $property.Value }
    }
    $Default
}

function ConvertTo-DdnsTime {
    # ISO 8601 in UTC; $null for a time that stands for "never".
    param($Time)
    if ($null -eq $Time -or ([DateTime]$Time).Year -lt 2000) { return $null }
    ([DateTime]$Time).ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', [cultureinfo]::InvariantCulture)
}
