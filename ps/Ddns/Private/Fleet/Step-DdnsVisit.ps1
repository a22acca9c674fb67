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
    foreach ($key in @($request.Keys)) {
        # What a function that returned nothing has left there is null here, and an object at the other end.
        if ($null -eq $request[$key]) {
            $request[$key] = $null
        }
    }
    $name = ''
    if ($Visit.Target.Transport -eq 'Local' -and $null -ne $script:DdnsPlaces) {
        $request['Places'] = $script:DdnsPlaces
    }
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
    if (-not $Visit.Job) {
        # It could not even begin, and is tried again.
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
