<#
.SYNOPSIS
  Writes the Send connectors for send-connector-exporter, once, or every hour by the Task Scheduler (-Schedule).

.DESCRIPTION
  For Exchange 2013 and later, Windows PowerShell 5.1. NOT RUN where the tests run (no Exchange there).
  The file has names, GUIDs, smart hosts, ports and TLS rules of the connectors, the event level of SmtpSend of the
  servers, and no secret: credentials are not exported.
  It is written beside its place and then renamed, so that the exporter never reads half of it.

.EXAMPLE
  .\Export-SendConnectors.ps1 -Path C:\ProgramData\send-connector-exporter\connectors.json
.EXAMPLE
  .\Export-SendConnectors.ps1 -Path \\collector\exchange\connectors.json -Schedule
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string] $Path = "$env:ProgramData\send-connector-exporter\connectors.json",
    # Registers a task that runs this script every hour as the system, which may read the configuration on an Exchange server.
    [switch] $Schedule
)
Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'

if ($Schedule) {
    $script = "-NoProfile -NonInteractive -ExecutionPolicy RemoteSigned -File `"$PSCommandPath`" -Path `"$Path`""
    $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $script
    $trigger = New-ScheduledTaskTrigger -Once -At (Get-Date) -RepetitionInterval (New-TimeSpan -Hours 1)
    $principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount
    $settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit (New-TimeSpan -Minutes 10) -StartWhenAvailable
    if ($PSCmdlet.ShouldProcess('send-connector-exporter inventory', 'register a task that runs every hour')) {
        Register-ScheduledTask -TaskName 'send-connector-exporter inventory' -Force `
            -Action $action -Trigger $trigger -Principal $principal -Settings $settings | Out-Null
    }
}

if (-not (Get-Command Get-SendConnector -ErrorAction SilentlyContinue)) {
    # Outside the Exchange Management Shell, as in the task: the snap-in of the server itself.
    Add-PSSnapin Microsoft.Exchange.Management.PowerShell.SnapIn -ErrorAction SilentlyContinue
}
if (-not (Get-Command Get-SendConnector -ErrorAction SilentlyContinue)) {
    throw 'Run this in the Exchange Management Shell or on an Exchange server.'
}

# Everything as text or a list of texts: what ConvertTo-Json makes of the objects differs from shell to shell.
function ConvertTo-Text($Value) { if ($null -ne $Value -and "$Value" -ne '') { "$Value" } }
function ConvertTo-TextList($Values) { , @($Values | Where-Object { $null -ne $_ } | ForEach-Object { "$_" }) }

$connectors = @(Get-SendConnector | ForEach-Object {
    [ordered]@{
        Name                         = $_.Name
        Guid                         = "$($_.Guid)"
        Enabled                      = [bool]$_.Enabled
        DNSRoutingEnabled            = [bool]$_.DNSRoutingEnabled
        SmartHosts                   = ConvertTo-TextList $_.SmartHosts
        Port                         = [int]$_.Port
        AddressSpaces                = ConvertTo-TextList $_.AddressSpaces
        SourceTransportServers       = @($_.SourceTransportServers | ForEach-Object { $_.Name })
        SourceIPAddress              = ConvertTo-Text $_.SourceIPAddress
        Fqdn                         = ConvertTo-Text $_.Fqdn
        RequireTLS                   = [bool]$_.RequireTLS
        IgnoreSTARTTLS               = [bool]$_.IgnoreSTARTTLS
        ForceHELO                    = [bool]$_.ForceHELO
        TlsAuthLevel                 = ConvertTo-Text $_.TlsAuthLevel
        TlsDomain                    = ConvertTo-Text $_.TlsDomain
        TlsCertificateName           = ConvertTo-Text $_.TlsCertificateName
        SmartHostAuthMechanism       = ConvertTo-Text $_.SmartHostAuthMechanism
        UseExternalDNSServersEnabled = [bool]$_.UseExternalDNSServersEnabled
        FrontendProxyEnabled         = [bool]$_.FrontendProxyEnabled
        CloudServicesMailEnabled     = [bool]$_.CloudServicesMailEnabled
        ProtocolLoggingLevel         = ConvertTo-Text $_.ProtocolLoggingLevel
    }
})

# Full names as the events have them, and whether event 2002 is written at all (from the level High).
$servers = @(Get-TransportService | ForEach-Object {
    $server = $_
    [ordered]@{
        Name               = $server.Name
        Fqdn               = try { ConvertTo-Text (Get-ExchangeServer -Identity $server.Name).Fqdn } catch { $null }
        # A server that does not answer, as an Edge server in its network, leaves the level unknown.
        SmtpSendEventLevel = try {
            ConvertTo-Text (Get-EventLogLevel -Identity "$($server.Name)\MSExchangeTransport\SmtpSend").EventLevel
        } catch { $null }
    }
})

$temporary = "$Path.new"
# -InputObject, and not the pipeline: one connector is then a list of one.
$export = [ordered]@{ Connectors = $connectors; Servers = $servers }
[IO.File]::WriteAllText($temporary, (ConvertTo-Json -InputObject $export -Depth 5), (New-Object Text.UTF8Encoding $false))
if (Test-Path $Path) { [IO.File]::Replace($temporary, $Path, [NullString]::Value) } else { [IO.File]::Move($temporary, $Path) }
Write-Host "$($connectors.Count) Send connectors written to $Path"
