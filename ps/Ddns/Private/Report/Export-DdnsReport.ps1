function Export-DdnsReport {
    <#
    .SYNOPSIS
        Writes rows to a file whose ending says how: .csv, .json, .html. Foreign text is made harmless for each.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)]
        [AllowEmptyCollection()]
        [object[]] $InputObject,

        [Parameter(Mandatory)]
        [string] $Path,

        [string] $Title = 'DDNS',

        [DateTime] $Now = [DateTime]::UtcNow
    )
    $full = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
    $text = switch ([IO.Path]::GetExtension($full).ToLowerInvariant()) {
        '.csv' { ConvertTo-DdnsCsv -InputObject $InputObject }
        '.json' { ConvertTo-Json -InputObject ([ordered]@{ schema = 1; command = 'report'; title = $Title; data = @($InputObject) }) -Depth 6 }
        { $_ -in '.html', '.htm' } { ConvertTo-DdnsHtml -InputObject $InputObject -Title $Title -Now $Now }
        default { throw [ArgumentException]::new("A report ends with .csv, .json or .html; '$Path' does not.") }
    }
    $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($full))
    # Spreadsheets take a CSV without byte order mark for one of their own code page.
    $mark = $full.EndsWith('.csv', [StringComparison]::OrdinalIgnoreCase)
    [IO.File]::WriteAllText($full, $text, (New-Object -TypeName Text.UTF8Encoding -ArgumentList $mark))
}

function ConvertTo-DdnsCsv {
    # A text that a spreadsheet would take for a formula begins with an apostrophe, as OWASP has it; numbers stay numbers.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowEmptyCollection()]
        [object[]] $InputObject
    )
    $safe = foreach ($row in $InputObject) {
        $copy = [ordered]@{}
        foreach ($property in $row.PSObject.Properties) {
            $value = $property.Value
            if ($value -is [string]) {
                $value = ConvertTo-DdnsPrintable -Text $value
                if ($value -match '^\s*[=+@\-|%]') {
                    $value = "'$value"
                }
            }
            $copy[$property.Name] = $value
        }
        [pscustomobject]$copy
    }
    (@($safe | ConvertTo-Csv -NoTypeInformation) -join "`r`n") + "`r`n"
}

function ConvertTo-DdnsPrintable {
    # Without what moves a cursor or turns the direction of writing round.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowNull()]
        [AllowEmptyString()]
        [string] $Text
    )
    $Text -replace '[\x00-\x1F\x7F-\x9F\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069]+', ' '
}
