# Running the client, and what only the client writes: settings, secrets, the identity at a gateway.

function Invoke-DdnsClient {
    # Runs a client to its end. What is secret goes to its standard input, never into its arguments.
    param([hashtable]$Run, [string]$Version, [string[]]$Argument, $Secret = $null, [int]$Seconds = 120, [switch]$NoData)
    $start = New-Object -TypeName System.Diagnostics.ProcessStartInfo
    $start.FileName = Get-DdnsProgram -Run $Run -Version $Version
    $all = @($Argument)
    if (-not $NoData) { $all += $Run.Places.DataArguments }
    $start.Arguments = Join-DdnsArgument -Argument $all
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = [System.Text.Encoding]::UTF8
    $start.StandardErrorEncoding = [System.Text.Encoding]::UTF8
    $start.WorkingDirectory = $Run.Places.Binaries
    try { $process = [System.Diagnostics.Process]::Start($start) }
    catch {
        throw (New-DdnsFault -Code 'TrialFailed' -Message "$($start.FileName) can not be started: $($_.Exception.InnerException.Message)" -Advice (
                'Look at AppLocker, WDAC, and the quarantine of the virus scanner.'))
    }
    try {
        $out = $process.StandardOutput.ReadToEndAsync()
        $err = $process.StandardError.ReadToEndAsync()
        Write-DdnsSecret -Stream $process.StandardInput.BaseStream -Secret $Secret
        try { $process.StandardInput.Close() }
        catch [System.IO.IOException] { Write-Verbose -Message 'ddns: the client had ended by then' }
        if (-not $process.WaitForExit($Seconds * 1000)) {
            $process.Kill()
            throw (New-DdnsFault -Code 'TrialFailed' -Message "ddns $($Argument[0]) did not end within $Seconds s" -Advice 'Look at the network, then try again.')
        }
        $process.WaitForExit()
        @{ Code = [int]$process.ExitCode; Out = $out.Result; Err = $err.Result.Trim() }
    }
    finally { $process.Dispose() }
}

function Write-DdnsSecret {
    # The bytes of a SecureString, as UTF-8 with a line end; every copy made here is overwritten.
    param($Stream, $Secret)
    if ($null -eq $Secret) { return }
    $pointer = [System.Runtime.InteropServices.Marshal]::SecureStringToGlobalAllocUnicode($Secret)
    $characters = New-Object -TypeName 'char[]' -ArgumentList ($Secret.Length)
    $bytes = @()
    try {
        [System.Runtime.InteropServices.Marshal]::Copy($pointer, $characters, 0, $characters.Length)
        $bytes = [System.Text.Encoding]::UTF8.GetBytes($characters)
        $Stream.Write($bytes, 0, $bytes.Length)
        $Stream.WriteByte(10)
        $Stream.Flush()
    }
    catch [System.IO.IOException] {
        Write-Verbose -Message 'ddns: the client did not read all of its standard input'  # its exit code says why
    }
    finally {
        [System.Runtime.InteropServices.Marshal]::ZeroFreeGlobalAllocUnicode($pointer)
        [System.Array]::Clear($characters, 0, $characters.Length)
        if ($bytes.Length -gt 0) { [System.Array]::Clear($bytes, 0, $bytes.Length) }
    }
}

function Get-DdnsSaid {
    # What a client that failed had to say, on one line.
    param([hashtable]$Ended)
    $text = ($Ended.Err + ' ' + $Ended.Out) -replace '\s+', ' '
    $text = $text.Trim() -replace '^ddns: ', ''
    if ($text.Length -gt 500) { $text = $text.Substring(0, 500) + '...' }
    if ($text -eq '') { $text = "exit code $($Ended.Code): $((Get-DdnsCode -Code $Ended.Code).Meaning)" }
    $text
}

