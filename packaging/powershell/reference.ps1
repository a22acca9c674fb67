# Writes the reference of the PowerShell commands and scripts from their comment-based help: one page each, and a list.
# usage: pwsh -NoProfile -File packaging/powershell/reference.ps1 TARGET-FOLDER
param([Parameter(Mandatory)][string] $Target)
$ErrorActionPreference = 'Stop'
$source = [IO.Path]::GetFullPath([IO.Path]::Combine($PSScriptRoot, '..', '..', 'ps'))

function ConvertTo-Paragraph {
    # Lines of one paragraph joined; what is indented (an example's code) is left as it is.
    param([string] $Text)
    $parts = $Text.Trim() -split '(?:\r?\n[ \t]*){2,}'
    ($parts | ForEach-Object { ($_ -split '\r?\n' | ForEach-Object { $_.Trim() }) -join ' ' }) -join "`n`n"
}

function ConvertTo-Cell {
    param([string] $Text)
    (ConvertTo-Paragraph $Text).Replace('|', '\|').Replace('<', '&lt;').Replace("`n`n", '<br>')
}

function Get-Attribute {
    param($Parameter, [string] $Name)
    @($Parameter.Attributes | Where-Object { $_ -is [Management.Automation.Language.AttributeAst] -and $_.TypeName.Name -eq $Name })
}

function Get-Facts {
    # What a parameter takes and needs, in words.
    param($Parameter)
    $type = $Parameter.StaticType
    $short = if ($type.FullName -eq 'System.Management.Automation.SwitchParameter') { 'switch' } else { $type.Name }
    $words = @("``$short``")
    $named = @(Get-Attribute $Parameter 'Parameter' | ForEach-Object { $_.NamedArguments })
    if ($named | Where-Object { $_.ArgumentName -eq 'Mandatory' }) { $words += 'required' }
    if ($named | Where-Object { $_.ArgumentName -like 'ValueFromPipeline*' }) { $words += 'from the pipeline' }
    foreach ($set in Get-Attribute $Parameter 'ValidateSet') {
        $words += 'one of ' + (($set.PositionalArguments | ForEach-Object { "``$($_.Value)``" }) -join ', ')
    }
    foreach ($range in Get-Attribute $Parameter 'ValidateRange') {
        $words += "$($range.PositionalArguments[0].Extent.Text) to $($range.PositionalArguments[1].Extent.Text)"
    }
    if ($Parameter.DefaultValue) {
        $default = $Parameter.DefaultValue.Extent.Text
        if ($default -notin "''", '@{}') { $words += "default ``$default``" }
    }
    $words -join ', '
}

function ConvertTo-Page {
    param([string] $Name, $Help, $Parameters, [bool] $Asks)
    $lines = @("# $Name", '', (ConvertTo-Paragraph $Help.Synopsis), '')
    if ($Help.Description) { $lines += (ConvertTo-Paragraph $Help.Description), '' }
    if ($Parameters.Count) {
        $lines += '## Parameters', '', '| parameter | takes | meaning |', '|---|---|---|'
        foreach ($parameter in $Parameters) {
            $called = $parameter.Name.VariablePath.UserPath
            $lines += "| ``-$called`` | $(Get-Facts $parameter) | $(ConvertTo-Cell $Help.Parameters[$called.ToUpperInvariant()]) |"
        }
        $lines += ''
    }
    if ($Asks) { $lines += '`-WhatIf` shows what would be done; `-Confirm` asks before each machine.', '' }
    $lines += '## Examples', ''
    foreach ($example in $Help.Examples) {
        $code, $said = $example.Trim() -split '(?:\r?\n[ \t]*){2,}', 2
        $lines += '```powershell', $code.Trim(), '```', ''
        if ($said) { $lines += (ConvertTo-Paragraph $said), '' }
    }
    if (@($Help.Outputs).Count) { $lines += '## Output', '', "``$((@($Help.Outputs) -join ', ').Trim())``", '' }
    if ($Help.Notes) { $lines += '## Notes', '', (ConvertTo-Paragraph $Help.Notes), '' }
    ($lines -join "`n").TrimEnd() + "`n"
}

function Read-Script {
    # The help, parameters and binding of a command's file or of a script.
    param([string] $Path)
    $tree = [Management.Automation.Language.Parser]::ParseFile($Path, [ref]$null, [ref]$null)
    $name = [IO.Path]::GetFileNameWithoutExtension($Path)
    $function = $tree.EndBlock.Statements | Where-Object { $_ -is [Management.Automation.Language.FunctionDefinitionAst] -and $_.Name -eq $name }
    $body = if ($function) { $function.Body } else { $tree }
    $help = if ($function) { $function.GetHelpContent() } else { $tree.GetHelpContent() }
    $binding = @($body.ParamBlock.Attributes | Where-Object { $_.TypeName.Name -eq 'CmdletBinding' } | ForEach-Object { $_.NamedArguments })
    @{ Name = $name; Help = $help; Parameters = @($body.ParamBlock.Parameters); Asks = @($binding | Where-Object { $_.ArgumentName -eq 'SupportsShouldProcess' }).Count -gt 0 }
}

$null = New-Item -ItemType Directory -Force -Path $Target
$list = @('# PowerShell', '', '<!-- Made from the help of each command: packaging/powershell/reference.ps1; a test compares. -->', '')
$groups = [ordered]@{
    'Scripts that stand alone'  = @(Get-ChildItem -Path "$source/*.ps1" -File)
    'Commands of the module'    = @(Get-ChildItem -Path "$source/Ddns/Public/*.ps1" -File)
    'For Group Policy'          = @(Get-ChildItem -Path "$source/gpo/*.ps1" -File)
    'For Intune'                = @(Get-ChildItem -Path "$source/intune/*.ps1" -File)
}
$utf8 = New-Object -TypeName Text.UTF8Encoding -ArgumentList $false
# A script's page has its ending in its name: Install-DDNS.ps1 and Install-Ddns would be one file on Windows.
foreach ($title in $groups.Keys) {
    $list += "## $title", ''
    foreach ($file in ($groups[$title] | Sort-Object -Property Name)) {
        $one = Read-Script $file.FullName
        $extension = if ($title -like 'Commands*') { '' } else { '.ps1' }
        [IO.File]::WriteAllText("$Target/$($one.Name)$extension.md", (ConvertTo-Page ($one.Name + $extension) $one.Help $one.Parameters $one.Asks), $utf8)
        $list += "- [$($one.Name)$extension]($($one.Name)$extension.md): $(ConvertTo-Paragraph $one.Help.Synopsis)"
    }
    $list += ''
}
[IO.File]::WriteAllText("$Target/README.md", (($list -join "`n").TrimEnd() + "`n"), $utf8)
