function ConvertTo-DdnsTable {
    # The rows: what one looks for in columns, everything else behind the name.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowEmptyCollection()]
        [object[]] $InputObject,

        [AllowEmptyCollection()]
        [object[]] $Kind
    )
    $columns = Get-DdnsTableColumn -Row ($InputObject | Select-Object -First 1)
    $heads = foreach ($column in $columns) {
        "<th scope=""col"" aria-sort=""none""><button type=""button"">$($column.Title)</button></th>"
    }
    $options = foreach ($one in $Kind) {
        $word = ConvertTo-DdnsHtmlText -Text $one.Word
        "<option value=""$word"">$word ($($one.Count))</option>"
    }
    $body = New-Object -TypeName Text.StringBuilder
    # The worst first: a page is opened to see what is wrong.
    $order = 'bad', 'off', 'wait', 'good'
    foreach ($row in ($InputObject | Sort-Object -Property { [Array]::IndexOf($order, (Get-DdnsKind -Row $_).Tone) }, ComputerName)) {
        $null = $body.Append((ConvertTo-DdnsTableRow -Row $row -Column $columns)).Append("`n")
    }
    @(
        '<section class="card list"><div class="tools">'
        '<input id="filter" type="search" placeholder="Filter: name, address, problem ..." aria-label="Filter" autocomplete="off">'
        "<select id=""kind"" aria-label=""Kind""><option value="""">all ($($InputObject.Count))</option>$(-join $options)</select>"
        "<output id=""count"">$($InputObject.Count) shown</output></div>"
        "<div class=""scroll""><table><thead><tr>$(-join $heads)</tr></thead><tbody>"
        $body.ToString()
        '</tbody></table><p id="none" hidden>Nothing fits this filter.</p></div></section>'
    ) -join "`n"
}

function Get-DdnsTableColumn {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([object] $Row)
    @{ Title = 'Machine'; Kind = 'name'; Property = 'ComputerName' }
    if ($Row -and $Row.PSObject.Properties['Health']) {
        @{ Title = 'Health'; Kind = 'kind'; Property = 'Health' }
        @{ Title = 'Address'; Kind = 'mono'; Property = 'Address' }
        @{ Title = 'Last run'; Kind = 'time'; Property = 'LastRunTime' }
        @{ Title = 'Last ten runs'; Kind = 'dots'; Property = 'LastRuns' }
        @{ Title = 'Version'; Kind = 'mono'; Property = 'Version' }
        @{ Title = 'What to look at'; Kind = 'problem'; Property = 'Problem' }
    } else {
        @{ Title = 'Outcome'; Kind = 'kind'; Property = 'Outcome' }
        @{ Title = 'Ring'; Kind = 'text'; Property = 'Ring' }
        @{ Title = 'Version'; Kind = 'mono'; Property = 'Version' }
        @{ Title = 'Before'; Kind = 'mono'; Property = 'PreviousVersion' }
        @{ Title = 'Seconds'; Kind = 'number'; Property = 'Seconds' }
        @{ Title = 'What to look at'; Kind = 'problem'; Property = 'Error' }
    }
}

function ConvertTo-DdnsTableRow {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [object] $Row,
        [object[]] $Column
    )
    $kind = Get-DdnsKind -Row $Row
    $cells = foreach ($one in $Column) {
        ConvertTo-DdnsCell -Row $Row -Column $one -Kind $kind
    }
    "<tr data-kind=""$(ConvertTo-DdnsHtmlText -Text $kind.Word)"">$(-join $cells)</tr>"
}

function ConvertTo-DdnsCell {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [object] $Row,
        [hashtable] $Column,
        [hashtable] $Kind
    )
    $value = Get-DdnsKey -Table $Row -Key $Column.Property
    $text = ConvertTo-DdnsHtmlText -Text $value
    switch ($Column.Kind) {
        'name' { "<th scope=""row"" data-sort=""$text""><details><summary>$text</summary>$(ConvertTo-DdnsDetail -Row $Row)</details></th>" }
        'kind' { "<td data-sort=""$($Kind.Tone) $text""><span class=""pill $($Kind.Tone)"">$text</span></td>" }
        'time' { "<td data-sort=""$text""><time datetime=""$text"">$($text.Replace('T', ' ').TrimEnd('Z'))</time></td>" }
        'dots' { "<td data-sort=""$('{0:000}' -f [int](Get-DdnsKey -Table $Row -Key 'RunsFine' -Default 0))"">$(ConvertTo-DdnsRunDot -LastRuns $value)</td>" }
        'mono' { "<td data-sort=""$text"" class=""mono"">$($text.Replace('; ', '<br>'))</td>" }
        'number' { "<td data-sort=""$('{0:000000.0}' -f ($value -as [double]))"" class=""number"">$text</td>" }
        'problem' {
            $advice = ConvertTo-DdnsHtmlText -Text (Get-DdnsKey -Table $Row -Key 'Advice')
            $more = if ($Row.PSObject.Properties['Pending']) { ConvertTo-DdnsHtmlText -Text ((@((Get-DdnsKey -Table $Row -Key 'Pending'), (Get-DdnsKey -Table $Row -Key 'Drift')) | Where-Object { $_ }) -join '; ') } else { '' }
            $said = (@($text, $more) | Where-Object { $_ }) -join '; '
            "<td data-sort=""$said"" class=""problem"">$said$(if ($advice) { "<small>$advice</small>" })</td>"
        }
        default { "<td data-sort=""$text"">$text</td>" }
    }
}

function ConvertTo-DdnsDetail {
    # All that a row holds, as a list.
    [CmdletBinding()]
    [OutputType([string])]
    param([object] $Row)
    $pairs = foreach ($property in $Row.PSObject.Properties) {
        if ($null -ne $property.Value -and "$($property.Value)" -ne '') {
            "<dt>$(ConvertTo-DdnsHtmlText -Text $property.Name)</dt><dd>$(ConvertTo-DdnsHtmlText -Text $property.Value)</dd>"
        }
    }
    "<dl>$(-join $pairs)</dl>"
}
