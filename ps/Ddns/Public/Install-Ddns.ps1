function Install-Ddns {
    <#
    .SYNOPSIS
        Deploys ddns, here or on other machines: program, settings, secret, and what starts it. Safe to run every day.

    .DESCRIPTION
        Looks first, and acts only on what differs: a second call with the same arguments changes nothing. The release zip
        is copied to a folder that only administrators may write, checked there, and run from there. A new version is first
        tried, under the account that it will run as, writing nothing; one that fails is taken back, and so is everything
        else that this call did. A call that was interrupted is finished by the next one.

        What is not asked for stays as the last deployment set it; at the first, the task runs every 10 minutes, 60 s after
        boot, when a network comes, and when the machine wakes up, as LOCAL SERVICE, on battery too, whether or not a user
        is logged on.

        Returns one object. Its Outcome is Installed, Updated, Unchanged, RolledBack, WhatIf or Failed; Steps tells what was
        done; Error has a code, a message and advice, and is written as an error, too.

        With -ComputerName, -Session or machines from the pipeline, each machine has exactly one such object, Unreachable
        included. The package is sent only where it is missing. A call that was cut off, or that could not reach some, is
        made again as it was: it does only what is left (FromJournal tells what was done before). Drift tells, with -WhatIf,
        what differs from what was deployed.

    .PARAMETER Name
        The full name to keep at this machine's address, such as home.example.com. Several are allowed. {computer} in it is
        the machine's own name: {computer}.dyn.example.com.

    .PARAMETER Provider
        The kind of DNS provider, such as cloudflare; see docs/guides/providers.md.

    .PARAMETER Type
        The record types to keep: A, AAAA.

    .PARAMETER Ttl
        Seconds that resolvers may keep the answer.

    .PARAMETER ProviderSetting
        Further keys of the provider: @{ server = '192.0.2.53'; key_name = 'ddns-key' }. Never a secret.

    .PARAMETER ConfigPath
        A settings file (TOML) to use instead of -Name and -Provider; {computer} in it, too.

    .PARAMETER Secret
        The provider's token: a SecureString, or a PSCredential whose password it is; for several, a table id -> SecureString.
        Plain text is refused.

    .PARAMETER SecretName
        The name of the token in a vault of Microsoft.PowerShell.SecretManagement.

    .PARAMETER Vault
        That vault; the default one when not given.

    .PARAMETER Gateway
        The URL of the fleet's gateway. With it no provider's token is on this machine.

    .PARAMETER EnrolmentCode
        The gateway's one-time code for this machine, as a SecureString; for several machines a table, name -> code.

    .PARAMETER GatewayCa
        A PEM file with the CA of the gateway's certificate, when Windows does not trust it.

    .PARAMETER Package
        The release zip. Without it the version that is installed stays.

    .PARAMETER Sha256
        The zip's SHA-256, from the release page. Not needed for a release that is signed by -Publisher.

    .PARAMETER Publisher
        The subject of the certificate that must have signed the release.

    .PARAMETER Version
        The version that the package must hold.

    .PARAMETER Mode
        What starts the client. Task: the scheduled task (default). LogonTask: the task at each logon, after -StartDelay, and repeated.
        Service: a Windows service that stays resident. RunKey: for one user, without an administrator's rights, from the
        next logon on; program and data lie in the user's profile.

    .PARAMETER Interval
        How often, such as 10m or 1h; at least one minute for a task.

    .PARAMETER Account
        LocalService (default), NetworkService, System, a group managed service account (DOMAIN\name$), or a user.

    .PARAMETER TaskCredential
        The user whose account the task runs as, with the password that the task scheduler keeps.

    .PARAMETER RunLevel
        LeastPrivilege (default) or Highest. Without effect for service accounts, whose rights are fixed.

    .PARAMETER NoBootTrigger
        Do not run after boot.

    .PARAMETER NoNetworkTrigger
        Do not run when a network comes.

    .PARAMETER NoResumeTrigger
        Do not run when the machine wakes up.

    .PARAMETER AtLogon
        Also run when a user logs on.

    .PARAMETER StartDelay
        How long after boot or logon, such as 60s.

    .PARAMETER NoStart
        Do not run once at the end.

    .PARAMETER WaitSeconds
        How long to wait for the trial and for the first run.

    .PARAMETER AllowDowngrade
        Put an older version in place.

    .PARAMETER AdoptMsi
        Take over a machine that has the MSI: it is uninstalled when this version has taken its place.

    .PARAMETER Force
        Change back a task that a person changed.

    .PARAMETER ComputerName
        The machines: names (also user@host:port), computer objects of Active Directory, rows of a CSV with ComputerName,
        lines of a text file; from the pipeline, too. Without machines and sessions: this one.

    .PARAMETER Session
        Open sessions of any kind: Windows Remote Management, SSH, PowerShell Direct.

    .PARAMETER Credential
        An administrator of the machines, for Windows Remote Management.

    .PARAMETER Transport
        WinRM or SSH.

    .PARAMETER UserName
        SSH: the account there.

    .PARAMETER KeyFilePath
        SSH: the private key.

    .PARAMETER SshOption
        SSH: further options of ssh, such as @{ UserKnownHostsFile = 'C:\fleet\known_hosts' }.

    .PARAMETER Port
        Another port than the usual one.

    .PARAMETER UseSSL
        Windows Remote Management over HTTPS.

    .PARAMETER SkipNameCheck
        Do not check that a machine calls itself what it was asked for as.

    .PARAMETER ThrottleLimit
        How many machines at once.

    .PARAMETER TimeoutSeconds
        How long one attempt on one machine may take.

    .PARAMETER Retry
        How often a machine is tried again when the network or another deployment was in the way.

    .PARAMETER JournalPath
        The file that remembers which machines are done. Default: one for each kind of call, in the local application
        data of the user. The same call, made again, does only what is left.

    .PARAMETER Fresh
        Begin anew: visit also the machines that an unfinished call has done.

    .PARAMETER ReportPath
        Also write a row for each machine to this file: .csv, .json or .html.

    .EXAMPLE
        Install-Ddns -Name home.example.com -Provider cloudflare -Secret (Read-Host -AsSecureString) -Package .\ddns.zip -Sha256 $hash

        One machine with a token of its own.

    .EXAMPLE
        Install-Ddns -Gateway https://ddns.example.com -EnrolmentCode (Read-Host -AsSecureString) -Package .\ddns.zip -Sha256 $hash

        One machine of a fleet: no token, the gateway holds it.

    .EXAMPLE
        Install-Ddns -Interval 5m -WhatIf

        What would change if the installed client ran every five minutes.

    .EXAMPLE
        $fleet = @{ ComputerName = (Get-Content .\machines.txt); Credential = (Get-Credential) }
        Install-Ddns @fleet -Name '{computer}.dyn.example.com' -Provider cloudflare -Secret $token -Package .\ddns.zip -Sha256 $hash

        Many machines, by Windows Remote Management.

    .EXAMPLE
        Get-ADComputer -Filter 'Name -like "pc*"' | Install-Ddns -Package .\ddns.zip -Sha256 $hash -WhatIf

        What another version would change on the machines of the directory.

    .EXAMPLE
        Install-Ddns -Session $session -Gateway https://ddns.example.com -EnrolmentCode @{ pc1 = $code1; pc2 = $code2 } -Package .\ddns.zip -Sha256 $hash

        Over open sessions, with a code for each machine.

    .OUTPUTS
        Ddns.Result
    #>
    [CmdletBinding(PositionalBinding = $false, SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('Ddns.Result')]
    param(
        [string[]]$Name,
        [ArgumentCompleter({
                $word = $args[2]
                'alidns', 'cloudflare', 'desec', 'digitalocean', 'dnspod', 'dyndns2', 'gateway', 'godaddy', 'huaweicloud', 'lexicon',
                'porkbun', 'powerdns', 'rfc2136', 'route53', 'tencentcloud', 'webhook' |
                    Where-Object { $_ -like "$word*" }
            })]
        [string]$Provider,
        [ValidateSet('A', 'AAAA', 'CNAME', 'TXT')][string[]]$Type,
        [ValidateRange(1, 604800)][int]$Ttl,
        [hashtable]$ProviderSetting = @{},
        [string]$ConfigPath,
        [Alias('Token')][object]$Secret,
        [string]$SecretName,
        [string]$Vault,
        [string]$Gateway,
        [object]$EnrolmentCode,
        [string]$GatewayCa,
        [string]$Package,
        [string]$Sha256,
        [string]$Publisher,
        [string]$Version,
        [ValidateSet('Task', 'LogonTask', 'Service', 'RunKey')][string]$Mode,
        [string]$Interval,
        [ArgumentCompleter({ $word = $args[2]; 'LocalService', 'NetworkService', 'System' | Where-Object { $_ -like "$word*" } })]
        [string]$Account,
        [pscredential]$TaskCredential,
        [ValidateSet('LeastPrivilege', 'Highest')][string]$RunLevel,
        [switch]$NoBootTrigger,
        [switch]$NoNetworkTrigger,
        [switch]$NoResumeTrigger,
        [switch]$AtLogon,
        [string]$StartDelay,
        [switch]$NoStart,
        [ValidateRange(1, 3600)][int]$WaitSeconds = 120,
        [switch]$AllowDowngrade,
        [switch]$AdoptMsi,
        [switch]$Force,
        [Parameter(ValueFromPipeline)]
        [Alias('CN', 'InputObject')]
        [AllowNull()]
        [object[]]$ComputerName,
        [System.Management.Automation.Runspaces.PSSession[]]$Session,
        [pscredential]$Credential,
        [ValidateSet('WinRM', 'SSH')][string]$Transport = 'WinRM',
        [string]$UserName,
        [string]$KeyFilePath,
        [hashtable]$SshOption,
        [ValidateRange(1, 65535)][int]$Port,
        [switch]$UseSSL,
        [switch]$SkipNameCheck,
        [ValidateRange(1, 512)][int]$ThrottleLimit = 32,
        [ValidateRange(1, 86400)][int]$TimeoutSeconds = 900,
        [ValidateRange(0, 10)][int]$Retry = 2,
        [string]$JournalPath,
        [switch]$Fresh,
        [string]$ReportPath
    )
    begin {
        $given = New-Object -TypeName 'System.Collections.Generic.List[object]'
    }
    process {
        foreach ($item in $ComputerName) { $given.Add($item) }
    }
    end {
        $call = Resolve-DdnsCall -Bound $PSBoundParameters -Given $given.ToArray() -Piped $MyInvocation.ExpectingInput
        $request = New-DdnsInstallRequest -Bound $PSBoundParameters
        $work = @{ Call = $call; Activity = 'Deploy' }
        if ($call.Here) {
            $own = New-DdnsTarget -Row @{ Name = '.' }
            $request.Settings = Expand-DdnsOwnSetting -Settings $request.Settings -Target $own
            $request.Enrolment = Select-DdnsEnrolment -Enrolment $request.Enrolment -Target $own -Count 1
        } else {
            $request.Sha256 = Resolve-DdnsFleetHash -Request $request
            $work.PackagePath = $request.Package
            $request.Package = ''
            $work.RequestFor = Get-DdnsCallRequest -Call $call -Request $request
        }
        if (-not (Confirm-DdnsCall -Call $call -Cmdlet $PSCmdlet -Action 'Deploy ddns')) { return }
        $results = New-Object -TypeName 'System.Collections.Generic.List[object]'
        Invoke-DdnsTarget -Request $request @work -Resumable | ForEach-Object {
            $results.Add($_)
            $_
            Write-DdnsFailure -Cmdlet $PSCmdlet -Result $_
        }
        if ($ReportPath) {
            Export-DdnsReport -InputObject @($results | ConvertTo-DdnsFleetResult) -Path $ReportPath -Title 'Deployment'
        }
    }
}
