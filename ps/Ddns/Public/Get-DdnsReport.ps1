function Get-DdnsReport {
    <#
    .SYNOPSIS
        How the machines of a fleet do, in one table: task, last result in words, address, version, health.

    .DESCRIPTION
        Asks each machine for its task and for the status that its client wrote after the last run, and merges both into one
        row a machine; the unreachable have theirs, too. It changes nothing and disturbs no run. Rows are flat, so that
        Where-Object, Sort-Object and Export-Csv work on them.

        Health is OK, Warning, Failed, NotInstalled or Unreachable; Problem says why, and Advice what to do.

    .PARAMETER ComputerName
        The machines: names (also user@host:port), computer objects of Active Directory, rows of a CSV with ComputerName,
        lines of a text file; from the pipeline, too. Without machines and sessions: this one.

    .PARAMETER Session
        Open sessions of any kind: Windows Remote Management, SSH, PowerShell Direct.

    .PARAMETER Path
        A fleet file: all its machines.

    .PARAMETER InputObject
        Rows of an earlier call or of Get-DdnsTask, to write a report of them without asking again.

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

    .PARAMETER Watch
        Show a table that is drawn anew until Ctrl+C.

    .PARAMETER IntervalSeconds
        -Watch: how often.

    .PARAMETER Count
        -Watch: how many times; 0 is without end.

    .PARAMETER ReportPath
        Also write the rows to this file: .csv, .json, or .html, a page that needs nothing but itself.

    .EXAMPLE
        Get-DdnsReport -ComputerName (Get-Content .\machines.txt) | Where-Object Health -ne 'OK'

        What needs a look.

    .EXAMPLE
        Get-ADComputer -Filter 'Enabled -eq $true' | Get-DdnsReport -ReportPath .\fleet.html

        A page for all computers of the directory.

    .EXAMPLE
        Get-DdnsReport -Path .\fleet.psd1 -Watch

        The fleet, live.

    .EXAMPLE
        Import-Csv .\last.csv | Where-Object Health -eq 'Unreachable' | Get-DdnsReport

        Asks again those that were off.

    .OUTPUTS
        Ddns.TaskStatus
    #>
    [CmdletBinding(PositionalBinding = $false, DefaultParameterSetName = 'Name')]
    [OutputType('Ddns.TaskStatus')]
    param(
        [Parameter(ParameterSetName = 'Name', ValueFromPipeline, Position = 0)]
        [Alias('CN')]
        [AllowNull()]
        [object[]] $ComputerName,

        [Parameter(ParameterSetName = 'Name')]
        [System.Management.Automation.Runspaces.PSSession[]] $Session,

        [Parameter(Mandatory, ParameterSetName = 'Fleet')]
        [string] $Path,

        [Parameter(Mandatory, ParameterSetName = 'Rows')]
        [object[]] $InputObject,

        [pscredential] $Credential,

        [ValidateSet('WinRM', 'SSH')]
        [string] $Transport = 'WinRM',

        [string] $UserName,

        [string] $KeyFilePath,

        [hashtable] $SshOption,

        [ValidateRange(1, 65535)]
        [int] $Port,

        [switch] $UseSSL,

        [switch] $SkipNameCheck,

        [ValidateRange(1, 512)]
        [int] $ThrottleLimit = 32,

        [ValidateRange(1, 86400)]
        [int] $TimeoutSeconds = 120,

        [ValidateRange(0, 10)]
        [int] $Retry = 0,

        [switch] $Watch,

        [ValidateRange(1, 86400)]
        [int] $IntervalSeconds = 30,

        [ValidateRange(0, 1000000)]
        [int] $Count = 0,

        [string] $ReportPath
    )
    begin {
        $given = New-Object -TypeName 'System.Collections.Generic.List[object]'
    }
    process {
        foreach ($item in $ComputerName) {
            $given.Add($item)
        }
    }
    end {
        $call = Resolve-DdnsCall -Bound $PSBoundParameters -Given $given.ToArray() -Piped $MyInvocation.ExpectingInput -Question
        if ($Path) {
            $call.Here = $false
            $call.Target = @(Get-DdnsFleetTarget -Path $Path -Connection (Get-DdnsConnection -Bound $PSBoundParameters))
        }
        # Not $PSCmdlet there: where -Watch runs it, that is another command's.
        $told = $PSCmdlet.ParameterSetName -eq 'Rows'
        $ask = {
            if ($told) {
                $InputObject
            } else {
                Invoke-DdnsTarget -Request @{ Operation = 'Query' } -Call $call -Activity 'How they do' | ConvertTo-DdnsTaskStatus -Alone:$call.Here
            }
        }
        if ($Watch) {
            Watch-DdnsReport -Ask $ask -IntervalSeconds $IntervalSeconds -Count $Count -ReportPath $ReportPath
            return
        }
        $rows = New-Object -TypeName 'System.Collections.Generic.List[object]'
        & $ask | ForEach-Object {
            $rows.Add($_)
            $_
            Write-DdnsRowError -Row $_ -Cmdlet $PSCmdlet
        }
        if ($ReportPath) {
            Export-DdnsReport -InputObject $rows.ToArray() -Path $ReportPath -Title 'DDNS fleet'
        }
    }
}
