# The journal of a fleet's run: a line for each machine that is done, so that a run that was cut off, or that left
# machines behind, is taken up where it was. A run that left nothing behind is over; the next begins anew and asks all.

function Open-DdnsJournal {
    <#
    .SYNOPSIS
        Opens the journal of a run; only one may have it. Machines that an unfinished run of the same work did are known.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)]
        [string] $Path,

        # An unfinished run that is older begins anew: the fleet has changed meanwhile.
        [ValidateRange(0, 8760)]
        [int] $MaxAgeHours = 24,

        # Forget what an unfinished run did.
        [switch] $Fresh
    )
    $full = [IO.Path]::GetFullPath($Path)
    $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($full))
    try {
        $lock = New-Object -TypeName IO.FileStream -ArgumentList "$full.lock", 'OpenOrCreate', 'ReadWrite', 'None', 1, 'DeleteOnClose'
    } catch [IO.IOException] {
        throw [InvalidOperationException]::new("Another run has the journal $full. Wait for its end, or give this one its own -JournalPath.")
    }
    try {
        $known = if ($Fresh) { @{} } else { Read-DdnsJournal -Path $full -MaxAgeHours $MaxAgeHours }
        Remove-DdnsStale -Known $known -Path $full
        # Begun anew, the file holds nothing that a later reader could take for this run's.
        $mode = if ($known.Count) { 'Append' } else { 'Create' }
        $stream = New-Object -TypeName IO.FileStream -ArgumentList $full, $mode, 'Write', 'Read'
    } catch {
        $lock.Dispose()
        throw
    }
    $journal = @{ Path = $full; Lock = $lock; Stream = $stream; Known = $known; Left = 0 }
    # A line of its own first: the last one of a run that was cut off may have no end.
    Add-DdnsJournalLine -Journal $journal -Value @{ kind = 'begin' } -NewLine
    $journal
}

function Read-DdnsJournal {
    # computer -> hash and result of what an unfinished run did. A line that can't be read was being written at the kill.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [string] $Path,
        [int] $MaxAgeHours
    )
    $known = @{}
    if (-not [IO.File]::Exists($Path)) {
        return $known
    }
    if (([DateTime]::UtcNow - [IO.File]::GetLastWriteTimeUtc($Path)).TotalHours -gt $MaxAgeHours) {
        return $known
    }
    foreach ($line in [IO.File]::ReadAllLines($Path)) {
        try {
            $read = ConvertFrom-Json -InputObject $line -ErrorAction Stop
        } catch {
            continue
        }
        $entry = ConvertTo-DdnsShape -Value $read -Shape @{ kind = 'text'; computer = 'text'; request = 'text'; result = 'text'; left = 'number'; at = 'time' }
        if (-not $entry.computer -and $entry.kind -in 'done', 'undone') {
            continue
        }
        if ($entry.kind -eq 'done') {
            $known[$entry.computer] = $entry
        } elseif ($entry.kind -eq 'undone') {
            $known.Remove($entry.computer)
        } elseif ($entry.kind -eq 'end' -and $entry.left -eq 0) {
            $known = @{}
        }
    }
    $known
}

function Remove-DdnsStale {
    # Forgets what another call has visited since: a machine that was uninstalled after it was deployed is not deployed.
    [CmdletBinding()]
    param(
        [hashtable] $Known,
        [string] $Path
    )
    $base = [IO.Path]::GetDirectoryName((Get-DdnsFleetStatePath -Name '_calls'))
    if (-not $Known.Count -or -not [IO.Directory]::Exists($base)) {
        return
    }
    foreach ($file in (Get-ChildItem -LiteralPath $base -Recurse -File)) {
        $other = $file.Name -eq 'journal' -or ($file.Directory.Name -eq '_calls' -and $file.Extension -eq '')
        if (-not $other -or $file.FullName -eq $Path) {
            continue
        }
        foreach ($line in (Read-DdnsSharedLine -Path $file.FullName)) {
            if ($line -notmatch '"computer":"([^"]+)"') {
                continue
            }
            $computer = $Matches[1]
            # Sorted as text: ISO 8601, UTC. In one and the same second nobody knows who was last.
            if ($Known.ContainsKey($computer) -and $line -match '"at":"([0-9T:-]+Z)"' -and $Matches[1] -ge (Get-DdnsUtcText -Time $Known[$computer].at)) {
                $Known.Remove($computer)
            }
        }
    }
}

function Read-DdnsSharedLine {
    # The lines of a file that another process may be writing.
    [CmdletBinding()]
    [OutputType([string])]
    param([string] $Path)
    $stream = New-Object -TypeName IO.FileStream -ArgumentList $Path, 'Open', 'Read', 'ReadWrite, Delete'
    $reader = New-Object -TypeName IO.StreamReader -ArgumentList $stream
    try {
        while ($null -ne ($line = $reader.ReadLine())) {
            $line
        }
    } finally {
        $reader.Dispose()
    }
}

