# A visit is all there is to one machine: its target, how often it was tried, its job, and at last its result.

function New-DdnsVisit {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [object] $Target,
        [hashtable] $Plan
    )
    $own = if ($Plan.RequestFor.ContainsKey($Target.Name)) { $Plan.RequestFor[$Target.Name] } else { $Plan.Request }
    @{
        Target = $Target; Request = $own.Clone(); Attempt = 0; NotBefore = [DateTime]::MinValue; Started = [DateTime]::MinValue
        Job = $null; Asking = $null; Reason = $null; Greeted = $null; Send = $false; Result = $null
    }
}

function Enter-DdnsVisit {
    # Begins an attempt, or answers without one: from the journal, or because the target can't be one.
    [CmdletBinding()]
    param(
        [hashtable] $Visit,
        [hashtable] $Plan
    )
    $target = $Visit.Target
    if ($target.Problem) {
        Complete-DdnsVisit -Visit $Visit -Plan $Plan -Problem (Get-DdnsTransportError -Code 'BadName' -Detail $target.Problem)
        return
    }
    $known = Get-DdnsJournalResult -Journal $Plan.Journal -Computer $target.Name -Request $Visit.Request
    if ($known) {
        $Visit.Result = $known
        return
    }
    if (-not $Visit.Send) {
        $Visit.Attempt++
    }
    $Visit.Started = [DateTime]::UtcNow
    $Visit.Greeted = $null
    $call = @{ Target = $target; ScriptBlock = Get-DdnsRemoteScript; ArgumentList = Get-DdnsVisitArgument -Visit $Visit -Plan $Plan }
    if ($Visit.Send) {
        $call['Chunk'] = $Plan.Chunk
    }
    try {
        $Visit.Job = Start-DdnsRemoteJob @call
    } catch {
        # For instance a session that was closed: PowerShell says so before there is a job.
        $problem = Get-DdnsTransportError -Reason $_.Exception
        Complete-DdnsVisit -Visit $Visit -Plan $Plan -Problem $problem
    }
}

function Get-DdnsVisitArgument {
    [CmdletBinding()]
    [OutputType([object[]])]
    param(
        [hashtable] $Visit,
        [hashtable] $Plan
    )
    $request = $Visit.Request.Clone()
    $name = ''
    if ($Plan.Package) {
        # This machine reads the zip where it lies; another is asked without it first.
        $local = $Visit.Target.Transport -eq 'Local'
        $request['Package'] = if ($local) { $Plan.Package } else { '' }
        if ($Visit.Send) {
            $name = [IO.Path]::GetFileName($Plan.Package)
            if (-not $Plan.Chunk) {
                $Plan.Chunk = Split-DdnsFile -Path $Plan.Package
            }
        }
    }
    , @($Plan.Worker, $request, $Visit.Target.ExpectedName, $name)
}

function Split-DdnsFile {
    # A file as pieces of 1 MiB. All machines share them; each connection encodes them for itself.
    [CmdletBinding()]
    [OutputType([object[]])]
    param(
        [Parameter(Mandatory)]
        [string] $Path
    )
    $stream = [IO.File]::OpenRead($Path)
    try {
        $pieces = New-Object -TypeName 'System.Collections.Generic.List[object]'
        while ($true) {
            $piece = New-Object -TypeName 'byte[]' -ArgumentList 1048576
            $count = $stream.Read($piece, 0, $piece.Length)
            if ($count -le 0) {
                break
            }
            if ($count -lt $piece.Length) {
                [Array]::Resize([ref]$piece, $count)
            }
            # Wrapped, or the pipeline would take the bytes apart.
            $pieces.Add((New-Object -TypeName psobject -ArgumentList (, $piece)))
        }
        , $pieces.ToArray()
    } finally {
        $stream.Dispose()
    }
}

