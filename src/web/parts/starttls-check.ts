/** Checks STARTTLS and the certificate from a Windows server without OpenSSL: one line for Windows PowerShell 5.1. */

/**
 * The conversation up to TLS, then subject, end and verdict on the certificate, with the protocol and the cipher. No mail is
 * offered and any certificate is taken, so that a bad one is seen. Without double quotes and without a line end.
 * @param host to connect to, as a quoted word of PowerShell
 * @param name that the certificate is to carry, likewise
 */
export function startTlsCheck(host: string, port: number, name: string): string {
  const look =
    "param($from, $certificate, $chain, $errors) Write-Host ($certificate.Subject + ', ends ' + " +
    "$certificate.GetExpirationDateString() + ', check: ' + $errors); $true";
  const statements = [
    '$net = $tcp.GetStream()',
    '$net.ReadTimeout = 30000',
    '$reader = New-Object IO.StreamReader($net)',
    '$writer = New-Object IO.StreamWriter($net)',
    '$writer.NewLine = [string][char]13 + [char]10',
    '$writer.AutoFlush = $true',
    String.raw`$read = { do { $line = $reader.ReadLine(); $line } while ($line -match '^\d{3}-') }`,
    '& $read',
    "foreach ($verb in ('EHLO ' + $env:COMPUTERNAME), 'STARTTLS') { '> ' + $verb; $writer.WriteLine($verb); $answer = @(& $read); $answer }",
    "if ([string]$answer[-1] -notmatch '^220') { throw 'STARTTLS is not accepted' }",
    `$tls = New-Object Net.Security.SslStream($net, $false, [Net.Security.RemoteCertificateValidationCallback]{ ${look} })`,
    // None leaves the choice to Windows, TLS 1.3 with it; a .NET Framework before 4.7 refuses it before a byte is sent.
    `try { ${authenticate(name, 'None')} } catch [ArgumentException] { ${authenticate(name, 'Tls12')} }`,
    "[string]$tls.SslProtocol + ', ' + $tls.CipherAlgorithm",
  ];
  return `& { $tcp = New-Object Net.Sockets.TcpClient(${host}, ${port}); try { ${statements.join('; ')} } finally { $tcp.Close() } }`;
}

function authenticate(name: string, protocols: 'None' | 'Tls12'): string {
  return `$tls.AuthenticateAsClient(${name}, $null, [Security.Authentication.SslProtocols]::${protocols}, $false)`;
}
