# Which keys each part of a fleet file may have, and of what kind each is. table, list, text, number, switch, names (a text
# or a list of texts), any. A part that is not here is not looked into.
@{
    ''           = @{
        Schema = 'number'; Name = 'text'; Package = 'table:Package'; Connection = 'table:Connection'; Defaults = 'table:Defaults'
        Groups = 'tables:Group'; Rings = 'list:Ring'
    }
    'Package'    = @{ Path = 'text'; Sha256 = 'text'; Version = 'text'; Publisher = 'text' }
    'Connection' = @{
        Transport = 'text'; Port = 'number'; UseSSL = 'switch'; UserName = 'text'; KeyFilePath = 'text'; SshOption = 'any'
        SkipNameCheck = 'switch'
    }
    'Defaults'   = @{ Mode = 'text'; Task = 'table:Task'; Settings = 'table:Settings'; Secrets = 'names'; Gateway = 'table:Gateway' }
    'Group'      = @{
        Mode = 'text'; Task = 'table:Task'; Settings = 'table:Settings'; Secrets = 'names'; Gateway = 'table:Gateway'
        Package = 'table:Package'; Machines = 'machines'; MachinesFile = 'text'
    }
    'Machine'    = @{
        Name = 'text'; Address = 'text'; Port = 'number'; Transport = 'text'; UserName = 'text'; KeyFilePath = 'text'
        ExpectedName = 'text'; Task = 'table:Task'; Settings = 'table:Settings'; Mode = 'text'
    }
    'Task'       = @{
        IntervalMinutes = 'number'; Account = 'text'; RunLevel = 'text'; NetworkTrigger = 'switch'; ResumeTrigger = 'switch'
        BootTrigger = 'switch'; LogonTrigger = 'switch'; DelaySeconds = 'number'
    }
    'Settings'   = @{ File = 'text'; Text = 'text'; Names = 'names'; Types = 'names'; Ttl = 'number'; Provider = 'text'; Set = 'any' }
    'Gateway'    = @{ Url = 'text'; CaFile = 'text' }
    'Ring'       = @{ Name = 'text'; Groups = 'names'; Machines = 'names'; Gate = 'table:Gate' }
    'Gate'       = @{ MaxFailed = 'any'; WaitSeconds = 'number'; OnFailure = 'text' }
}
