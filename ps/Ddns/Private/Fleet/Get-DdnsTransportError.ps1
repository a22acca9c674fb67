function Get-DdnsTransportError {
    <#
    .SYNOPSIS
        An error of the way as Code, Message, Advice, with the Outcome of its row and whether another attempt may help.
    #>
    [CmdletBinding(DefaultParameterSetName = 'Code')]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory, ParameterSetName = 'Code')]
        [string] $Code,

        # What the job ended with.
        [Parameter(Mandatory, ParameterSetName = 'Reason')]
        [AllowNull()]
        [object] $Reason,

        # What ssh said when it was asked again.
        [Parameter(ParameterSetName = 'Reason')]
        [AllowEmptyString()]
        [string] $Said = '',

        # More than the code's own words: a name, a number.
        [string] $Detail = ''
    )
    $data = Get-DdnsTransportData
    if ($PSCmdlet.ParameterSetName -eq 'Reason') {
        $text = if ($Said) { $Said } elseif ($Reason) { "$($Reason.Message)" } else { '' }
        $Code = Get-DdnsTransportCode -Reason $Reason -Text $text
        if (-not $Detail) {
            $Detail = ($text -replace '[\x00-\x1F\x7F\u2028\u2029]+', ' ').Trim()
        }
    }
    if ($Detail.Length -gt 300) {
        $Detail = $Detail.Substring(0, 300) + '...'
    }
    $known = $data.Codes[$Code]
    @{
        Code    = $Code
        Message = if ($Detail) { "$($known.Meaning): $Detail" } else { "$($known.Meaning)." }
        Advice  = $known.Advice
        Retry   = $known.Retry
        Outcome = $known.Outcome
    }
}

function Get-DdnsTransportCode {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowNull()]
        [object] $Reason,

        [AllowEmptyString()]
        [string] $Text
    )
    $data = Get-DdnsTransportData
    $number = 0
    if ($Reason -and $Reason.PSObject.Properties['ErrorCode']) {
        $number = [int]$Reason.ErrorCode
    }
    foreach ($entry in $data.Numbers) {
        if ($number -eq $entry.Number) {
            return $entry.Code
        }
    }
    foreach ($entry in $data.Patterns) {
        if ($Text -match $entry.Pattern) {
            return $entry.Code
        }
    }
    'Unreachable'
}

function Get-DdnsTransportData {
    # The table, read once. Import-PowerShellDataFile runs no code.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param()
    if (-not (Test-Path variable:script:DdnsTransportData)) {
        $path = Join-Path $PSScriptRoot 'TransportErrors.psd1'
        $script:DdnsTransportData = Import-PowerShellDataFile -LiteralPath $path
    }
    $script:DdnsTransportData
}