function Set-DdnsSettings {
    # Writes ddns.toml when it differs from what is wanted, after the client found it valid. Keeps one copy of the old one.
    param([hashtable]$Run, [string]$Version)
    $file = $Run.Places.ConfigFile
    $asked = Get-DdnsKey -Table $Run.Request -Key 'Settings'
    $old = ''
    if ([System.IO.File]::Exists($file)) { $old = [System.IO.File]::ReadAllText($file) }
    if ($null -eq $asked) {
        if ($old -eq '' -and $null -eq (Get-DdnsKey -Table $Run.Request -Key 'Enrolment')) {
            throw (New-DdnsFault -Code 'SettingsMissing' -Message "there are no settings: $file is missing" -Advice 'Give -Name and -Provider, or -ConfigPath, or -Gateway and -EnrolmentCode.')
        }
        return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'the settings stay as they are')
    }
    $trial = Join-DdnsPath -Part $Run.Places.Staging, ('settings-{0}' -f [guid]::NewGuid().ToString('N'))
    [void][System.IO.Directory]::CreateDirectory($trial)
    try {
        $text = New-DdnsSettingsText -Run $Run -Version $Version -Asked $asked -Folder $trial
        $enrolled = $null -ne (Get-DdnsKey -Table $Run.Request -Key 'Enrolment') -and $old.StartsWith($text.TrimEnd(), [System.StringComparison]::Ordinal)
        if ($text -ceq $old -or $enrolled) { return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'the settings are the same') }
        Write-DdnsFile -Path (Join-DdnsPath -Part $trial, 'ddns.toml') -Text $text
        $checked = Invoke-DdnsClient -Run $Run -Version $Version -NoData -Argument 'config', 'validate', '--data', $trial
        if ($checked.Code -ne 0) {
            throw (New-DdnsFault -Code 'SettingsInvalid' -Message "the settings are wrong: $((Get-DdnsSaid -Ended $checked).Replace($trial, '...'))" -Advice (
                    'Correct them; the settings that were there are still in force.'))
        }
    }
    finally { Remove-DdnsItem -Path $trial }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail "write $file") }
    if ($old -ne '') { Write-DdnsFile -Path "$file.before" -Text $old }
    Write-DdnsFile -Path $file -Text $text
    $Run.OldSettings = $old
    Add-DdnsUndo -Run $Run -Name 'Settings' -Body { param($Run) Restore-DdnsSettings -Run $Run }
    New-DdnsStepEnd -Outcome 'Done' -Detail $file
}

function Restore-DdnsSettings {
    param([hashtable]$Run)
    $file = $Run.Places.ConfigFile
    if ($Run.OldSettings -ne '') { Write-DdnsFile -Path $file -Text $Run.OldSettings }
    elseif ([System.IO.File]::Exists($file)) { Remove-DdnsItem -Path $file }
}

function New-DdnsSettingsText {
    # The text of ddns.toml: as given, or as the client writes it from a name and a provider.
    param([hashtable]$Run, [string]$Version, $Asked, [string]$Folder)
    $text = [string](Get-DdnsKey -Table $Asked -Key 'Text' -Default '')
    if ($text) { return $text.TrimStart([char]0xFEFF) }
    $arguments = @('config', 'init', '--data', $Folder)
    foreach ($name in @(Get-DdnsKey -Table $Asked -Key 'Names' -Default @())) { $arguments += '--name', [string]$name }
    foreach ($type in @(Get-DdnsKey -Table $Asked -Key 'Types' -Default @())) { $arguments += '--type', [string]$type }
    $ttl = Get-DdnsKey -Table $Asked -Key 'Ttl' -Default 0
    if ($ttl) { $arguments += '--ttl', [string]$ttl }
    $provider = [string](Get-DdnsKey -Table $Asked -Key 'Provider' -Default '')
    if ($provider) { $arguments += '--provider', $provider }
    $set = Get-DdnsKey -Table $Asked -Key 'Set' -Default @{}
    foreach ($key in @($set.Keys | Sort-Object)) { $arguments += '--set', ('{0}={1}' -f $key, $set[$key]) }
    $made = Invoke-DdnsClient -Run $Run -Version $Version -NoData -Argument $arguments
    if ($made.Code -ne 0) {
        throw (New-DdnsFault -Code 'SettingsInvalid' -Message "the client can not write these settings: $(Get-DdnsSaid -Ended $made)" -Advice 'Correct -Name, -Provider or -ProviderSetting.')
    }
    $file = Join-DdnsPath -Part $Folder, 'ddns.toml'
    $text = [System.IO.File]::ReadAllText($file)
    [System.IO.File]::Delete($file)
    $text
}

