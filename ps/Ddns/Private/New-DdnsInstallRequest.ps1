function New-DdnsInstallRequest {
    # The worker's request, from the parameters of Install-Ddns that were given. What was not given is not in it, so that it stays.
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '', Justification = 'A value in memory.')]
    [OutputType([hashtable])]
    param([Parameter(Mandatory)][System.Collections.IDictionary]$Bound)
    $get = { param($key, $default) if ($Bound.ContainsKey($key)) { $Bound[$key] } else { $default } }
    $package = Resolve-DdnsPackage -Package (& $get 'Package' '') -Sha256 (& $get 'Sha256' '') -Publisher (& $get 'Publisher' '')
    $request = @{
        Operation = 'Install'
        Package = $package.Package
        Sha256 = $package.Sha256
        Publisher = [string](& $get 'Publisher' '')
        Version = [string](& $get 'Version' '')
        AllowDowngrade = [bool](& $get 'AllowDowngrade' $false)
        AdoptMsi = [bool](& $get 'AdoptMsi' $false)
        Force = [bool](& $get 'Force' $false)
        StartNow = -not [bool](& $get 'NoStart' $false)
        WaitSeconds = [int](& $get 'WaitSeconds' 120)
        Task = Get-DdnsTaskRequest -Bound $Bound
        Settings = Get-DdnsSettingsRequest -Bound $Bound
        Secrets = ConvertTo-DdnsSecretTable -Secret (& $get 'Secret' $null) -SecretName (& $get 'SecretName' '') -Vault (& $get 'Vault' '')
        Enrolment = Get-DdnsEnrolmentRequest -Bound $Bound
    }
    if ($Bound.ContainsKey('Mode')) { $request.Mode = [string]$Bound['Mode'] }
    $request
}

function Get-DdnsTaskRequest {
    [OutputType([hashtable])]
    param([System.Collections.IDictionary]$Bound)
    $task = @{}
    if ($Bound.ContainsKey('Interval')) { $task.IntervalMinutes = ConvertTo-DdnsInterval -Interval $Bound['Interval'] }
    if ($Bound.ContainsKey('Account')) { $task.Account = [string]$Bound['Account'] }
    if ($Bound.ContainsKey('TaskCredential')) {
        $task.Credential = $Bound['TaskCredential']
        $task.Account = $task.Credential.UserName
    }
    if ($Bound.ContainsKey('RunLevel')) { $task.RunLevel = [string]$Bound['RunLevel'] }
    if ($Bound.ContainsKey('NoBootTrigger')) { $task.BootTrigger = -not [bool]$Bound['NoBootTrigger'] }
    if ($Bound.ContainsKey('NoNetworkTrigger')) { $task.NetworkTrigger = -not [bool]$Bound['NoNetworkTrigger'] }
    if ($Bound.ContainsKey('NoResumeTrigger')) { $task.ResumeTrigger = -not [bool]$Bound['NoResumeTrigger'] }
    if ($Bound.ContainsKey('AtLogon')) { $task.LogonTrigger = [bool]$Bound['AtLogon'] }
    if ($Bound.ContainsKey('StartDelay')) {
        if ([string]$Bound['StartDelay'] -notmatch '^(\d{1,4})\s*(s|m)$') { throw "`"$($Bound['StartDelay'])`" is no delay: write 30s or 5m." }
        $task.DelaySeconds = [int]$Matches[1] * $(if ($Matches[2] -eq 'm') { 60 } else { 1 })
    }
    $task
}

function Get-DdnsSettingsRequest {
    [OutputType([hashtable])]
    param([System.Collections.IDictionary]$Bound)
    if ($Bound.ContainsKey('ConfigPath')) {
        if ($Bound.ContainsKey('Name') -or $Bound.ContainsKey('Provider')) { throw 'Give -ConfigPath, or -Name and -Provider, not both.' }
        $path = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath([string]$Bound['ConfigPath'])
        if (-not [System.IO.File]::Exists($path)) { throw "There is no settings file $path." }
        return @{ Text = [System.IO.File]::ReadAllText($path) }
    }
    if (-not $Bound.ContainsKey('Name')) {
        if ($Bound.ContainsKey('Provider')) { throw 'To -Provider belongs -Name: the full name to keep, such as home.example.com.' }
        return
    }
    if ($Bound.ContainsKey('Gateway')) { throw 'With -Gateway the names come from the gateway: leave -Name out.' }
    if (-not $Bound.ContainsKey('Provider')) { throw 'To -Name belongs -Provider, such as cloudflare; or -Gateway with -EnrolmentCode.' }
    $settings = @{ Names = @($Bound['Name']); Provider = [string]$Bound['Provider'] }
    if ($Bound.ContainsKey('Type')) { $settings.Types = @($Bound['Type']) }
    if ($Bound.ContainsKey('Ttl')) { $settings.Ttl = [int]$Bound['Ttl'] }
    if ($Bound.ContainsKey('ProviderSetting')) { $settings.Set = $Bound['ProviderSetting'] }
    $settings
}

function Get-DdnsEnrolmentRequest {
    [OutputType([hashtable])]
    param([System.Collections.IDictionary]$Bound)
    if (-not $Bound.ContainsKey('Gateway')) {
        if ($Bound.ContainsKey('EnrolmentCode')) { throw 'To -EnrolmentCode belongs -Gateway, the URL.' }
        return
    }
    if ([string]$Bound['Gateway'] -notmatch '^https://[^\s/@]+') { throw "-Gateway is a URL that begins with https://, not `"$($Bound['Gateway'])`"." }
    $enrolment = @{ Url = [string]$Bound['Gateway']; CaText = '' }
    if ($Bound.ContainsKey('EnrolmentCode')) {
        $code = $Bound['EnrolmentCode']
        $enrolment.Code = $(if ($code -is [System.Collections.IDictionary]) { $code } else { ConvertTo-DdnsSecureString -Value $code })
    }
    if ($Bound.ContainsKey('GatewayCa')) {
        $path = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath([string]$Bound['GatewayCa'])
        $enrolment.CaText = [System.IO.File]::ReadAllText($path)
    }
    $enrolment
}
