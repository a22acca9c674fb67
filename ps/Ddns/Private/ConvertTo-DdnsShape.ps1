# The lenient reader of what others wrote: a client's status, an answer, a line of a journal. What comes out has every property of the
# shape, and no other, so that all that reads it can be strict.

function ConvertTo-DdnsShape {
    <#
    .SYNOPSIS
        A value in the shape that is expected of it: what is absent, or of another kind, is null, and a list is a list.
    .DESCRIPTION
        A shape is a table (name -> shape), a list with the shape of its items, or the kind of a value: text, number, switch, time.
        Each table has Exists besides: whether there was one.
    #>
    [CmdletBinding()]
    [OutputType([object])]
    param(
        [AllowNull()]
        [object] $Value,

        [Parameter(Mandatory)]
        [object] $Shape
    )
    if ($Shape -is [string]) {
        return Select-DdnsKind -Value $Value -Kind $Shape
    }
    if ($Shape -is [array]) {
        $items = foreach ($item in @($Value)) {
            $one = ConvertTo-DdnsShape -Value $item -Shape $Shape[0]
            if ($Shape[0] -is [string]) {
                if ($null -ne $one) { $one }
            } elseif ($one.Exists) {
                $one
            }
        }
        return , @($items)
    }
    $exists = $null -ne $Value -and $Value -isnot [string] -and $Value -isnot [ValueType] -and $Value -isnot [System.Collections.IList]
    $known = [ordered]@{ Exists = $exists }
    foreach ($key in $Shape.Keys) {
        $inner = if ($exists) { Get-DdnsKey -Table $Value -Key $key }
        # Not one more call for each value: a fleet has many.
        $known[$key] = if ($Shape[$key] -is [string]) { Select-DdnsKind -Value $inner -Kind $Shape[$key] } else { ConvertTo-DdnsShape -Value $inner -Shape $Shape[$key] }
    }
    [pscustomobject]$known
}

function Select-DdnsKind {
    # The value, if it is of the kind, else nothing. A time stays as it is written: who needs it reads it.
    [CmdletBinding()]
    [OutputType([object])]
    param(
        [AllowNull()]
        [object] $Value,
        [string] $Kind
    )
    if ($null -eq $Value) {
        return
    }
    $isNumber = $Value -is [int] -or $Value -is [long] -or $Value -is [double] -or $Value -is [decimal] -or $Value -is [uint32] -or $Value -is [uint64]
    switch ($Kind) {
        # No more than every kind of number holds: codes and counts are small.
        'number' { if ($isNumber -and [Math]::Abs([double]$Value) -le 9007199254740991) { $Value } }
        'switch' { if ($Value -is [bool]) { $Value } }
        'time' { if ($Value -is [string] -or $Value -is [DateTime]) { $Value } }
        'text' {
            if ($Value -is [string] -or $isNumber) {
                "$Value"
            } elseif ($Value -is [DateTime]) {
                Get-DdnsUtcText -Time $Value
            }
        }
    }
}

function Get-DdnsAnswerShape {
    # What this side reads of a worker's answer, and of the status.json in it, which the client wrote: of any version, on any machine.
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param()
    $fault = @{ Code = 'text'; Message = 'text'; Advice = 'text' }
    $run = @{ started = 'time'; ended = 'time'; exit = 'number' }
    $record = @{
        name = 'text'; type = 'text'; address = 'text'; since = 'time'; proven_at = 'time'; outcome = 'text'
        error = @{ code = 'text'; advice = 'text' }
    }
    @{
        Computer = 'text'; ComputerName = 'text'; Outcome = 'text'; Version = 'text'; Mode = 'text'; StatusError = 'text'; Error = $fault
        Task = @{
            State = 'text'; Enabled = 'switch'; LastRunTime = 'time'; LastResult = 'number'; LastResultHex = 'text'; Meaning = 'text'
            Advice = 'text'; Severity = 'text'; NextRunTime = 'time'; MissedRuns = 'number'; Account = 'text'; IntervalMinutes = 'number'
            DefinitionMatch = 'switch'
        }
        Status = @{
            run = $run; last_runs = @(, $run); records = @(, $record); changes_last_hour = 'number'; paused_until = 'time'; retired_at = 'time'
            health = @{ visibility_delay = 'number'; interval = 'number' }
        }
    }
}

function Add-DdnsMissing {
    # A result of any version with every property that results have now: an earlier version's journal may lack some.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param([object] $Answer)
    foreach ($key in 'Computer', 'ComputerName', 'Operation', 'Outcome', 'Changed', 'Version', 'PreviousVersion', 'Mode', 'Task', 'Status', 'StatusError', 'Tombstone', 'Error', 'StartedAt', 'Milliseconds', 'Group', 'Ring', 'Attempts', 'FromJournal') {
        if ($null -eq $Answer.PSObject.Properties[$key]) {
            Add-Member -InputObject $Answer -NotePropertyName $key -NotePropertyValue $null
        }
    }
    foreach ($key in 'Steps', 'Drift') {
        if ($null -eq $Answer.PSObject.Properties[$key]) {
            Add-Member -InputObject $Answer -NotePropertyName $key -NotePropertyValue @()
        }
    }
    $Answer
}
