# The module's functions, private ones too, in the caller's scope, with the stand-in for the worker.
Set-StrictMode -Version 3
$script:DdnsPlaces = $null
$root = [IO.Path]::GetFullPath([IO.Path]::Combine($PSScriptRoot, '..', '..', 'ps', 'Ddns'))
foreach ($file in Get-ChildItem -Path "$root/Private", "$root/Public", "$root/Worker/Parts" -Recurse -Filter *.ps1 -File | Sort-Object -Property FullName) {
    . $file.FullName
}
function Get-DdnsWorker { [IO.File]::ReadAllText([IO.Path]::Combine($PSScriptRoot, 'doubles', 'Worker.ps1')) }
