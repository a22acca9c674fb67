<#
.SYNOPSIS
    The requirement script of the Intune app: prints "ready" where ddns can be installed. Output type: string, equals.

.EXAMPLE
    powershell.exe -NoProfile -File Test-DdnsRequirement.ps1

    As Intune runs it.
#>
[CmdletBinding()]
param()
$problem = ''
if ([Environment]::OSVersion.Version.Build -lt 14393) {
    $problem = 'Windows 10 1607 or Server 2016 is needed'
} elseif ($PSVersionTable.PSVersion -lt [version]'5.1') {
    $problem = 'Windows PowerShell 5.1 is needed'
} elseif (Test-Path -Path 'HKLM:\SOFTWARE\DDNS\Msi') {
    $problem = 'the MSI is installed here'
}
if ($problem) { $problem } else { 'ready' }
exit 0
