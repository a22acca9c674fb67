function Import-DdnsFleetFile {
    <#
    .SYNOPSIS
        Reads a fleet file, which is data and never run, and checks its shape. Every problem is told at once.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)]
        [string] $Path
    )
    $full = (Resolve-Path -LiteralPath $Path -ErrorAction Stop).ProviderPath
    try {
        $fleet = Import-PowerShellDataFile -LiteralPath $full -ErrorAction Stop
    } catch {
        throw [InvalidOperationException]::new("$full is no data file: $($_.Exception.Message) A long list of machines belongs into a MachinesFile.")
    }
    $problems = @(Get-DdnsShapeProblem -Table $fleet -Part '' -Place '')
    if ($fleet['Schema'] -ne 1) {
        $problems = @("Schema: expected 1, found '$($fleet['Schema'])'") + $problems
    }
    if (-not $fleet['Name'] -or "$($fleet['Name'])" -notmatch '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$') {
        $problems += "Name: expected letters, digits, '.', '_', '-', found '$($fleet['Name'])'"
    }
    if (-not $fleet['Groups']) {
        $problems += 'Groups: expected at least one'
    }
    if ($problems.Count) {
        $count = if ($problems.Count -eq 1) { '1 problem' } else { "$($problems.Count) problems" }
        throw [InvalidOperationException]::new("$full has ${count}:`n" + ($problems -join "`n"))
    }
    $fleet['Folder'] = [IO.Path]::GetDirectoryName($full)
    $fleet
}

function Get-DdnsShapeProblem {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary] $Table,
        [string] $Part,
        [string] $Place
    )
    $shape = (Get-DdnsFleetShape)[$Part]
    foreach ($key in @($Table.Keys)) {
        $at = if ($Place) { "$Place.$key" } else { "$key" }
        if (-not $shape.ContainsKey($key)) {
            "${at}: unknown key; here are $((@($shape.Keys) | Sort-Object) -join ', ')"
            continue
        }
        Get-DdnsValueProblem -Value $Table[$key] -Kind $shape[$key] -Place $at
    }
}

function Get-DdnsValueProblem {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowNull()]
        [object] $Value,
        [string] $Kind,
        [string] $Place
    )
    $kind, $part = $Kind.Split(':')
    $expected = switch ($kind) {
        'text' { if ($Value -isnot [string]) { 'a text' } }
        'number' { if ($Value -isnot [int]) { 'a whole number' } }
        'switch' { if ($Value -isnot [bool]) { '$true or $false' } }
        'names' { if (@($Value | Where-Object { $_ -isnot [string] }).Count) { 'a text or a list of texts' } }
        { $_ -in 'table', 'tables' } { if ($Value -isnot [System.Collections.IDictionary]) { 'a table, @{ ... }' } }
        { $_ -in 'list', 'machines' } { if ($Value -is [System.Collections.IDictionary]) { 'a list, @( ... )' } }
    }
    if ($expected) {
        $found = if ($null -eq $Value) { '$null' } else { "'$Value'" }
        "${Place}: expected $expected, found $found"
        return
    }
    switch ($kind) {
        'table' { Get-DdnsShapeProblem -Table $Value -Part $part -Place $Place }
        'tables' { foreach ($key in @($Value.Keys)) { Get-DdnsValueProblem -Value $Value[$key] -Kind "table:$part" -Place "$Place.$key" } }
        'list' { for ($i = 0; $i -lt @($Value).Count; $i++) { Get-DdnsValueProblem -Value @($Value)[$i] -Kind "table:$part" -Place "$Place[$i]" } }
        'machines' {
            for ($i = 0; $i -lt @($Value).Count; $i++) {
                if (@($Value)[$i] -isnot [string]) {
                    Get-DdnsValueProblem -Value @($Value)[$i] -Kind 'table:Machine' -Place "$Place[$i]"
                }
            }
        }
    }
}

function Get-DdnsFleetShape {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param()
    if (-not (Test-Path variable:script:DdnsFleetShape)) {
        $script:DdnsFleetShape = Import-PowerShellDataFile -LiteralPath (Join-Path $PSScriptRoot 'FleetFileShape.psd1')
    }
    $script:DdnsFleetShape
}
