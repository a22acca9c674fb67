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
        $screen = @{ Row = $rows; Now = [DateTime]::UtcNow; IntervalSeconds = $IntervalSeconds }
        # Not where the output is a file or a pipe: then screens follow each other, and have no end.
        if (-not [Console]::IsOutputRedirected) {
            [Console]::Clear()
            $screen['Width'] = [Console]::WindowWidth - 1
            $screen['Height'] = [Console]::WindowHeight - 1
        }
        Write-Host -Object (Format-DdnsScreen @screen)
        if ($ReportPath) {
            Export-DdnsReport -InputObject $rows -Path $ReportPath -Title 'DDNS fleet'
        }
    }
}

function Format-DdnsScreen {
    # The screen as text: what is wrong first, then the rest by name. What is wrong has all the width that the others leave, and no
    # screen is higher than the window: its head would be out of sight, and the worst with it.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowEmptyCollection()]
        [object[]] $Row,
        [DateTime] $Now,
        [int] $IntervalSeconds,
        [int] $Width = 120,

        # Lines; 0: as many as there are.
        [int] $Height = 0
    )
    $Row = @($Row | ForEach-Object { ConvertTo-DdnsScreenRow -Row $_ })
    $order = 'Failed', 'Unreachable', 'NotInstalled', 'Warning', 'OK'
    $order = @($Row | ForEach-Object { $_.Health } | Where-Object { $_ -notin $order } | Sort-Object -Unique) + $order
    $counts = foreach ($word in $order) {
        $number = @($Row | Where-Object { $_.Health -eq $word }).Count
        if ($number) {
            "$number $word"
        }
    }
    $columns = @(Get-DdnsScreenColumn -Row $Row -Width $Width)
    $lines = New-Object -TypeName 'System.Collections.Generic.List[string]'
    $title = 'ddns fleet   {0} machines: {1}' -f $Row.Count, ($counts -join ', ')
    $clock = '{0:HH:mm:ss}, every {1} s, Ctrl+C ends' -f $Now.ToLocalTime(), $IntervalSeconds
    # One line where there is room, else two: nothing is cut off.
    if ($title.Length + 3 + $clock.Length -le $Width) {
        $lines.Add("$title   $clock")
        $lines.Add('')
    } else {
        $lines.Add((Limit-DdnsText $title $Width))
        $lines.Add((Limit-DdnsText $clock $Width))
    }
    $lines.Add((Format-DdnsScreenLine -Cell @($columns | ForEach-Object { $_.Title }) -Column $columns))
    $sorted = @($Row | Sort-Object -Property { [Array]::IndexOf($order, $_.Health) }, ComputerName)
    for ($i = 0; $i -lt $sorted.Count; $i++) {
        $block = @(Format-DdnsScreenRow -Row $sorted[$i] -Column $columns -Now $Now)
        # The last line is kept for what no longer fits.
        $needed = $block.Count + $(if ($i -lt $sorted.Count - 1) { 1 } else { 0 })
        if ($Height -and $lines.Count + $needed -gt $Height) {
            $lines.Add((Limit-DdnsText "... and $($sorted.Count - $i) more, the worst of them $($sorted[$i].Health); all of them: -ReportPath" $Width))
            break
        }
        $lines.AddRange([string[]]$block)
    }
    $lines -join [Environment]::NewLine
}

function ConvertTo-DdnsScreenRow {
    # Of a report, of a roll-out, or of a file: not all have all, and those of a file have texts only.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param([object] $Row)
    $shape = @{ ComputerName = 'text'; LastRunTime = 'time'; RunsFine = 'text'; Runs = 'text'; Version = 'text'; Address = 'text'; Problem = 'text'; Error = 'text' }
    $of = ConvertTo-DdnsShape -Value $Row -Shape $shape
    Add-Member -InputObject $of -NotePropertyName Health -NotePropertyValue (Get-DdnsKind -Row $Row).Word
    if (-not $of.Problem) {
        $of.Problem = $of.Error
    }
    $of
}

