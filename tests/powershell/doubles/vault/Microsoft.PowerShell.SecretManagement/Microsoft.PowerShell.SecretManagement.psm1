# Get-Secret, with the parameters and errors of the real one. The vault Company is a file, $env:VAULT, of which each line is NAME=SECRET.
function Get-Secret {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0)][string]$Name, [string]$Vault, [switch]$AsPlainText)
    if ($Vault -and $Vault -ne 'Company') {
        throw "Vault $Vault does not exist in registry."
    }
    foreach ($line in [System.IO.File]::ReadAllLines($env:VAULT)) {
        if (-not $line.StartsWith("$Name=")) { continue }
        $text = $line.Substring($Name.Length + 1)
        if ($AsPlainText) { return $text }
        $secure = New-Object -TypeName System.Security.SecureString
        foreach ($character in $text.ToCharArray()) { $secure.AppendChar($character) }
        return $secure
    }
    $exception = New-Object -TypeName System.InvalidOperationException -ArgumentList "The secret $Name was not found."
    $PSCmdlet.WriteError((New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList $exception, 'GetSecretNotFound', 'ObjectNotFound', $Name))
}
