# The end of the worker: one request in, one result out. What stands before it is put there by Get-DdnsWorker.

Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'

function Invoke-DdnsWorker {
    param([hashtable]$Request)
    $run = New-DdnsRun -Request $Request
    try {
        if ([int](Get-DdnsKey -Table $Request -Key 'Schema' -Default 0) -ne 1) {
            throw (New-DdnsFault -Code 'Schema' -Message 'the request is of another version of this module' -Advice 'Use the same version on both sides.')
        }
        $run.Places = Get-DdnsPlaces -Run $run
        Select-DdnsUserPlace -Run $run
        $outcome = switch ([string](Get-DdnsKey -Table $Request -Key 'Operation' -Default '')) {
            'Install' { Invoke-DdnsInstall -Run $run }
            'Query' { Invoke-DdnsQuery -Run $run }
            'Test' { Invoke-DdnsTest -Run $run }
            'Start' { Invoke-DdnsStart -Run $run }
            'SetConfig' { Invoke-DdnsSetConfig -Run $run }
            'Uninstall' { Invoke-DdnsUninstall -Run $run }
            default { throw (New-DdnsFault -Code 'Schema' -Message 'the request asks for an operation that is not known' -Advice 'Use the same version on both sides.') }
        }
        foreach ($note in $run.Notes) {
            [void]$run.Steps.Add([pscustomobject]@{ Name = 'Note'; Outcome = 'Warning'; Detail = [string]$note; Milliseconds = 0 })
        }
        New-DdnsResult -Run $run -Outcome ([string]($outcome | Select-Object -Last 1))
    }
    catch {
        $outcome = 'Failed'
        $fault = ConvertTo-DdnsFault -Record $_
        if ($run.Undone -and $run.PreviousVersion) { $outcome = 'RolledBack' }
        if ($run.Undone) { $run.Changed = $false }
        if ($run.NotUndone.Count -gt 0) {
            $outcome = 'Failed'
            $run.Changed = $true
            $fault.Advice = "These could not be taken back: $($run.NotUndone -join ', '). Deploy again, which puts them right. $($fault.Advice)"
        }
        New-DdnsResult -Run $run -Outcome $outcome -Fault $fault
    }
}

Invoke-DdnsWorker -Request $Request
