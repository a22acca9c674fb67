# Runs the module's commands as tests ask for it. A request is a JSON document in a file:
#   module, double: paths; places: a table or null; environ: a table; answer: the file for the answer, JSON, too
#   calls: list of { command, parameters, secure: { parameter: text or table } }, or script: run with $module and $spec
# With -Requests, a pipe, it stays: each line is the path of a request, and each answer is told by a line on standard output.
param([string]$SpecFile, [string]$Requests)
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

function ConvertTo-Table($Object) {
    $table = @{}
    if ($null -ne $Object) {
        foreach ($property in $Object.PSObject.Properties) {
            $value = $property.Value
            if ($value -is [System.Management.Automation.PSCustomObject]) { $value = ConvertTo-Table $value }
            $table[$property.Name] = $value
        }
    }
    $table
}

function ConvertTo-Secure($Value) {
    if ($Value -is [string]) {
        $secure = New-Object -TypeName System.Security.SecureString
        foreach ($character in $Value.ToCharArray()) { $secure.AppendChar($character) }
        return $secure
    }
    $table = @{}
    foreach ($property in $Value.PSObject.Properties) { $table[$property.Name] = ConvertTo-Secure $property.Value }
    $table
}

function Invoke-Call($Call) {
    $parameters = ConvertTo-Table $Call.parameters
    if ($Call.secure) { foreach ($property in $Call.secure.PSObject.Properties) { $parameters[$property.Name] = ConvertTo-Secure $property.Value } }
    $failures = @()
    $thrown = ''
    $output = $null
    try { $output = & $Call.command @parameters -ErrorAction SilentlyContinue -ErrorVariable failures -WarningAction SilentlyContinue }
    catch { $thrown = $_.Exception.Message }
    # An error that was caught on the way is in the variable, too; those that were written name the command.
    $ids = @($failures | ForEach-Object { $_.FullyQualifiedErrorId } | Where-Object { $_ -like "*,$($Call.command)" } | ForEach-Object { $_.Split(',')[0] })
    @{ output = @($output); errors = $ids; thrown = $thrown }
}

function Invoke-Spec([string]$File) {
    $spec = [IO.File]::ReadAllText($File) | ConvertFrom-Json
    $environ = ConvertTo-Table $spec.environ
    foreach ($name in $environ.Keys) { [Environment]::SetEnvironmentVariable($name, $environ[$name]) }
    try {
        if ($spec.double) { Import-Module -Name $spec.double -DisableNameChecking -Global }
        $module = Get-Module -Name Ddns
        if (-not $module) { $module = Import-Module -Name $spec.module -PassThru -DisableNameChecking -Global }
        $places = $null
        if ($spec.places) { $places = ConvertTo-Table $spec.places }
        & $module { $script:DdnsPlaces = $args[0] } $places
        if ($spec.script) { $answer = & ([scriptblock]::Create($spec.script)) }
        else { $answer = foreach ($call in $spec.calls) { Invoke-Call $call } }
        $text = ConvertTo-Json -InputObject @($answer) -Depth 8 -Compress
    }
    finally { foreach ($name in $environ.Keys) { [Environment]::SetEnvironmentVariable($name, $null) } }
    [IO.File]::WriteAllText($spec.answer, $text)
}

if (-not $Requests) {
    Invoke-Spec $SpecFile
    exit 0
}
$reader = New-Object -TypeName System.IO.StreamReader -ArgumentList $Requests
while ($null -ne ($line = $reader.ReadLine())) {
    try {
        Invoke-Spec $line
        [Console]::Out.WriteLine('answered')
    }
    catch {
        [Console]::Out.WriteLine('failed ' + ($_ | Out-String).Replace("`n", ' '))
    }
}
