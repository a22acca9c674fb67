# Result codes in words. Numbers are decimal: 0x80070002 as a literal is a negative Int32 in Windows PowerShell.

function Get-DdnsCodeTable {
    # Code -> severity | meaning | advice. Codes of the client first, then those of the task scheduler and of Windows.
    @{
        '0' = 'Ok|finished, and every record is right|'
        '1' = 'Error|the program was cut off, or it crashed|Run it by hand: ddns run --full'
        '2' = 'Error|the command line asks for what can not be done, or a file was not found|Deploy again.'
        '10' = 'Error|the settings are wrong|See every problem with its line: ddns config validate'
        '11' = 'Warning|the public address is not known|See what each source answers: ddns detect'
        '12' = 'Error|a provider refuses, or a record has another owner|Act on what ddns status says, then: ddns run --now'
        '13' = 'Warning|a provider can not be reached, or asks to wait|Nothing, unless it lasts.'
        '14' = 'Ok|another run was at work|'
        '15' = 'Error|the state can not be written, or a newer version wrote it|Deploy again: that sets the rights of the folders.'
        '20' = 'Warning|the status shows something wrong|Do what ddns status says.'
        '130' = 'Warning|interrupted|'
        '267008' = 'Ok|ready|'
        '267009' = 'Ok|running|Older than ten minutes: it hangs; stop it and look at the log.'
        '267010' = 'Warning|the task is disabled|Find out who disabled it, then enable it or deploy with -Force.'
        '267011' = 'Warning|never run|Normal just after deployment; else look at triggers, battery saver, and power.'
        '267012' = 'Error|there are no more runs|The repetition has ended: deploy again.'
        '267013' = 'Error|not scheduled: a trigger is missing|The definition was changed: deploy with -Force.'
        '267014' = 'Error|ended by a user or by the time limit|See the log for where it hung.'
        '267015' = 'Error|no trigger is valid|The definition was changed: deploy with -Force.'
        '267035' = 'Warning|registered, but some triggers do not work|Check that the event channels are enabled.'
        '267036' = 'Error|the account may not log on as a batch job|Grant it "Log on as a batch job", or choose another account.'
        '267045' = 'Ok|queued|'
        '2147750671' = 'Error|the account of the task is missing|Deploy again with an account that exists.'
        '2147750672' = 'Error|the account was not found|Deploy again with an account that exists.'
        '2147750676' = 'Error|account and options do not fit|Deploy again.'
        '2147750677' = 'Error|the task scheduler is stopped|Start the service Schedule.'
        '2147750678' = 'Error|the definition has a part that is not allowed there|Report it; it is a fault of this version.'
        '2147750680' = 'Error|the definition has a value that is out of range|Report it; it is a fault of this version.'
        '2147750681' = 'Error|the definition lacks a part|Report it; it is a fault of this version.'
        '2147750682' = 'Error|the definition is no valid XML|Report it; it is a fault of this version.'
        '2147750685' = 'Error|the definition has too many parts|Report it; it is a fault of this version.'
        '2147750687' = 'Ok|already running|'
        '2147750688' = 'Error|the user is not logged on|Deploy again: the task must run without a logon.'
        '2147750689' = 'Error|the definition is corrupt or was tampered with|Find out why, then deploy with -Force.'
        '2147750690' = 'Error|the task scheduler is not available|Try again later.'
        '2147750691' = 'Error|the task scheduler is busy|Try again later.'
        '2147750692' = 'Warning|a condition did not allow it to run|Look at battery, idle and network conditions.'
        '2147750694' = 'Warning|the task is disabled|Enable it, or deploy with -Force.'
        '2147750696' = 'Warning|the task may not be started on demand|The definition was changed: deploy with -Force.'
        '2147942401' = 'Error|the program ended with 1: it was cut off, or it crashed|Run it by hand: ddns run --full'
        '2147942402' = 'Error|the program is missing|Look in the quarantine of the virus scanner, then deploy again.'
        '2147942403' = 'Error|the folder of the program is missing|Deploy again.'
        '2147942405' = 'Error|access denied|Look at AppLocker or WDAC, and at the rights of the folders.'
        '2147942487' = 'Error|a parameter is wrong, often the account|Deploy again with another account.'
        '2147942593' = 'Error|not a program for this Windows|Deploy the package of the right architecture.'
        '2147942625' = 'Error|blocked as malware|Report a false positive to the vendor; check the hash of the program.'
        '2147942667' = 'Error|the working directory is wrong|Deploy again.'
        '2147943515' = 'Ok|the system was shutting down|'
        '2147943645' = 'Error|the user is not logged on|Deploy again: the task must run without a logon.'
        '2147943726' = 'Error|wrong user name or password|Deploy again with a new credential.'
        '2147943732' = 'Error|no such account|Deploy again with an account that exists.'
        '2147943785' = 'Error|the account may not log on as a batch job|Grant it "Log on as a batch job", or choose another account.'
        '2147946720' = 'Warning|the request was refused, mostly by a condition|Look at battery and network conditions.'
        '3221225477' = 'Error|the program crashed|Report it with the log.'
        '3221225781' = 'Error|a library of the program is missing|Deploy again; look in the quarantine of the virus scanner.'
        '3221225786' = 'Warning|stopped by Ctrl+C or by the end of the session|'
        '3221225794' = 'Error|a library of the program could not start|Deploy again.'
    }
}

function Get-DdnsCode {
    # Number, hexadecimal form, severity (Ok, Warning, Error), meaning and advice of a result code.
    param($Code)
    $number = [long]$Code
    if ($number -lt 0) { $number += 4294967296 }
    $found = (Get-DdnsCodeTable)[[string]$number]
    if (-not $found) { $found = 'Error|a code that is not known here|Look it up: the number is an HRESULT or an exit code.' }
    $part = $found.Split('|')
    [pscustomobject]@{
        Code = $number
        Hex = '0x{0:X}' -f $number
        Severity = $part[0]
        Meaning = $part[1]
        Advice = $part[2]
    }
}