function Remove-DdnsOldJournal {
    # Journals of calls that nobody takes up any more.
    [CmdletBinding()]
    param([int] $MaxAgeHours = 24)
    $folder = Get-DdnsFleetStatePath -Name '_calls'
    if (-not [IO.Directory]::Exists($folder)) {
        return
    }
    foreach ($file in (Get-ChildItem -LiteralPath $folder -File)) {
        if (([DateTime]::UtcNow - $file.LastWriteTimeUtc).TotalHours -gt $MaxAgeHours) {
            Remove-Item -LiteralPath $file.FullName -Force -ErrorAction SilentlyContinue
        }
    }
}

function Get-DdnsJournalResult {
    # What the journal holds of a machine, if it is of the same request; else nothing.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [AllowNull()]
        [object] $Journal,
        [string] $Computer,
        [hashtable] $Request
    )
    if (-not $Journal -or -not $Journal.Known.ContainsKey($Computer)) {
        return
    }
    $entry = $Journal.Known[$Computer]
    if ($entry.request -ne (Get-DdnsRequestHash -Request $Request)) {
        return
    }
    $result = ConvertFrom-DdnsAnswer -Answer @{ Result = $entry.result }
    if ($null -eq $result) {
        return
    }
    $result.FromJournal = $true
    Add-DdnsFleetType -Answer $result
}

function Write-DdnsJournalResult {
    # Remembers a machine that is done. One that failed is left, so that the next call does it.
    [CmdletBinding()]
    param(
        [AllowNull()]
        [object] $Journal,
        [object] $Result,
        [hashtable] $Request
    )
    if (-not $Journal) {
        return
    }
    if ($Result.Outcome -in 'Failed', 'Unreachable', 'RolledBack') {
        $Journal.Left++
        Add-DdnsJournalLine -Journal $Journal -Value @{ kind = 'left'; computer = $Result.ComputerName }
        return
    }
    $line = @{
        kind     = 'done'
        computer = $Result.ComputerName
        request  = Get-DdnsRequestHash -Request $Request
        result   = [System.Management.Automation.PSSerializer]::Serialize($Result, 8)
    }
    Add-DdnsJournalLine -Journal $Journal -Value $line
}

function Undo-DdnsJournalResult {
    # Takes back that a machine is done: it was rolled back, or never came to its turn.
    [CmdletBinding()]
    param(
        [AllowNull()]
        [object] $Journal,
        [string] $Computer
    )
    if (-not $Journal) {
        return
    }
    $Journal.Left++
    $Journal.Known.Remove($Computer)
    Add-DdnsJournalLine -Journal $Journal -Value @{ kind = 'undone'; computer = $Computer }
}

function Add-DdnsJournalLine {
    # On the disk before it counts.
    [CmdletBinding()]
    param(
        [hashtable] $Journal,
        [hashtable] $Value,
        [switch] $NewLine
    )
    $Value['at'] = [DateTime]::UtcNow.ToString('s', [Globalization.CultureInfo]::InvariantCulture) + 'Z'
    $text = (ConvertTo-Json -InputObject $Value -Compress -Depth 3) + "`n"
    if ($NewLine) {
        $text = "`n$text"
    }
    $bytes = (New-Object -TypeName Text.UTF8Encoding -ArgumentList $false).GetBytes($text)
    $Journal.Stream.Write($bytes, 0, $bytes.Length)
    $Journal.Stream.Flush($true)
}

function Close-DdnsJournal {
    # -Finished: every machine was visited. Without it the run was cut off, and what it did stays known.
    [CmdletBinding()]
    param(
        [AllowNull()]
        [object] $Journal,
        [switch] $Finished
    )
    if (-not $Journal) {
        return
    }
    try {
        if ($Finished) {
            Add-DdnsJournalLine -Journal $Journal -Value @{ kind = 'end'; left = $Journal.Left }
        }
    } finally {
        $Journal.Stream.Dispose()
        $Journal.Lock.Dispose()
    }
}

function Get-DdnsRequestHash {
    # The same for the same work, in every session and both shells. Secrets count by name, never by value.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [hashtable] $Request
    )
    $plain = ConvertTo-DdnsPlain -Value $Request
    $text = ConvertTo-Json -InputObject $plain -Depth 12 -Compress
    $sha = [Security.Cryptography.SHA256]::Create()
    try {
        $hash = $sha.ComputeHash([Text.Encoding]::UTF8.GetBytes($text))
    } finally {
        $sha.Dispose()
    }
    -join ($hash | ForEach-Object { $_.ToString('x2', [Globalization.CultureInfo]::InvariantCulture) })
}

function ConvertTo-DdnsPlain {
    # Tables in the order of their keys, secrets as a mark.
    [CmdletBinding()]
    [OutputType([object])]
    param(
        [AllowNull()]
        [object] $Value
    )
    if ($Value -is [System.Collections.IDictionary]) {
        $sorted = [ordered]@{}
        $keys = [string[]]@($Value.Keys)
        [Array]::Sort($keys, [StringComparer]::Ordinal)
        foreach ($key in $keys) {
            $sorted[$key] = ConvertTo-DdnsPlain -Value $Value[$key]
        }
        return $sorted
    }
    if ($Value -is [System.Collections.IList]) {
        return , @($Value | ForEach-Object { ConvertTo-DdnsPlain -Value $_ })
    }
    if ($Value -is [securestring]) {
        return '***'
    }
    if ($Value -is [pscredential]) {
        return "$($Value.UserName) ***"
    }
    $Value
}