function Step-DdnsVisit {
    # Looks at a visit: its job ended, its question to ssh was answered, its time is over, or nothing.
    [CmdletBinding()]
    param(
        [hashtable] $Visit,
        [hashtable] $Plan
    )
    if ($Visit.Result) {
        return
    }
    if ($Visit.Asking) {
        Step-DdnsQuestion -Visit $Visit -Plan $Plan
        return
    }
    if ($Visit.Job.State -in 'Completed', 'Failed', 'Stopped', 'Blocked', 'Disconnected') {
        Read-DdnsVisit -Visit $Visit -Plan $Plan
        return
    }
    if (([DateTime]::UtcNow - $Visit.Started).TotalSeconds -ge $Plan.Timeout) {
        Stop-DdnsRemoteJob -Job $Visit.Job
        $Visit.Job = $null
        $problem = Get-DdnsTransportError -Code 'TimedOut' -Detail "$($Plan.Timeout) s"
        Complete-DdnsVisit -Visit $Visit -Plan $Plan -Problem $problem
    }
}

function Read-DdnsVisit {
    # What an ended job brought: a greeting, a result, or an error of the way.
    [CmdletBinding()]
    param(
        [hashtable] $Visit,
        [hashtable] $Plan
    )
    $job = $Visit.Job
    $Visit.Job = $null
    $answer = @(Receive-Job -Job $job -ErrorAction SilentlyContinue -ErrorVariable failures)
    $reason = @($job.ChildJobs | ForEach-Object { $_.JobStateInfo.Reason } | Where-Object { $_ }) | Select-Object -First 1
    if (-not $reason -and $failures.Count) {
        $reason = $failures[0].Exception
    }
    Stop-DdnsRemoteJob -Job $job
    $result = $null
    foreach ($item in $answer) {
        if ($item -is [hashtable] -and $item['Greeting']) {
            $Visit.Greeted = $item
        } elseif ($null -ne $item) {
            $result = $item
        }
    }
    if ($result) {
        Resolve-DdnsAnswer -Visit $Visit -Plan $Plan -Answer $result
        return
    }
    $Visit.Reason = $reason
    if ($Visit.Greeted -and $Visit.Greeted['Problem']) {
        $detail = if ($Visit.Greeted['Problem'] -eq 'WrongMachine') { "$($Visit.Greeted['Computer'])" } else { '' }
        $problem = Get-DdnsTransportError -Code $Visit.Greeted['Problem'] -Detail $detail
    } elseif ($Visit.Greeted) {
        $code = if ($job.State -eq 'Completed') { 'NoResult' } else { 'Died' }
        $problem = Get-DdnsTransportError -Code $code
    } elseif ($Visit.Target.Transport -eq 'SSH') {
        $Visit.Asking = Start-DdnsQuestion -Target $Visit.Target
        return
    } else {
        $problem = Get-DdnsTransportError -Reason $reason
    }
    Complete-DdnsVisit -Visit $Visit -Plan $Plan -Problem $problem
}

function Resolve-DdnsAnswer {
    # The worker's result; or that it wants the package; or that it could not even begin.
    [CmdletBinding()]
    param(
        [hashtable] $Visit,
        [hashtable] $Plan,
        [object] $Answer
    )
    if ($Answer -is [hashtable] -and $Answer['Broken']) {
        $problem = Get-DdnsTransportError -Code 'NoResult' -Detail $Answer['Message']
        if ($Answer['DiskFull']) {
            $problem['Code'] = 'DiskFull'
            $problem['Message'] = "There is no space for the package: $($Answer['Message'])"
            $problem['Advice'] = 'Free some space on the drive of %TEMP% and %ProgramFiles%, then run the same command again.'
        }
        Complete-DdnsVisit -Visit $Visit -Plan $Plan -Problem $problem
        return
    }
    $Answer = ConvertFrom-DdnsAnswer -Answer $Answer
    if (-not $Answer) {
        Complete-DdnsVisit -Visit $Visit -Plan $Plan -Problem (Get-DdnsTransportError -Code 'NoResult')
        return
    }
    $wants = $Answer.Error -and $Answer.Error.Code -eq 'PackageMissing'
    if ($wants -and $Plan.Package -and -not $Visit.Send -and $Visit.Target.Transport -ne 'Local') {
        if (-not $Visit.Request['WhatIf']) {
            $Visit.Send = $true
            return
        }
        $Answer = ConvertTo-DdnsWhatIfAnswer -Answer $Answer
    }
    Complete-DdnsVisit -Visit $Visit -Plan $Plan -Answer $Answer
}

