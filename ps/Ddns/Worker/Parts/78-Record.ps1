# What this machine has outside: its records in DNS and its key at the gateway. Taken back by the client, which alone knows what is
# its own; what could not be reached is kept as a tombstone, with all that a later call needs.

function Get-DdnsTombstone {
    # What an earlier call could not take back; $null when there is nothing.
    param([hashtable]$Run)
    try { ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($Run.Places.Tombstone)) }
    catch { $null }
}

function Remove-DdnsOwnRecord {
    # Removes the records and gives the key back. Raises, with a tombstone, when something is left that a later call can do.
    param([hashtable]$Run)
    if (-not [System.IO.File]::Exists($Run.Places.ConfigFile) -and -not [System.IO.File]::Exists((Join-DdnsPath -Part $Run.Places.State, 'state.db'))) {
        return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'it never published anything')
    }
    if (-not $Run.Version) {
        throw (New-DdnsFault -Code 'RecordLeft' -Message "the program is gone, so the record can't be taken back from here" -Advice (
                'Deploy again and uninstall with -RemoveRecord; or at the gateway: ddns gateway retire HOST.'))
    }
    $arguments = @('remove', '--all', '--revoke', '--json', $(if ($Run.WhatIf) { '--dry-run' } else { '--yes' }))
    # Before it begins: a removal that is cut off has retired the machine, and the next call must know.
    if (-not $Run.WhatIf) { Save-DdnsTombstone -Run $Run -Records @() -Gateways @() }
    $ended = Invoke-DdnsClient -Run $Run -Version $Run.Version -Argument $arguments -Seconds 300
    $told = $null
    try { $told = (ConvertFrom-Json -InputObject $ended.Out).data }
    catch { Write-Verbose -Message 'ddns: remove told nothing' }
    $records = @(Get-DdnsKey -Table $told -Key 'records' -Default @())
    $gateways = @(Get-DdnsKey -Table $told -Key 'gateways' -Default @())
    if ($Run.WhatIf) {
        if ($null -eq $told) { return (New-DdnsStepEnd -Outcome 'Warning' -Detail (Get-DdnsSaid -Ended $ended)) }
        return (New-DdnsRecordPlan -Records $records -Gateways $gateways)
    }
    # What somebody else changed is not ours any more, and stays.
    $left = @($records | Where-Object { @('removed', 'proven', 'accepted', 'contended') -notcontains $_.outcome })
    $kept = @($gateways | Where-Object { @('revoked', 'absent') -notcontains $_.state })
    if ($null -eq $told -or $left.Count + $kept.Count -gt 0) {
        Save-DdnsTombstone -Run $Run -Records $left -Gateways $kept
        throw (New-DdnsRecordFault -Ended $ended -Left $left -Kept $kept)
    }
    Complete-DdnsRecord -Run $Run -Gateways $gateways
    $foreign = @($records | Where-Object { $_.outcome -eq 'contended' } | ForEach-Object { '{0} {1}' -f $_.name, $_.type })
    if ($foreign.Count -gt 0) { return (New-DdnsStepEnd -Outcome 'Warning' -Detail "left, because somebody else changed them: $($foreign -join ', ')") }
    New-DdnsStepEnd -Outcome 'Done' -Detail (@($records | ForEach-Object { '{0} {1}' -f $_.name, $_.type }) -join ', ')
}

function New-DdnsRecordPlan {
    # What the client's dry run comes to: what would go, and what of the rest a person may wonder about.
    param([object[]]$Records, [object[]]$Gateways)
    $all = @($Records | ForEach-Object { [pscustomobject]@{ What = '{0} {1}' -f $_.name, $_.type; State = $_.outcome; Goes = $_.outcome -eq 'would be removed' } })
    $all += @($Gateways | Where-Object { $_.state -ne 'absent' } | ForEach-Object {
            [pscustomobject]@{ What = "the key at $($_.url)"; State = $_.state; Goes = $_.state -eq 'enrolled' }
        })
    $goes = @($all | Where-Object { $_.Goes } | ForEach-Object { $_.What })
    $rest = @($all | Where-Object { -not $_.Goes })
    $parts = @(if ($goes.Count -gt 0) { 'remove ' + ($goes -join ', ') })
    $parts += @($rest | ForEach-Object { "$($_.What): $($_.State)" })
    $outcome = 'Unchanged'
    if ($goes.Count -gt 0) { $outcome = 'WouldDo' }
    elseif (@($rest | Where-Object { @('would stay', 'is gone') -notcontains $_.State }).Count -gt 0) { $outcome = 'Warning' }
    New-DdnsStepEnd -Outcome $outcome -Detail ($parts -join '; ')
}

