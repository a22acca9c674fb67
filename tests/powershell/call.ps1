# One command of the module, as a test asks for it: a JSON document in a file, one on standard output.
#   module, double: paths; places: a table or null; calls: list of { command, parameters, secure: { parameter: text or table } }
#   script: run instead of calls, with $module (the module) and $spec.
param([string]$SpecFile)
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$spec = [IO.File]::ReadAllText($SpecFile) | ConvertFrom-Json
if ($spec.double) { Import-Module -Name $spec.double -DisableNameChecking }
$module = Import-Module -Name $spec.module -PassThru -DisableNameChecking

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

if ($spec.places) { & $module { $script:DdnsPlaces = $args[0] } (ConvertTo-Table $spec.places) }
if ($spec.script) {
    $answer = & ([scriptblock]::Create($spec.script))
    ConvertTo-Json -InputObject @($answer) -Depth 8 -Compress
    exit 0
}
$results = foreach ($call in $spec.calls) {
    $parameters = ConvertTo-Table $call.parameters
    if ($call.secure) { foreach ($property in $call.secure.PSObject.Properties) { $parameters[$property.Name] = ConvertTo-Secure $property.Value } }
    $failures = @()
    $thrown = ''
    $output = $null
    try { $output = & $call.command @parameters -ErrorAction SilentlyContinue -ErrorVariable failures -WarningAction SilentlyContinue }
    catch { $thrown = $_.Exception.Message }
    # An error that was caught on the way is in the variable, too; those that were written name the command.
    $ids = @($failures | ForEach-Object { $_.FullyQualifiedErrorId } | Where-Object { $_ -like "*,$($call.command)" } | ForEach-Object { $_.Split(',')[0] })
    @{ output = @($output); errors = $ids; thrown = $thrown }
}
ConvertTo-Json -InputObject @($results) -Depth 8 -Compress
