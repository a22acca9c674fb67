# What a failed connection means, and what to do. Number: the transport's error code, the same in every language of
# Windows (Windows Remote Management's own begin with 0x8033). Pattern: ssh's words, which are not translated.
@{
    Codes    = @{
        Unreachable  = @{
            Meaning = 'The machine does not answer'
            Advice  = 'Check that it is on, its name, and the firewall (TCP 5985 or 5986; SSH: 22). Run the same command again later: it does only what is left.'
            Retry   = $true
            Outcome = 'Unreachable'
        }
        NameUnknown  = @{
            Meaning = 'The name does not resolve'
            Advice  = 'Correct the name, or give an Address for it in the list of machines.'
            Retry   = $false
            Outcome = 'Unreachable'
        }
        RemotingOff  = @{
            Meaning = 'The machine is on, but remoting is not'
            Advice  = 'On the machine: Enable-PSRemoting -Force. SSH: install the PowerShell subsystem in sshd_config.'
            Retry   = $false
            Outcome = 'Unreachable'
        }
        AccessDenied = @{
            Meaning = 'Access is denied'
            Advice  = 'Use -Credential (SSH: -UserName and -KeyFilePath) of an administrator of that machine.'
            Retry   = $false
            Outcome = 'Unreachable'
        }
        Untrusted    = @{
            Meaning = 'The machine can''t prove that it is the one that was asked for'
            Advice  = 'Use its name instead of an address and a domain account, or -UseSSL. SSH: compare its host key, then add it to known_hosts.'
            Retry   = $false
            Outcome = 'Unreachable'
        }
        WrongMachine = @{
            Meaning = 'Another machine answers under this name'
            Advice  = 'Correct the DNS entry. For an alias that is meant: -SkipNameCheck.'
            Retry   = $false
            Outcome = 'Failed'
        }
        LanguageMode = @{
            Meaning = 'PowerShell on the machine is in constrained language mode'
            Advice  = 'Let the signed module through in the application control policy, or install with Intune or the MSI and query only.'
            Retry   = $false
            Outcome = 'Failed'
        }
        TimedOut     = @{
            Meaning = 'The machine did not finish in the time given; how far it came is not known'
            Advice  = 'Look at the machine, raise -TimeoutSeconds, and run the same command again: it repairs what was begun.'
            Retry   = $false
            Outcome = 'Failed'
        }
        Died         = @{
            Meaning = 'The connection ended before the result came; how far it came is not known'
            Advice  = 'Run the same command again: it repairs what was begun.'
            Retry   = $true
            Outcome = 'Failed'
        }
        NoResult     = @{
            Meaning = 'The machine answered with something that is no result'
            Advice  = 'Run the same command again with -Verbose, and report what it says.'
            Retry   = $false
            Outcome = 'Failed'
        }
        BadName      = @{
            Meaning = 'The machine can''t be asked as it is named'
            Advice  = 'Correct the list of machines.'
            Retry   = $false
            Outcome = 'Failed'
        }
    }
    Numbers  = @(
        @{ Number = 5; Code = 'AccessDenied' }                  # ERROR_ACCESS_DENIED
        @{ Number = 53; Code = 'Unreachable' }            # ERROR_BAD_NETPATH
        @{ Number = 1326; Code = 'AccessDenied' }               # ERROR_LOGON_FAILURE
        @{ Number = -2147024891; Code = 'AccessDenied' }        # 0x80070005
        @{ Number = -2147023570; Code = 'AccessDenied' }        # 0x8007052E
        @{ Number = -2144108526; Code = 'RemotingOff' }           # 0x80338012 cannot connect: the service does not listen
        @{ Number = -2144108250; Code = 'Unreachable' }   # 0x80338126 cannot complete: name, network or firewall
        @{ Number = -2144108503; Code = 'Unreachable' }   # 0x80338029 time limit of the operation
        @{ Number = -2144108103; Code = 'NameUnknown' }          # 0x803381B9 the name can't be resolved
        @{ Number = -2144108316; Code = 'Untrusted' }     # 0x803380E4 neither Kerberos, HTTPS nor TrustedHosts
        @{ Number = -2146893022; Code = 'Untrusted' }     # 0x80090322 wrong principal: another machine's ticket
        @{ Number = -2146893042; Code = 'AccessDenied' }        # 0x8009030E no credentials
        @{ Number = -2146893039; Code = 'AccessDenied' }        # 0x80090311 no logon server
    )
    Patterns = @(
        @{ Pattern = 'Permission denied|Too many authentication failures'; Code = 'AccessDenied' }
        @{ Pattern = 'Host key verification failed|REMOTE HOST IDENTIFICATION'; Code = 'Untrusted' }
        @{ Pattern = 'Could not resolve hostname|Name or service not known'; Code = 'NameUnknown' }
        @{ Pattern = 'Connection refused|timed out|No route to host|Network is unreachable|Connection closed by|Connection reset|kex_exchange'; Code = 'Unreachable' }
        @{ Pattern = 'subsystem request failed'; Code = 'RemotingOff' }
    )
}
