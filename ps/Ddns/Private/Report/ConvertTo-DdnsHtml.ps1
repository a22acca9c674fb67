# A page that needs nothing but itself: rows and charts are there without script; script only filters, sorts and switches
# light and dark. Style and script are let through by their hashes, so that a text that got in as markup would do nothing.

function ConvertTo-DdnsHtml {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowEmptyCollection()]
        [object[]] $InputObject,
        [string] $Title,
        [DateTime] $Now
    )
    $css = [IO.File]::ReadAllText((Join-Path $PSScriptRoot 'Report.css')).Replace("`r", '')
    $js = [IO.File]::ReadAllText((Join-Path $PSScriptRoot 'Report.js')).Replace("`r", '')
    $policy = "default-src 'none'; style-src '$(Get-DdnsPageHash -Text $css)'; script-src '$(Get-DdnsPageHash -Text $js)'; base-uri 'none'; form-action 'none'"
    $kinds = @(Get-DdnsKindCount -InputObject $InputObject)
    $good = @($InputObject | Where-Object { (Get-DdnsKind -Row $_).Tone -eq 'good' }).Count
    $when = $Now.ToUniversalTime().ToString('d MMMM yyyy HH:mm', [Globalization.CultureInfo]::InvariantCulture)
    $page = New-Object -TypeName Text.StringBuilder
    $parts = @(
        '<!doctype html>', '<html lang="en">', '<head>', '<meta charset="utf-8">'
        "<meta http-equiv=""Content-Security-Policy"" content=""$policy"">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>$(ConvertTo-DdnsHtmlText -Text $Title)</title>", "<style>$css</style>", '</head>', '<body>', '<header>'
        "<div><h1>$(ConvertTo-DdnsHtmlText -Text $Title)</h1><p class=""when"">$when UTC</p></div>"
        '<button id="theme" type="button" title="Light or dark" aria-label="Light or dark"></button>', '</header>', '<main>'
        '<section class="top">'
        (ConvertTo-DdnsSummary -Kind $kinds -Total $InputObject.Count -Good $good)
        (ConvertTo-DdnsVersionChart -InputObject $InputObject)
        (ConvertTo-DdnsRunChart -InputObject $InputObject)
        '</section>'
        (ConvertTo-DdnsTable -InputObject $InputObject -Kind $kinds)
        '</main>', "<script>$js</script>", '</body>', '</html>'
    )
    foreach ($part in $parts) {
        $null = $page.Append($part).Append("`n")
    }
    $page.ToString()
}

function ConvertTo-DdnsHtmlText {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowNull()]
        [object] $Text
    )
    [Net.WebUtility]::HtmlEncode((ConvertTo-DdnsPrintable -Text "$Text"))
}

function Get-DdnsPageHash {
    [CmdletBinding()]
    [OutputType([string])]
    param([string] $Text)
    $sha = [Security.Cryptography.SHA256]::Create()
    try {
        'sha256-' + [Convert]::ToBase64String($sha.ComputeHash([Text.Encoding]::UTF8.GetBytes($Text)))
    } finally {
        $sha.Dispose()
    }
}

function Get-DdnsKind {
    # What a row comes to, and how that is coloured: good, wait, bad, off.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([object] $Row)
    $word = if ($Row.PSObject.Properties['Health']) { "$($Row.Health)" } else { "$(Get-DdnsKey -Table $Row -Key 'Outcome')" }
    $tone = switch ($word) {
        { $_ -in 'OK', 'Installed', 'Updated', 'Unchanged', 'Removed' } { 'good'; break }
        { $_ -in 'Warning', 'WouldInstall', 'WouldUpdate', 'WouldRemove', 'NotReached', 'Left' } { 'wait'; break }
        { $_ -in 'Failed', 'RolledBack' } { 'bad'; break }
        default { 'off' }
    }
    @{ Word = $word; Tone = $tone }
}

function Get-DdnsKindCount {
    # How many of each, the good first.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [AllowEmptyCollection()]
        [object[]] $InputObject
    )
    $order = 'good', 'wait', 'bad', 'off'
    $groups = foreach ($group in ($InputObject | Group-Object -Property { (Get-DdnsKind -Row $_).Word })) {
        @{ Word = $group.Name; Tone = (Get-DdnsKind -Row $group.Group[0]).Tone; Count = $group.Count }
    }
    $groups | Sort-Object -Property { [Array]::IndexOf($order, $_.Tone) }, { $_.Word }
}
