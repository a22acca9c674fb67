@{
    RootModule = 'Microsoft.PowerShell.SecretManagement.psm1'
    ModuleVersion = '1.1.2'
    GUID = 'a5c858f6-4a8e-41f1-b1ee-0ff8f6ad69d3'
    Author = 'a double for tests'
    FunctionsToExport = @('Get-Secret')
}