function Get-DdnsScreenColumn {
    # The columns that a window of this width has room for, as wide as what is in them.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [AllowEmptyCollection()]
        [object[]] $Row,
        [int] $Width
    )
    $columns = @(
        @{ Title = 'Machine'; Width = Get-DdnsTextWidth -Text @($Row | ForEach-Object { $_.ComputerName }) -Least 7 -Most 20 }
        @{ Title = 'Health'; Width = Get-DdnsTextWidth -Text @($Row | ForEach-Object { $_.Health }) -Least 6 -Most 12 }
        @{ Title = 'Last run'; Width = 8 }
    )
    if ($Width -ge 100) {
        $columns += @{ Title = 'Fine'; Width = 5 }
        $columns += @{ Title = 'Version'; Width = Get-DdnsTextWidth -Text @($Row | ForEach-Object { $_.Version }) -Least 7 -Most 11 }
        $columns += @{ Title = 'Address'; Width = Get-DdnsTextWidth -Text @($Row | ForEach-Object { $_.Address }) -Least 7 -Most 22 }
    }
    $used = 0
    foreach ($column in $columns) {
        $used += $column.Width + 1
    }
    $columns
    @{ Title = 'What to look at'; Width = [Math]::Max(20, $Width - $used) }
}

function Get-DdnsTextWidth {
    # The length of the longest, within bounds.
    [CmdletBinding()]
    [OutputType([int])]
    param(
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [string[]] $Text,
        [int] $Least,
        [int] $Most
    )
    $longest = $Least
    foreach ($one in $Text) {
        $longest = [Math]::Max($longest, $one.Length)
    }
    [Math]::Min($Most, $longest)
}

function Format-DdnsScreenRow {
    # One machine: a line, and more where what is wrong needs them.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [object] $Row,
        [hashtable[]] $Column,
        [DateTime] $Now
    )
    $last = ConvertTo-DdnsUtc -Time $Row.LastRunTime
    $values = @{
        'Machine'         = $Row.ComputerName
        'Health'          = $Row.Health
        'Last run'        = if ($last) { Get-DdnsSpan -Span ($Now - $last) } else { '-' }
        'Fine'            = if ($Row.Runs -and $Row.Runs -ne '0') { "$($Row.RunsFine)/$($Row.Runs)" } else { '-' }
        'Version'         = $Row.Version
        'Address'         = $Row.Address
        'What to look at' = $Row.Problem
    }
    $cells = @($Column | ForEach-Object { ConvertTo-DdnsPrintable -Text "$($values[$_.Title])" })
    $said = @(Split-DdnsText -Text $cells[-1] -Length $Column[-1].Width)
    $cells[-1] = $said[0]
    Format-DdnsScreenLine -Cell $cells -Column $Column
    foreach ($more in ($said | Select-Object -Skip 1)) {
        Format-DdnsScreenLine -Cell (@('') * ($Column.Count - 1) + $more) -Column $Column
    }
}

function Format-DdnsScreenLine {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowEmptyString()]
        [string[]] $Cell,
        [hashtable[]] $Column
    )
    $parts = for ($i = 0; $i -lt $Column.Count; $i++) {
        (Limit-DdnsText $Cell[$i] $Column[$i].Width).PadRight($Column[$i].Width)
    }
    ($parts -join ' ').TrimEnd()
}

function Split-DdnsText {
    # A text in lines of a length, broken at spaces; three lines, the last cut off.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowEmptyString()]
        [string] $Text,
        [int] $Length
    )
    $rest = $Text.Trim()
    for ($line = 1; $line -lt 3 -and $rest.Length -gt $Length; $line++) {
        $at = $rest.LastIndexOf(' ', $Length)
        if ($at -lt 1) {
            $at = $Length
        }
        $rest.Substring(0, $at)
        $rest = $rest.Substring($at).Trim()
    }
    Limit-DdnsText $rest $Length
}

function Limit-DdnsText {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Position = 0)]
        [AllowEmptyString()]
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
