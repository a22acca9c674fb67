# The drawings of the page, as SVG: no style attributes, which the page's policy would refuse.

function ConvertTo-DdnsSummary {
    # A ring of all kinds with the share of the good in it, and a button for each kind that filters the table.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowEmptyCollection()]
        [object[]] $Kind,
        [int] $Total,
        [int] $Good
    )
    $culture = [Globalization.CultureInfo]::InvariantCulture
    $share = if ($Total) { [Math]::Floor(100.0 * $Good / $Total) } else { 0 }
    $arcs = ''
    $from = 0.0
    foreach ($one in $Kind) {
        # The circle's circumference is 100, so shares are lengths; a small gap keeps neighbours apart.
        $length = 100.0 * $one.Count / $Total
        $gap = if ($Kind.Count -gt 1) { [Math]::Min(0.8, $length / 2) } else { 0 }
        $dash = ($length - $gap).ToString('0.###', $culture)
        $rest = (100 - $length + $gap).ToString('0.###', $culture)
        $offset = (25 - $from).ToString('0.###', $culture)
        $arcs += "<circle class=""arc $($one.Tone)"" cx=""21"" cy=""21"" r=""15.915"" stroke-dasharray=""$dash $rest"" stroke-dashoffset=""$offset""><title>$($one.Count) $(ConvertTo-DdnsHtmlText -Text $one.Word)</title></circle>"
        $from += $length
    }
    $chips = foreach ($one in $Kind) {
        $word = ConvertTo-DdnsHtmlText -Text $one.Word
        "<button type=""button"" class=""chip $($one.Tone)"" data-kind=""$word"" aria-pressed=""false""><i></i><b>$($one.Count)</b> $word</button>"
    }
    "<article class=""card summary""><h2>Machines</h2><div class=""row""><svg class=""ring"" viewBox=""0 0 42 42"" role=""img"" aria-label=""$share % well""><circle class=""track"" cx=""21"" cy=""21"" r=""15.915""/>$arcs<text x=""21"" y=""21.6"">$share<tspan class=""unit"">%</tspan></text><text class=""sub"" x=""21"" y=""27.2"">$Good of $Total well</text></svg><div class=""chips"">$(-join $chips)</div></div></article>"
}

function ConvertTo-DdnsVersionChart {
    # A bar for each version, the most frequent first.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowEmptyCollection()]
        [object[]] $InputObject
    )
    $culture = [Globalization.CultureInfo]::InvariantCulture
    $groups = @($InputObject | Where-Object { Get-DdnsKey -Table $_ -Key 'Version' } | Group-Object -Property Version | Sort-Object -Property Count -Descending)
    if (-not $groups.Count) {
        return ''
    }
    $rows = foreach ($group in ($groups | Select-Object -First 5)) {
        $width = (100.0 * $group.Count / $InputObject.Count).ToString('0.##', $culture)
        "<li><span>$(ConvertTo-DdnsHtmlText -Text $group.Name)</span><svg viewBox=""0 0 100 6"" preserveAspectRatio=""none"" aria-hidden=""true""><rect class=""track"" width=""100"" height=""6"" rx=""1""/><rect class=""bar"" width=""$width"" height=""6"" rx=""1""/></svg><b>$($group.Count)</b></li>"
    }
    $more = if ($groups.Count -gt 5) { "<p class=""more"">and $($groups.Count - 5) more</p>" } else { '' }
    "<article class=""card""><h2>Versions</h2><ul class=""bars"">$(-join $rows)</ul>$more</article>"
}

function ConvertTo-DdnsRunChart {
    # How many machines' runs were fine, of the last ten: a column for each count from 0 to 10.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowEmptyCollection()]
        [object[]] $InputObject
    )
    # Rows of a file may hold anything.
    $shares = @(foreach ($row in $InputObject) {
            $fine = (Get-DdnsKey -Table $row -Key 'RunsFine') -as [double]
            $all = (Get-DdnsKey -Table $row -Key 'Runs') -as [double]
            if ($null -ne $fine -and $all -gt 0) { [Math]::Max(0, [Math]::Min(10, 10 * $fine / $all)) }
        })
    if (-not $shares.Count) {
        return ''
    }
    $counts = New-Object -TypeName 'int[]' -ArgumentList 11
    foreach ($share in $shares) {
        $counts[[int][Math]::Floor($share)]++
    }
    $most = [double]($counts | Measure-Object -Maximum).Maximum
    $columns = ''
    for ($i = 0; $i -le 10; $i++) {
        # The square root keeps few bad machines visible beside many good ones.
        $height = [int](60 * [Math]::Sqrt($counts[$i] / $most))
        $tone = if ($i -ge 9) { 'good' } elseif ($i -ge 6) { 'wait' } else { 'bad' }
        $x = 20 * $i + 2
        $columns += "<rect class=""track"" x=""$x"" y=""14"" width=""16"" height=""60"" rx=""3""/>"
        if ($counts[$i]) {
            $columns += "<rect class=""col $tone"" x=""$x"" y=""$(74 - [Math]::Max(3, $height))"" width=""16"" height=""$([Math]::Max(3, $height))"" rx=""3""/><text x=""$($x + 8)"" y=""$(70 - [Math]::Max(3, $height))"">$($counts[$i])</text>"
        }
        $columns += "<text class=""axis"" x=""$($x + 8)"" y=""86"">$i</text>"
    }
    "<article class=""card""><h2>Runs that were fine, of the last ten</h2><svg class=""columns"" viewBox=""0 0 222 90"" role=""img"" aria-label=""Machines by the number of their last ten runs that were fine"">$columns</svg></article>"
}

function ConvertTo-DdnsRunDot {
    # The exit codes of the last runs as dots, oldest first.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowNull()]
        [AllowEmptyString()]
        [string] $LastRuns
    )
    $codes = @($LastRuns -split ' ' | Where-Object { $_ -match '^[0-9]+$' } | Select-Object -Last 10)
    if (-not $codes.Count) {
        return ''
    }
    $dots = ''
    for ($i = 0; $i -lt $codes.Count; $i++) {
        $tone = if ($codes[$i] -eq '0') { 'good' } elseif ($codes[$i] -in '11', '13', '14') { 'wait' } else { 'bad' }
        $dots += "<circle class=""dot $tone"" cx=""$(9 * $i + 5)"" cy=""5"" r=""3.5""><title>exit code $($codes[$i])</title></circle>"
    }
    "<svg class=""dots"" viewBox=""0 0 92 10"" role=""img"" aria-label=""exit codes $($codes -join ' ')"">$dots</svg>"
}
