function Watch-DdnsReport {
    # A table that is drawn anew. Each screen is one text, so that it does not flicker and can be tested.
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidUsingWriteHost', '', Justification = 'A live screen is for eyes, not for the pipeline.')]
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)]
        [scriptblock] $Ask,

        [int] $IntervalSeconds,

        # Screens; 0: until Ctrl+C.
        [int] $Count,

        [string] $ReportPath
    )
    for ($drawn = 0; $Count -eq 0 -or $drawn -lt $Count; $drawn++) {
        if ($drawn) {
            Start-Sleep -Seconds $IntervalSeconds
        }
        $rows = @(& $Ask)
        # Not where the output is a file or a pipe: then screens follow each other.
        if (-not [Console]::IsOutputRedirected) {
            [Console]::Clear()
        }
        Write-Host -Object (Format-DdnsScreen -Row $rows -Now ([DateTime]::UtcNow) -IntervalSeconds $IntervalSeconds)
        if ($ReportPath) {
            Export-DdnsReport -InputObject $rows -Path $ReportPath -Title 'DDNS fleet'
        }
    }
}

function Format-DdnsScreen {
    # The screen as text: what is wrong first, then the rest by name.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowEmptyCollection()]
        [object[]] $Row,
        [DateTime] $Now,
        [int] $IntervalSeconds
    )
    $order = 'Failed', 'Unreachable', 'NotInstalled', 'Warning', 'OK'
    $counts = foreach ($word in $order) {
        $number = @($Row | Where-Object { $_.Health -eq $word }).Count
        if ($number) {
            "$number $word"
        }
    }
    $lines = New-Object -TypeName 'System.Collections.Generic.List[string]'
    $lines.Add(('ddns fleet   {0} machines: {1}   {2:HH:mm:ss}, every {3} s, Ctrl+C ends' -f $Row.Count, ($counts -join ', '), $Now.ToLocalTime(), $IntervalSeconds))
    $lines.Add('')
    $lines.Add(('{0,-20} {1,-12} {2,-22} {3,-9} {4,-8} {5,-5} {6}' -f 'Machine', 'Health', 'Address', 'Version', 'Last run', 'Fine', 'What to look at'))
    foreach ($one in ($Row | Sort-Object -Property { [Array]::IndexOf($order, $_.Health) }, ComputerName)) {
        $last = ConvertTo-DdnsUtc -Time $one.LastRunTime
        $ago = if ($last) { Get-DdnsSpan -Span ($Now - $last) } else { '-' }
        $fine = if ($one.Runs) { "$($one.RunsFine)/$($one.Runs)" } else { '-' }
        $cells = $one.ComputerName, $one.Health, $one.Address, $one.Version, $ago, $fine, $one.Problem | ForEach-Object { ConvertTo-DdnsPrintable -Text "$_" }
        $lines.Add(('{0,-20} {1,-12} {2,-22} {3,-9} {4,-8} {5,-5} {6}' -f (@(Limit-DdnsText $cells[0] 20) + $cells[1] + (Limit-DdnsText $cells[2] 22) + $cells[3..5] + (Limit-DdnsText $cells[6] 70))).TrimEnd())
    }
    $lines -join [Environment]::NewLine
}

function Limit-DdnsText {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Position = 0)]
        [string] $Text,

        [Parameter(Position = 1)]
        [int] $Length
    )
    if ($Text.Length -gt $Length) { $Text.Substring(0, $Length - 3) + '...' } else { $Text }
}

function Get-DdnsSpan {
    [CmdletBinding()]
    [OutputType([string])]
    param([TimeSpan] $Span)
    if ($Span.TotalSeconds -lt 90) {
        return '{0:0} s' -f [Math]::Max(0, $Span.TotalSeconds)
    }
    if ($Span.TotalMinutes -lt 90) {
        return '{0:0} min' -f $Span.TotalMinutes
    }
    if ($Span.TotalHours -lt 36) {
        return '{0:0} h' -f $Span.TotalHours
    }
    '{0:0} d' -f $Span.TotalDays
}