function ConvertFrom-DdnsAnswer {
    # The worker's object out of its text; nothing when there is none.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [object] $Answer
    )
    if ($Answer -isnot [hashtable] -or $Answer['Result'] -isnot [string]) {
        return
    }
    try {
        $result = [System.Management.Automation.PSSerializer]::Deserialize($Answer['Result'])
    } catch {
        Write-Verbose "An answer can't be read: $($_.Exception.Message)"
        return
    }
    if ($null -ne $result -and $result.PSObject.Properties['Outcome']) {
        $result
    }
}

function ConvertTo-DdnsWhatIfAnswer {
    # A plan is not worth the copy: that the package would be sent is all there is to say.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [object] $Answer
    )
    $Answer.Outcome = 'WhatIf'
    $Answer.Error = $null
    $step = [pscustomobject]@{ Name = 'Package'; Outcome = 'WouldDo'; Detail = 'the package would be copied and installed'; Milliseconds = 0 }
    $Answer.Steps = @(@($Answer.Steps | Where-Object { $_ -and $_.Name -ne 'Package' }) + $step)
    $Answer
}

function Complete-DdnsVisit {
    # Gives the visit its result and the journal its line; or, where another attempt may help, its next time.
    [CmdletBinding()]
    param(
        [hashtable] $Visit,
        [hashtable] $Plan,
        [object] $Answer,
        [hashtable] $Problem
    )
    $again = if ($Problem) { $Problem['Retry'] } else { $Answer.Error -and $Answer.Error.Code -in 'Busy', 'InUse' }
    if ($again -and $Visit.Attempt -le $Plan.Retry) {
        $last = $Plan.Delay.Count - 1
        $pause = $Plan.Delay[[Math]::Min($Visit.Attempt - 1, $last)]
        $Visit.NotBefore = [DateTime]::UtcNow.AddSeconds($pause)
        $Visit.Send = $false
        return
    }
    if ($Problem) {
        $Answer = New-DdnsFailure -Target $Visit.Target -Request $Visit.Request -Problem $Problem -Started $Visit.Started
    }
    $Visit.Result = Add-DdnsFleetProperty -Answer $Answer -Visit $Visit
    Write-DdnsJournalResult -Journal $Plan.Journal -Result $Visit.Result -Request $Visit.Request
}

function New-DdnsFailure {
    # A result in the worker's shape for a machine whose worker could not give one.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [object] $Target,
        [hashtable] $Request,
        [hashtable] $Problem,
        [DateTime] $Started
    )
    $began = if ($Started -eq [DateTime]::MinValue) { [DateTime]::UtcNow } else { $Started }
    [pscustomobject]@{
        Schema = 1; Computer = $Target.Name; Operation = "$($Request['Operation'])"; Outcome = $Problem['Outcome']
        Changed = $false; Version = ''; PreviousVersion = ''; Mode = ''; Steps = @(); Task = $null; Status = $null
        StatusError = ''; Drift = @(); Tombstone = $null
        Error = [pscustomobject]@{ Code = $Problem['Code']; Message = $Problem['Message']; Advice = $Problem['Advice'] }
        StartedAt = $began.ToString('yyyy-MM-ddTHH:mm:ss.fffZ', [Globalization.CultureInfo]::InvariantCulture)
        Milliseconds = [int]([DateTime]::UtcNow - $began).TotalMilliseconds
    }
}

function Add-DdnsFleetProperty {
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [object] $Answer,
        [hashtable] $Visit
    )
    $more = [ordered]@{
        ComputerName = $Visit.Target.Name
        Group        = $Visit.Target.Group
        Ring         = $Visit.Target.Ring
        Attempts     = $Visit.Attempt
        FromJournal  = $false
    }
    Add-Member -InputObject $Answer -NotePropertyMembers $more -Force
    $Answer
}
