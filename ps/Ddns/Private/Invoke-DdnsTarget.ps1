function Invoke-DdnsTarget {
    # Runs the worker for one request on this machine, and returns its result. The only caller of the worker.
    [OutputType('Ddns.Result')]
    param([Parameter(Mandatory)][hashtable]$Request)
    if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
        throw "PowerShell runs in $($ExecutionContext.SessionState.LanguageMode) mode on this machine: have a policy trust the certificate that signed the module, or deploy with the MSI."
    }
    $Request = @{ Schema = 1 } + $Request
    if ($null -ne $script:DdnsPlaces) { $Request['Places'] = $script:DdnsPlaces }
    & ([scriptblock]::Create((Get-DdnsWorker))) -Request $Request
}

function Write-DdnsFailure {
    # A result that failed is an error record, too, so that -ErrorAction Stop and $? work as they do everywhere.
    param([Parameter(Mandatory)]$Cmdlet, [Parameter(Mandatory)]$Result)
    if ($null -eq $Result.Error) { return }
    $text = '{0}: {1}' -f $Result.Computer, $Result.Error.Message
    if ($Result.Error.Advice) { $text += " $($Result.Error.Advice)" }
    $exception = New-Object -TypeName System.InvalidOperationException -ArgumentList $text
    $record = New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList $exception, "Ddns.$($Result.Error.Code)", 'OperationStopped', $Result.Computer
    Write-DdnsErrorRecord -Cmdlet $Cmdlet -Record $record
}

function Write-DdnsErrorRecord {
    # Writes a command's error as its caller wants errors: the module's own preference, Stop, would end the command at the first one.
    # -ErrorAction of the call goes before, which WriteError sees to itself.
    param([Parameter(Mandatory)]$Cmdlet, [Parameter(Mandatory)][System.Management.Automation.ErrorRecord]$Record)
    if (-not $Cmdlet.MyInvocation.BoundParameters.ContainsKey('ErrorAction')) {
        $ErrorActionPreference = $Cmdlet.SessionState.PSVariable.GetValue('ErrorActionPreference', 'Continue')
    }
    $Cmdlet.WriteError($Record)
}
