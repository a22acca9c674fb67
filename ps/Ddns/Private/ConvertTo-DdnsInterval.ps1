function ConvertTo-DdnsInterval {
    # Whole minutes of an interval written as 10m, 90s, 2h, 1d, a time span, or ISO 8601 (PT10M).
    [OutputType([int])]
    param([string]$Interval)
    $seconds = [double]-1
    $text = $Interval.Trim()
    if ($text -match '^(\d+(?:\.\d+)?)\s*(s|m|h|d)$') {
        $unit = @{ s = 1; m = 60; h = 3600; d = 86400 }[$Matches[2]]
        $seconds = [double]::Parse($Matches[1], [cultureinfo]::InvariantCulture) * $unit
    }
    elseif ($text -match '^P') {
        try { $seconds = [System.Xml.XmlConvert]::ToTimeSpan($text).TotalSeconds }
        catch { $seconds = [double]-1 }
    }
    else {
        $span = [TimeSpan]::Zero
        if ($text.Contains(':') -and [TimeSpan]::TryParse($text, [cultureinfo]::InvariantCulture, [ref]$span)) { $seconds = $span.TotalSeconds }
    }
    if ($seconds -lt 0) { throw "`"$Interval`" is no interval: write 10m, 1h, or 00:10:00." }
    if ($seconds -lt 60) {
        throw "A task can not repeat every ${seconds} seconds; one minute is the least. For less use the resident mode, -Mode Service, which runs at once when the network changes."
    }
    if ($seconds % 60 -ne 0 -or $seconds -gt 2678400) { throw "An interval is a whole number of minutes, up to 31 days; `"$Interval`" is not." }
    [int]($seconds / 60)
}
