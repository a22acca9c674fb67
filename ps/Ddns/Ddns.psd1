@{
    RootModule = 'Ddns.psm1'
    ModuleVersion = '0.1.0'
    GUID = '5d0a6f0e-6a3c-4d6b-9b52-3c1f9a7e2d41'
    Author = 'ddns-fleet authors'
    CompanyName = 'ddns-fleet authors'
    Copyright = '(c) ddns-fleet authors. Apache-2.0.'
    Description = 'Deploys, asks and removes ddns, dynamic DNS for Windows fleets: one machine or many, by scheduled task, service or Run key.'
    PowerShellVersion = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    FunctionsToExport = @(
        'Get-DdnsReport'
        'Get-DdnsTask'
        'Install-Ddns'
        'Set-DdnsConfig'
        'Start-DdnsTask'
        'Sync-DdnsFleet'
        'Test-DdnsTask'
        'Uninstall-Ddns'
    )
    CmdletsToExport = @()
    VariablesToExport = @()
    AliasesToExport = @()
    FormatsToProcess = @('Ddns.Format.ps1xml', 'Ddns.Fleet.Format.ps1xml')
    PrivateData = @{
        PSData = @{
            Tags = @('DNS', 'DDNS', 'DynamicDNS', 'ScheduledTask', 'Fleet', 'Windows', 'PSEdition_Desktop', 'PSEdition_Core')
            LicenseUri = 'https://ddns-fleet.example/licence'
            ProjectUri = 'https://ddns-fleet.example'
            ReleaseNotes = 'https://ddns-fleet.example/releases'
        }
    }
}
