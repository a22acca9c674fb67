# Loads the parts of the worker (their pure functions are used on this side, too), the private and the public commands.

$ErrorActionPreference = 'Stop'
# What is misspelt, or is not there, is an error. What machines answer and clients write goes through ConvertTo-DdnsShape.
Set-StrictMode -Version 3

# Places that tests put in the place of the machine's own; nothing outside of this module's scope can set it.
$script:DdnsPlaces = $null

foreach ($folder in 'Worker/Parts', 'Private', 'Public') {
    $path = Join-Path -Path $PSScriptRoot -ChildPath $folder
    foreach ($file in @(Get-ChildItem -LiteralPath $path -Filter '*.ps1' -Recurse -File | Sort-Object -Property FullName)) {
        . $file.FullName
    }
}