function Set-DdnsSecrets {
    # Hands every secret to the client. A secret that is asked for by the id '*' goes to the only reference of the settings.
    param([hashtable]$Run, [string]$Version)
    $secrets = Get-DdnsKey -Table $Run.Request -Key 'Secrets' -Default @{}
    if ($secrets.Count -eq 0) { return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'no secret was given') }
    $ids = @()
    foreach ($id in @($secrets.Keys | Sort-Object)) {
        $name = [string]$id
        if ($name -eq '*') { $name = Get-DdnsOnlySecret -Run $Run }
        $ids += $name
        if ($Run.WhatIf) { continue }
        $ended = Invoke-DdnsClient -Run $Run -Version $Version -Argument 'secret', 'set', $name -Secret $secrets[$id]
        if ($ended.Code -ne 0) {
            throw (New-DdnsFault -Code 'SecretRefused' -Message "the client does not take the secret ${name}: $(Get-DdnsSaid -Ended $ended)" -Advice 'Give one line of text, without spaces around it.')
        }
    }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail ('store ' + ($ids -join ', '))) }
    New-DdnsStepEnd -Outcome 'Done' -Detail ($ids -join ', ')
}

function Get-DdnsOnlySecret {
    # The id behind the one file: or dpapi: reference of the settings.
    param([hashtable]$Run)
    $text = ''
    if ([System.IO.File]::Exists($Run.Places.ConfigFile)) { $text = [System.IO.File]::ReadAllText($Run.Places.ConfigFile) }
    $found = @([regex]::Matches($text, '(?m)^\s*[A-Za-z_]+\s*=\s*"(?:file|dpapi):([A-Za-z0-9_][A-Za-z0-9._-]*)"') | ForEach-Object { $_.Groups[1].Value } | Sort-Object -Unique)
    if ($found.Count -ne 1) {
        throw (New-DdnsFault -Code 'SecretRefused' -Message "the settings refer to $($found.Count) secrets, so it is not clear which one is meant" -Advice (
                'Name each: -Secret @{ ID = $secureString }.'))
    }
    $found[0]
}

function Set-DdnsEnrolment {
    # Redeems an enrolment code, once: a machine that has an identity for that gateway keeps it.
    param([hashtable]$Run, [string]$Version)
    $asked = Get-DdnsKey -Table $Run.Request -Key 'Enrolment'
    if ($null -eq $asked) { return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'no gateway was named') }
    $url = [string](Get-DdnsKey -Table $asked -Key 'Url')
    $file = $Run.Places.ConfigFile
    $old = ''
    if ([System.IO.File]::Exists($file)) { $old = [System.IO.File]::ReadAllText($file) }
    if ($old -match '(?m)^\s*kind\s*=\s*"gateway"' -and $old.Contains($url)) {
        return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail "enrolled at $url before")
    }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail "enrol at $url") }
    $arguments = @('enroll', $url, '--json')
    $authority = [string](Get-DdnsKey -Table $asked -Key 'CaText' -Default '')
    if ($authority) {
        $ca = Join-DdnsPath -Part $Run.Places.Config, 'gateway-ca.pem'
        Write-DdnsFile -Path $ca -Text $authority
        $arguments += '--ca-file', $ca
    }
    $ended = Invoke-DdnsClient -Run $Run -Version $Version -Argument $arguments -Secret (Get-DdnsKey -Table $asked -Key 'Code')
    if ($ended.Code -ne 0) {
        $code = 'EnrolmentFailed'
        if ($ended.Code -eq 13) { $code = 'GatewayUnreachable' }
        throw (New-DdnsFault -Code $code -Message "the gateway $url does not enrol this machine: $(Get-DdnsSaid -Ended $ended)" -Advice (
                'Mint a new code (ddns gateway code HOST), and check the URL and the CA. The same code may be used again after a lost answer.'))
    }
    $told = (ConvertFrom-Json -InputObject $ended.Out).data
    $text = $old
    if ($text -eq '') { $text = "schema = 1`n" }
    Write-DdnsFile -Path $file -Text ($text.TrimEnd() + "`n`n" + [string]$told.settings + "`n")
    $Run.OldSettings = $old
    Add-DdnsUndo -Run $Run -Name 'Settings' -Body { param($Run) Restore-DdnsSettings -Run $Run }
    New-DdnsStepEnd -Outcome 'Done' -Detail ('{0} at {1}: {2}' -f $told.label, $told.gateway, (@($told.names) -join ', '))
}
