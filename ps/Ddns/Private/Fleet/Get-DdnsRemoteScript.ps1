function Get-DdnsRemoteScript {
    <#
    .SYNOPSIS
        What runs at the other end: says who is there, refuses the wrong machine, takes the package, runs the worker.
    .DESCRIPTION
        Windows PowerShell 5.1, nothing of this module. The greeting comes first and alone, so that the caller knows an
        interrupted connection from one that never was. A package comes through the pipeline in pieces and lies in a new
        folder of the connected account's own temporary folder, which goes away whatever happens.
    #>
    [CmdletBinding()]
    [OutputType([scriptblock])]
    param()
    {
        param($WorkerText, $Request, $Expected, $PackageName)
        $name = if ($env:COMPUTERNAME) { $env:COMPUTERNAME } else { [Environment]::MachineName }
        $mode = "$($ExecutionContext.SessionState.LanguageMode)"
        $problem = ''
        # The first is cut to 15 characters on Windows.
        if ($Expected -and $name -ne $Expected -and "$([System.Net.Dns]::GetHostName())".Split('.')[0] -ne $Expected) {
            $problem = 'WrongMachine'
        } elseif ($mode -ne 'FullLanguage') {
            $problem = 'LanguageMode'
        }
        @{ Greeting = 1; Computer = $name; Problem = $problem }
        if ($problem) {
            return
        }
        $folder = ''
        try {
            if ($PackageName) {
                $folder = Join-Path ([IO.Path]::GetTempPath()) ('ddns-' + [Guid]::NewGuid().ToString('N'))
                $null = [IO.Directory]::CreateDirectory($folder)
                $path = Join-Path $folder $PackageName
                $stream = [IO.File]::Open($path, 'CreateNew', 'Write', 'None')
                try {
                    foreach ($piece in $input) {
                        $bytes = [byte[]]$piece
                        $stream.Write($bytes, 0, $bytes.Length)
                    }
                } finally {
                    $stream.Dispose()
                }
                $Request['Package'] = $path
            }
            $result = & ([scriptblock]::Create($WorkerText)) $Request | Select-Object -Last 1
            # As text of a known depth: what remoting itself does to values inside values is not ours to say.
            @{ Result = [System.Management.Automation.PSSerializer]::Serialize($result, 8) }
        } catch {
            # Also: no space for the package. 0x70 and 0x27 are ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL; 28 is ENOSPC.
            $cause = $_.Exception.GetBaseException()
            $full = ($cause -is [IO.IOException]) -and (($cause.HResult -band 0xFFFF) -in 0x70, 0x27, 28)
            @{ Broken = 1; DiskFull = $full; Message = $cause.Message }
        } finally {
            if ($folder -and (Test-Path -LiteralPath $folder)) {
                Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction SilentlyContinue
            }
        }
    }
}
