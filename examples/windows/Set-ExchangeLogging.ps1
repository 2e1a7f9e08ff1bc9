<#
.SYNOPSIS
  Switches on what send-connector-exporter reads on every transport server, or shows how it stands (-Show).

.DESCRIPTION
  For the Exchange Management Shell, 2013 and later. NOT RUN where the tests run (no Exchange there).
  - Event 2002 of MSExchangeTransport is written only when SmtpSend logs at High or Expert.
  - The connectivity log is on by default; it has the reason of each failure.
  - Protocol logging of a Send connector is off by default; it adds failures after the connect (banner, STARTTLS, TLS).
  Every change can be undone: -Level Lowest, -ProtocolLogging None.

.EXAMPLE
  .\Set-ExchangeLogging.ps1 -Show
.EXAMPLE
  .\Set-ExchangeLogging.ps1 -WhatIf
.EXAMPLE
  .\Set-ExchangeLogging.ps1
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [switch] $Show,
    [ValidateSet('Lowest', 'Low', 'Medium', 'High', 'Expert')][string] $Level = 'High',
    [ValidateSet('None', 'Verbose')][string] $ProtocolLogging = 'Verbose'
)
Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'
if (-not (Get-Command Get-TransportService -ErrorAction SilentlyContinue)) {
    throw 'Run this in the Exchange Management Shell.'
}

foreach ($server in Get-TransportService) {
    $category = "$($server.Name)\MSExchangeTransport\SmtpSend"
    if (-not $Show -and $PSCmdlet.ShouldProcess($category, "event level $Level")) {
        Set-EventLogLevel -Identity $category -Level $Level
    }
    if (-not $Show -and -not $server.ConnectivityLogEnabled -and $PSCmdlet.ShouldProcess($server.Name, 'connectivity log on')) {
        Set-TransportService -Identity $server.Name -ConnectivityLogEnabled $true
    }
    $now = Get-TransportService -Identity $server.Name
    [pscustomobject]@{
        Server           = $server.Name
        SmtpSend         = (Get-EventLogLevel -Identity $category).EventLevel
        ConnectivityLog  = $now.ConnectivityLogEnabled
        ConnectivityPath = $now.ConnectivityLogPath
        SendProtocolPath = $now.SendProtocolLogPath
    }
}

foreach ($connector in Get-SendConnector) {
    if (-not $Show -and "$($connector.ProtocolLoggingLevel)" -ne $ProtocolLogging -and
        $PSCmdlet.ShouldProcess($connector.Name, "protocol logging $ProtocolLogging")) {
        Set-SendConnector -Identity $connector.Identity -ProtocolLoggingLevel $ProtocolLogging
    }
    Get-SendConnector -Identity $connector.Identity | Select-Object Name, Enabled, ProtocolLoggingLevel
}
