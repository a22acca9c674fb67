function ConvertTo-DdnsSecretTable {
    # id -> SecureString, from what people have: a SecureString, a PSCredential, a table of those, or a name in a vault. The id '*'
    # means the only secret that the settings refer to.
    [OutputType([hashtable])]
    param($Secret, [string]$SecretName, [string]$Vault)
    $table = @{}
    if ($SecretName) {
        if ($null -eq (Get-Command -Name 'Get-Secret' -ErrorAction SilentlyContinue)) {
            throw 'Get-Secret is not there: install Microsoft.PowerShell.SecretManagement, or give the secret with -Secret.'
        }
        $more = @{}
        if ($Vault) { $more.Vault = $Vault }
        $Secret = Get-Secret -Name $SecretName @more -ErrorAction Stop
    }
    if ($null -eq $Secret) { return $table }
    if ($Secret -is [System.Collections.IDictionary]) {
        foreach ($id in @($Secret.Keys)) { $table[[string]$id] = ConvertTo-DdnsSecureString -Value $Secret[$id] }
        return $table
    }
    $table['*'] = ConvertTo-DdnsSecureString -Value $Secret
    $table
}

function ConvertTo-DdnsSecureString {
    # Plain text is refused, not converted: it would be in the history, in transcripts and in logs already.
    param($Value)
    if ($Value -is [System.Security.SecureString]) { return $Value }
    if ($Value -is [System.Management.Automation.PSCredential]) { return $Value.Password }
    throw 'A secret is a SecureString or a PSCredential, never plain text: Read-Host -AsSecureString, Get-Credential, or a vault.'
}