function Complete-DdnsRecord {
    # Nothing is left outside. Settings that refer to a key that is revoked are of no use, and would be in the way of another enrolment.
    param([hashtable]$Run, [object[]]$Gateways)
    $Run.Changed = $true
    $Run.Tombstone = $null
    if ([System.IO.File]::Exists($Run.Places.Tombstone)) { Remove-DdnsItem -Path $Run.Places.Tombstone }
    $file = $Run.Places.ConfigFile
    if (@($Gateways | Where-Object { $_.state -eq 'revoked' }).Count -gt 0 -and [System.IO.File]::Exists($file)) {
        Move-DdnsFile -From $file -To "$file.before"
    }
}

function Save-DdnsTombstone {
    # Names, gateways and ids; no secret. The key itself stays where it is.
    param([hashtable]$Run, [object[]]$Records, [object[]]$Gateways)
    $old = Get-DdnsTombstone -Run $Run
    $names = @($Records | ForEach-Object { '{0} {1}' -f $_.name, $_.type })
    if ($names.Count -eq 0) { $names = @(Get-DdnsKey -Table $old -Key 'Records' -Default @()) }
    $Run.Tombstone = [pscustomobject]@{
        Schema = 1
        Computer = [System.Environment]::MachineName
        Records = $names
        Gateways = @($Gateways | ForEach-Object { [pscustomobject]@{ Url = [string]$_.url; Host = [string]$_.host } })
        Since = Get-DdnsKey -Table $old -Key 'Since' -Default (ConvertTo-DdnsTime -Time $Run.StartedAt)
    }
    Write-DdnsFile -Path $Run.Places.Tombstone -Text (ConvertTo-Json -InputObject $Run.Tombstone -Depth 4)
}

function New-DdnsRecordFault {
    # Why records or key are still there. Only what the network kept from us is worth the same call later without a person.
    param([hashtable]$Ended, [object[]]$Left, [object[]]$Kept)
    $errors = @(@($Left) + @($Kept) | Where-Object { $null -ne $_ -and $null -ne $_.error } | ForEach-Object { $_.error })
    $said = $(if ($errors.Count -gt 0) { $errors[0].message } else { Get-DdnsSaid -Ended $Ended })
    $what = @(@($Left | ForEach-Object { '{0} {1}' -f $_.name, $_.type }) + @($Kept | ForEach-Object { "the key at $($_.url)" }))
    $message = "not taken back: $(if ($what.Count -gt 0) { $what -join ', ' } else { 'records and key' }): $said"
    switch ($Ended.Code) {
        2 { return (New-DdnsFault -Code 'NotYet' -Message $message -Advice 'This version of the client can not do it: deploy the present one first.') }
        13 {
            return (New-DdnsFault -Code 'GatewayUnreachable' -Message $message -Advice (
                    'Nothing runs any more; program, settings and key stay until it is done. Run the same command again when the other side answers.'))
        }
        14 { return (New-DdnsFault -Code 'Busy' -Message $message -Advice 'A run is at work. Try again.') }
    }
    $advice = $(if ($errors.Count -gt 0 -and $errors[0].advice) { "$($errors[0].advice) " } else { '' })
    New-DdnsFault -Code 'RecordLeft' -Message $message -Advice "${advice}Then run the same command again; or leave -RemoveRecord out, and the record stands."
}

function Resume-DdnsClient {
    # A machine that took its records back is retired: its runs do nothing until this. Done only where data of an earlier installation
    # are, or a removal was begun.
    param([hashtable]$Run)
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail 'publish again') }
    $ended = Invoke-DdnsClient -Run $Run -Version $Run.Version -Argument 'resume'
    if ($ended.Code -ne 0) { return (New-DdnsStepEnd -Outcome 'Warning' -Detail (Get-DdnsSaid -Ended $ended)) }
    if ([System.IO.File]::Exists($Run.Places.Tombstone)) { Remove-DdnsItem -Path $Run.Places.Tombstone }
    New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'it publishes again'
}

function Test-DdnsRetired {
    # Whether the data may be of a machine that was taken out of DNS. Its mark, the file `retired`, outlives the state.
    param([hashtable]$Run)
    if ([System.IO.File]::Exists($Run.Places.Tombstone)) { return $true }
    if ($Run.PreviousVersion) { return $false }
    foreach ($name in 'state.db', 'retired') {
        if ([System.IO.File]::Exists((Join-DdnsPath -Part $Run.Places.State, $name))) { return $true }
    }
    $false
}
