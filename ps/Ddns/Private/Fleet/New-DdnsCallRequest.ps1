# One request for many machines: what is the same for all, and what each has of its own.

function Resolve-DdnsFleetHash {
    # The package of a deployment of several machines: read here, once, and compared with what was vouched for before the first
    # machine is asked. Each machine compares its own copy again.
    [CmdletBinding()]
    [OutputType([string])]
    param([hashtable] $Request)
    $path = "$($Request['Package'])"
    if (-not $path) {
        return ''
    }
    if (-not [IO.File]::Exists($path)) {
        throw [InvalidOperationException]::new("There is no package $path.")
    }
    $hash = Get-DdnsHash -Path $path
    $said = "$($Request['Sha256'])".Trim()
    if ($said -and $said -ne $hash) {
        throw [InvalidOperationException]::new("$path is not the release that was vouched for: its SHA-256 is $hash. Fetch it again from the release page.")
    }
    if (-not $said -and -not $Request['Publisher']) {
        throw [InvalidOperationException]::new("Nobody vouches for $path. Give its SHA-256 from the release page with -Sha256, or -Publisher.")
    }
    $hash
}

function Get-DdnsCallRequest {
    <#
    .SYNOPSIS
        Name of each machine of a call -> its own request: names and settings filled in, its own enrolment code.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)]
        [hashtable] $Call,

        [Parameter(Mandatory)]
        [hashtable] $Request
    )
    $names = @(if ($Request['Settings']) { $Request['Settings']['Names'] | Where-Object { $_ } })
    if ($Call.Target.Count -gt 1 -and $names.Count -and -not ("$names").Contains('{computer}')) {
        throw [InvalidOperationException]::new("$($Call.Target.Count) machines can't all have the name $($names -join ', '). Write {computer} where the computer's name belongs: {computer}.dyn.example.com.")
    }
    if ("$($Request['Mode'])" -eq 'RunKey') {
        throw [InvalidOperationException]::new('-Mode RunKey is for the user who calls, on the machine where that is. Leave it out for other machines.')
    }
    $found = @{}
    foreach ($target in $Call.Target) {
        $own = $Request.Clone()
        $own['Schema'] = 1
        $own['Settings'] = Expand-DdnsOwnSetting -Settings $Request['Settings'] -Target $target
        $own['Enrolment'] = Select-DdnsEnrolment -Enrolment $Request['Enrolment'] -Target $target -Count $Call.Target.Count
        $found[$target.Name] = $own
    }
    $found
}

function Expand-DdnsOwnSetting {
    # Settings of a request with {computer}, {group} and {ring} filled in; the client sees to whether they are right.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [AllowNull()]
        [hashtable] $Settings,
        [object] $Target
    )
    if ($null -eq $Settings) {
        return
    }
    $own = $Settings.Clone()
    if ($own['Text']) {
        $own['Text'] = Expand-DdnsTemplate -Template $own['Text'] -Target $Target
    }
    if ($own['Names']) {
        $own['Names'] = @($own['Names'] | ForEach-Object { Expand-DdnsTemplate -Template $_ -Target $Target })
    }
    $own
}

function Select-DdnsEnrolment {
    # A gateway's code is of one machine: out of a table it is the one under the machine's name, in full or without domain.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [AllowNull()]
        [hashtable] $Enrolment,
        [object] $Target,
        [int] $Count
    )
    if ($null -eq $Enrolment) {
        return
    }
    $own = $Enrolment.Clone()
    $code = $own['Code']
    if ($code -is [System.Collections.IDictionary]) {
        $name = if ($Target.Transport -eq 'Local') { Get-DdnsOwnName } else { $Target.Name }
        $short = $name.Split('.')[0]
        $key = @($code.Keys | Where-Object { $_ -eq $name }) + @($code.Keys | Where-Object { $_ -eq $short }) | Select-Object -First 1
        $own.Remove('Code')
        if ($key) {
            $own['Code'] = ConvertTo-DdnsSecureString -Value $code[$key]
        }
    } elseif ($null -ne $code -and $Count -gt 1) {
        throw [InvalidOperationException]::new('An enrolment code is of one machine. For several give a table: -EnrolmentCode @{ pc1 = $code1; pc2 = $code2 }.')
    }
    $own
}
