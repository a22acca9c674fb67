function Invoke-DdnsTarget {
    # Runs the worker for one request, on this machine or on those of a call, and returns its results.
    [OutputType('Ddns.Result')]
    param(
        [Parameter(Mandatory)][hashtable]$Request,
        # From Resolve-DdnsCall; without it, this machine.
        [hashtable]$Call = @{ Here = $true; WhatIf = $false },
        # Name -> a machine's own request instead.
        [hashtable]$RequestFor = @{},
        [string]$PackagePath = '',
        [string]$Activity = 'DDNS',
        [switch]$Resumable
    )
    if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
        throw "PowerShell runs in $($ExecutionContext.SessionState.LanguageMode) mode on this machine: have a policy trust the certificate that signed the module, or deploy with the MSI."
    }
    $Request = $Request.Clone()
    $Request['Schema'] = 1
    if (-not $Call.Here) {
        Invoke-DdnsCall -Call $Call -Request $Request -RequestFor $RequestFor -PackagePath $PackagePath -Activity $Activity -Resumable:$Resumable
        return
    }
    $Request['WhatIf'] = $Call.WhatIf
    if ($null -ne $script:DdnsPlaces) { $Request['Places'] = $script:DdnsPlaces }
    & ([scriptblock]::Create((Get-DdnsWorker))) -Request $Request
}

function Write-DdnsFailure {
    # A result that failed is an error record, too, so that -ErrorAction Stop and $? work as they do everywhere.
    param([Parameter(Mandatory)]$Cmdlet, [Parameter(Mandatory)]$Result)
    if ($null -eq $Result.Error) { return }
    $fleet = $Result.PSObject.Properties['ComputerName']
    $name = $(if ($fleet) { $fleet.Value } else { $Result.Computer })
    $text = '{0}: {1}' -f $name, $Result.Error.Message
    if ($Result.Error.Advice) { $text += " $($Result.Error.Advice)" }
    $exception = New-Object -TypeName System.InvalidOperationException -ArgumentList $text
    $record = New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList $exception, "Ddns.$($Result.Error.Code)", $(if ($Result.Outcome -eq 'Unreachable') { 'ConnectionError' } else { 'OperationStopped' }), $name
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
