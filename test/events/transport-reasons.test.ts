/** Why a session failed, by what both logs say of it: one row a form that Exchange writes. */
import { describe, expect, test } from 'vitest';
import { sendLog } from '../../src/events/formats/send-log.js';
import { connectivityLines, readerOf, sendLines, type Said } from './transport-sessions.js';

const banner: Said = ['<', '220 mx.fabrikam.example ESMTP ready'];
const ehlo: readonly Said[] = [
  ['>', 'EHLO mail.contoso.example'],
  ['<', '250-mx.fabrikam.example'],
  ['<', '250 STARTTLS'],
];
const tls: readonly Said[] = [
  banner,
  ...ehlo,
  ['>', 'STARTTLS'],
  ['<', '220 2.0.0 SMTP server ready'],
  ['*', '', 'TLS protocol SP_PROT_TLS1_2_CLIENT negotiation succeeded using bulk encryption algorithm CALG_AES_256'],
];
const secured: readonly Said[] = [...tls, ...ehlo];
const quit: readonly Said[] = [
  ['>', 'QUIT'],
  ['<', '221 2.0.0 Bye'],
  ['-', '', 'Local'],
];
const mail: readonly Said[] = [['>', 'MAIL FROM:<a@contoso.example> SIZE=100'], ['<', '250 2.1.0 ok'], ...quit];

/** Reasons of one session of the connector `Out` to 203.0.113.25:25. */
function reasonsOf(said: readonly Said[]): string[] {
  const reader = readerOf();
  reader.read(sendLines({ said }));
  const told = reader.told();
  expect(told['Out | 203.0.113.25:25 | attempts']).toBe(1);
  return Object.keys(told)
    .filter((key) => !key.endsWith(' | attempts'))
    .map((key) => key.replace('Out | 203.0.113.25:25 | ', ''));
}

describe('4.1: DNS failures are sentences', () => {
  const reasonOf = (text: string): { reason: string | undefined; unknown: readonly string[] } => {
    const reader = readerOf();
    reader.read(
      connectivityLines('08DE53D0A1B2C301', 'nosuch.example', [
        ['+', 'DnsConnectorDelivery 3b7d6f0e-1111-4222-8333-444455556666;QueueLength=TQ=1;RN=1;. '],
        ['>', text],
        ['-', 'Messages: 0 Bytes: 0 (Retry)'],
      ]),
    );
    const [key, ...rest] = Object.keys(reader.told());
    expect(rest).toEqual([]);
    return { reason: key?.split(' | ')[2], unknown: reader.unknown };
  };

  test.each([
    ['Non-existent domain', 'name_not_found'],
    ['Mail would loop back to itself', 'other'],
    ['Invalid DNS data returned', 'name_server_failure'],
    ['DNS server returned InfoNoRecords', 'name_no_address'],
    ['DNS server returned InfoDomainNonexistent', 'name_not_found'],
    ['DNS server returned InfoTruncated', 'name_server_failure'],
    ['DNS server returned ErrorRetry', 'name_server_failure'],
    ['DNS server returned ErrorExcessiveData', 'name_server_failure'],
    ['DNS server returned ErrorDisconnectException', 'name_server_failure'],
    ['DNS server returned ErrorNoDns', 'name_server_failure'],
    ['DNS server returned ServerFailure', 'name_server_failure'],
    ['DNS server returned ErrorTimeout', 'name_timeout'],
    ['DNS server returned ErrorSubQueryTimeout', 'name_timeout'],
    ['dns server returned errortimeout', 'name_timeout'],
  ])('%s: %s, also for a front end that was to be used', (what, reason) => {
    expect(reasonOf(`${what} reported by 10.0.0.53. `)).toEqual({ reason, unknown: [] });
    expect(reasonOf(`${what} reported by 2001:db8::53. [Domain:Result] = a.example:x;`).reason).toBe(reason);
    expect(reasonOf(`${what} reported for the outbound proxy frontend server fqdn by 10.0.0.53. `).reason).toBe(reason);
  });

  test('a status that nobody knows is other, and said', () => {
    expect(reasonOf('DNS server returned ErrorOfTomorrow reported by 10.0.0.53. ')).toEqual({
      reason: 'other',
      unknown: ['ErrorOfTomorrow'],
    });
  });
});

describe('a verdict on a certificate waits for the end of the session', () => {
  test.each([
    ['4.2: the chain status stands in data', 'SubjectMismatch', 'certificate_name_mismatch'],
    ['4.2', 'UntrustedRoot', 'certificate_untrusted'],
    ['4.2', 'CertificateExpired', 'certificate_expired'],
    ['4.2', 'NoCNMatch', 'certificate_name_mismatch'],
    ['4.2: as a number', '2148204809', 'certificate_untrusted'],
    ['4.2: of tomorrow', 'QuantumDoubt', 'certificate_untrusted'],
  ])('%s: %s', (_, status, reason) => {
    const note: Said = ['*', status, 'Chain validation status'];
    expect(reasonsOf([...tls, note, ...quit])).toEqual([reason]);
    expect(reasonsOf([...tls, ['*', status, 'chain validation status.'], ['-', '', 'Local']])).toEqual([reason]);
    expect(reasonsOf([...tls, note, ...ehlo, ...mail])).toEqual([]);
  });

  test('4.2: a chain that is valid is no failure', () => {
    for (const status of ['Valid', 'ValidSelfSigned', ''])
      expect(reasonsOf([...tls, ['*', status, 'Chain validation status'], ...ehlo, ...quit])).toEqual([]);
  });

  test('4.2: a status that nobody knows is said', () => {
    const reader = readerOf();
    reader.read(sendLines({ said: [...tls, ['*', 'QuantumDoubt', 'Chain validation status'], ...quit] }));
    expect(reader.unknown).toEqual(['QuantumDoubt']);
  });

  test.each([
    ['DomainValidation', 'UntrustedRoot', 'certificate_untrusted'],
    ['CertificateValidation', 'SubjectMismatch', 'certificate_name_mismatch'],
    ['CertificateValidation', 'CertificateExpired', 'certificate_expired'],
    ['DomainValidation', 'NewNameExpired', 'certificate_expired'],
  ])('4.3: auth level %s with error %s: the error is the reason, not the level', (level, error, reason) => {
    const note = `Outbound TLS authentication failed for auth level ${level} with error ${error}`;
    expect(reasonsOf([...tls, ['*', '', note], ...quit])).toEqual([reason]);
    expect(reasonsOf([...tls, ['*', '', `${note.toUpperCase()}.`], ...quit])).toEqual([reason]);
  });

  test('4.4: a revocation list out of reach, treated as success and followed by mail, is no failure', () => {
    const note: Said = [
      '*',
      '',
      'Outbound TLS authentication failed for auth level DomainValidation with error RevocationOffline',
    ];
    const treated: Said = [
      '*',
      '',
      'CRL validation failed with status RevocationOffline. Treating the failure as success.',
    ];
    expect(reasonsOf([...tls, note, treated, ...ehlo, ...mail])).toEqual([]);
    expect(reasonsOf([...tls, note, treated, ...quit])).toEqual([]);
    expect(
      reasonsOf([
        ...tls,
        note,
        ['*', '', 'Treating CRL chain validation failure NoRevocationCheck as success.'],
        ...quit,
      ]),
    ).toEqual([]);
    expect(reasonsOf([...tls, note, ...quit])).toEqual(['certificate_untrusted']);
  });

  test('4.4: a revocation list out of reach that is not treated as success, and then the end, is a failure', () => {
    const forms: readonly Said[] = [
      ['*', 'RevocationOffline', 'Chain validation status'],
      ['*', '', 'CRL validation failed with status RevocationOffline.'],
      [
        '*',
        '',
        'outbound TLS authentication failed for the proxy session due to certificate validation error. ChainValidityStatus = RevocationOffline.',
      ],
    ];
    const treated: Said = ['*', '', 'Treating CRL chain validation failure RevocationOffline as success.'];
    for (const form of forms) {
      expect(reasonsOf([...tls, form, ...quit])).toEqual(['certificate_untrusted']);
      expect(reasonsOf([...tls, form, ['-', '', 'Local']])).toEqual(['certificate_untrusted']);
      expect(reasonsOf([...tls, form, treated, ...quit])).toEqual([]);
      expect(reasonsOf([...tls, form, ...ehlo, ...mail])).toEqual([]);
    }
  });
});

describe('4.5: notes are matched by a table', () => {
  test.each([
    ['DirectTrust certificate failed to authenticate', 'certificate_untrusted'],
    ["DirectTrust certificate failed to authenticate for 'CN=EDGE01'", 'certificate_untrusted'],
    [
      'Drop connection because TLS configuration requires TLS before MailFrom command and could not achieve it, check connection authentication setting or remote capabilities',
      'starttls_not_offered',
    ],
    [
      "Connector is configured to send mail only over TLS connections and remote doesn't support TLS",
      'starttls_not_offered',
    ],
    [
      'The connection was dropped because a response was illegally formatted. The error is: Illegal response: ab',
      'not_smtp',
    ],
    [
      'outbound TLS authentication failed for the proxy session due to certificate validation error. ChainValidityStatus = SubjectMismatch.',
      'certificate_name_mismatch',
    ],
    [
      "Message to secure domain 'a.example' on send connector 'Out' failed because TLS was not offered .",
      'starttls_not_offered',
    ],
    [
      "Message to secure domain 'a.example' on send connector 'Out' failed because ForceHELO is set on the send connector and hence STARTTLS can't be issued .",
      'starttls_not_offered',
    ],
    [
      "Message to secure domain 'a.example' on send connector 'Out' failed because the chain is bad UntrustedRoot.",
      'certificate_untrusted',
    ],
    [
      "Message to secure domain 'a.example' on send connector 'Out' failed because DomainSecureEnabled was set to false .",
      'other',
    ],
    [
      "Connection to remote endpoint '203.0.113.25:25 (mx)' for send connector 'Out' will be dropped because the server did not advertise XOORG.",
      'other',
    ],
    ['TLS negotiation failed with error CertExpired', 'certificate_expired'],
    ['TLS negotiation failed with error AlgorithmMismatch', 'tls_handshake'],
    ['TLS negotiation failed with error ConnectionReset', 'reset'],
    ['TLS negotiation failed with error SocketError', 'tls_handshake'],
    ['TLS negotiation failed with error OperationAborted', 'tls_handshake'],
    ['TLS negotiation failed with error MessageSize', 'tls_handshake'],
    ['Outbound TLS authentication failed for auth level EncryptionOnly with error SocketError', 'tls_handshake'],
    ['TLS negotiation failed with error IncompleteCredentials', 'client_certificate_required'],
    ['Tls cipher strength is too weak', 'tls_handshake'],
    ['Outbound Authentication failed with LogonDenied', 'auth_rejected'],
    ['Outbound Authentication failed to initialize with InvalidToken', 'auth_rejected'],
  ])('%s: %s', (note, reason) => {
    expect(reasonsOf([...tls, ['*', '', note], ...quit])).toEqual([reason]);
    expect(reasonsOf([...tls, ['*', '', note.toLowerCase()], ['-', '', 'Local']])).toEqual([reason]);
    expect(reasonsOf([...tls, ['*', '', note], ...mail])).toEqual([]);
  });

  test('a refusal of STARTTLS says more than the note that TLS was required', () => {
    const note: Said = ['*', '', 'Drop connection because TLS configuration requires TLS before MailFrom command'];
    const said: Said[] = [banner, ...ehlo, ['>', 'STARTTLS'], ['<', '454 4.7.0 TLS not available'], note, ...quit];
    expect(reasonsOf(said)).toEqual(['starttls_rejected']);
  });

  test('rows that tell nothing are dropped by their bytes', () => {
    const dull: readonly Said[] = [
      ['*', 'SendRoutingHeaders', 'Set Session Permissions'],
      ['*', '352D244A535D94B576232ECC4A4000CFE06BE106', 'Certificate thumbprint'],
      ['*', '', 'TLS protocol SP_PROT_TLS1_2_CLIENT negotiation succeeded using'],
      ['*', '', 'sending message with RecordId 42'],
      ['<', '250-SIZE'],
      ['>', 'RCPT TO:<b@fabrikam.example>'],
    ];
    for (const line of sendLines({ said: dull }).slice(2)) expect(sendLog.decode(line)).toEqual([]);
  });
});

test('4.6: a blind proxy session that was set up and ended is a success', () => {
  const note = 'Proxy session successfully set up for user. Inbound session will now be blindly proxied';
  const xproxy: readonly Said[] = [
    ['>', 'XPROXY SID=08DE IP=10.0.0.99 PORT=50000 DOMAIN=pc1 CAPABILITIES=0'],
    ['<', '235 '],
  ];
  for (const end of ['Remote', 'Remote(ConnectionReset)', 'Local'])
    expect(reasonsOf([...secured, ...xproxy, ['*', '', note], ['-', '', end]])).toEqual([]);
  expect(reasonsOf([...secured, ...xproxy, ['-', '', 'Remote']])).toEqual(['closed_by_remote']);
});

describe('4.7: what is refused after EHLO was answered is not a refusal of EHLO', () => {
  const login: readonly Said[] = [
    ['>', 'AUTH LOGIN'],
    ['<', '334 VXNlcm5hbWU6'],
    ['>', '<Binary Data>'],
    ['<', '334 UGFzc3dvcmQ6'],
    ['>', '<Binary Data>'],
  ];

  test.each<[string, readonly Said[], string[]]>([
    ['AUTH LOGIN 535', [...login, ['<', '535 5.7.3 Authentication unsuccessful']], ['auth_rejected']],
    [
      'AUTH at once',
      [
        ['>', 'AUTH NTLM'],
        ['<', '504 5.7.4 Unrecognized authentication type'],
      ],
      ['auth_rejected'],
    ],
    [
      'X-EXPS 454',
      [
        ['>', 'X-EXPS EXCHANGEAUTH SHA256 '],
        ['>', '<Binary Data>'],
        ['<', '454 4.7.0 Temporary authentication failure'],
      ],
      ['auth_rejected'],
    ],
    ['AUTH answered 421', [...login, ['<', '421 4.3.2 Service not available']], ['closed_by_remote']],
    ['AUTH answered 421 without a code', [...login, ['<', '421 closing']], ['closed_by_remote']],
    ['AUTH answered 421 of security', [...login, ['<', '421 4.7.0 Too many failures']], ['auth_rejected']],
    ['AUTH answered 421 5.7.8', [...login, ['<', '421-5.7.8 Authentication credentials invalid']], ['auth_rejected']],
    [
      'X-EXPS answered 421 of security',
      [
        ['>', 'X-EXPS GSSAPI'],
        ['<', '421 4.7.0 later'],
      ],
      ['auth_rejected'],
    ],
    [
      'XPROXYTO answered 421 of its own',
      [
        ['>', 'XPROXYTO DESTINATIONS=mx.fabrikam.example PORT=25 LAST=True'],
        ['<', '421 4.3.2 Service not available'],
      ],
      ['closed_by_remote'],
    ],
    ['a second method that is taken', [...login, ['<', '535 no'], ['>', 'AUTH NTLM'], ['<', '235 ok']], []],
    [
      'XPROXYFROM refused',
      [
        ['>', 'XPROXYFROM SID=1'],
        ['<', '501 5.5.4 Invalid arguments'],
      ],
      ['proxy_failed'],
    ],
    [
      'XPROXY refused',
      [
        ['>', 'XPROXY SID=1'],
        ['<', '550 5.7.1 no'],
      ],
      ['proxy_failed'],
    ],
    [
      'X-ANONYMOUSTLS refused',
      [
        ['>', 'X-ANONYMOUSTLS'],
        ['<', '454 4.7.0 no TLS'],
      ],
      ['starttls_rejected'],
    ],
    [
      'the second EHLO refused',
      [
        ['>', 'EHLO mail.contoso.example'],
        ['<', '550 5.7.1 go away'],
      ],
      ['ehlo_rejected'],
    ],
    [
      'RSET refused',
      [
        ['>', 'RSET'],
        ['<', '503 5.5.1 bad sequence'],
      ],
      [],
    ],
    [
      'XSESSIONPARAMS refused',
      [
        ['>', 'XSESSIONPARAMS MDBGUID=1'],
        ['<', '501 5.5.4 no'],
      ],
      ['other'],
    ],
    [
      'XSHADOW refused',
      [
        ['>', 'XSHADOW 1'],
        ['<', '501 5.5.4 no'],
      ],
      [],
    ],
  ])('%s', (_, said, reasons) => {
    expect(reasonsOf([...secured, ...said, ...quit])).toEqual(reasons);
    expect(reasonsOf([...secured, ...said, ...mail])).toEqual([]);
  });

  test('a refusal of MAIL FROM is no failure of the connection', () => {
    for (const answer of ['450 4.7.1 later', '550 5.7.1 no', '421 4.7.0 too much'])
      expect(reasonsOf([...secured, ['>', 'MAIL FROM:<a@contoso.example>'], ['<', answer], ...quit])).toEqual([]);
  });

  test('HELO after a refused EHLO goes on', () => {
    const helo: readonly Said[] = [banner, ['>', 'EHLO a'], ['<', '500 what'], ['>', 'HELO a'], ['<', '250 hello']];
    expect(reasonsOf([...helo, ...mail])).toEqual([]);
    expect(reasonsOf([...helo.slice(0, 4), ['<', '501 no'], ...quit])).toEqual(['ehlo_rejected']);
  });

  const ask = 'XPROXYTO DESTINATIONS=mx.fabrikam.example,mx2.fabrikam.example FORCEHELO=False PORT=25 LAST=True';
  const outer = (inner: string, end = ''): string =>
    `451 4.4.0 Primary target IP address responded with: "${inner}" Attempted failover to alternate host, but that did not succeed. Either there are no alternate hosts, or delivery failed to all alternate hosts.${end}`;
  const wrapped = (inner: string): string => `450 4.7.0 Proxy session setup failed on Frontend with  '${inner}'`;
  const socket =
    '441 4.4.1 Error encountered while communicating with primary target IP address: "Failed to connect. Winsock error code: 10060, Win32 error code: 10060." Attempted failover to alternate host, but that did not succeed. The last endpoint attempted was 198.51.100.7:25';

  test.each([
    ['nothing exact', outer('421 4.2.1 Unable to connect.'), 'mx.fabrikam.example:25', 'proxy_failed'],
    [
      'its end point',
      outer('554 5.7.1 no', ' The last endpoint attempted was 198.51.100.7:25'),
      '198.51.100.7:25',
      'proxy_failed',
    ],
    [
      'IPv6',
      outer('451 4.4.0 Security status InvalidToken.', ' The last endpoint attempted was 2001:db8:0::7:25'),
      '[2001:db8::7]:25',
      'tls_handshake',
    ],
    ['a socket error', socket, '198.51.100.7:25', 'timeout'],
    ['wrapped by the front end', wrapped(socket), '198.51.100.7:25', 'timeout'],
    [
      'no TLS',
      wrapped(outer('451 5.7.3 STARTTLS is required to send mail.')),
      'mx.fabrikam.example:25',
      'starttls_not_offered',
    ],
    ['reset', outer('421 4.4.2 Connection dropped due to ConnectionReset.'), 'mx.fabrikam.example:25', 'reset'],
    ['dropped', outer('421 4.4.2 Connection dropped.'), 'mx.fabrikam.example:25', 'closed_by_remote'],
    ['time', outer('421 4.4.1 Connection timed out.'), 'mx.fabrikam.example:25', 'timeout'],
    [
      'sign-in',
      outer('451 5.7.3 Cannot achieve Exchange Server authentication.'),
      'mx.fabrikam.example:25',
      'auth_rejected',
    ],
    ['a bare Winsock code', '451 4.4.0 Winsock error code 10061', 'mx.fabrikam.example:25', 'refused'],
    [
      'a bare failed connect',
      '451 4.4.0 Failed to connect. Winsock error code: 10060, Win32 error code: 10060',
      'mx.fabrikam.example:25',
      'timeout',
    ],
    ['a bare socket error', '451 4.4.0 SocketError: ConnectionReset', 'mx.fabrikam.example:25', 'reset'],
    ['a bare drop', '441 4.4.2 Connection dropped due to SocketError', 'mx.fabrikam.example:25', 'closed_by_remote'],
    ['a bare handshake', '451 4.4.0 Security status InvalidToken', 'mx.fabrikam.example:25', 'tls_handshake'],
    ['a bare 421', '421 4.4.1 Connection timed out', 'mx.fabrikam.example:25', 'timeout'],
    [
      'a link-local end point',
      outer('421 4.4.1 Connection timed out.', ' The last endpoint attempted was fe80::1%5:25'),
      '[fe80::1%5]:25',
      'timeout',
    ],
    [
      'DNS',
      wrapped('451 4.4.0 DNS query failed. The error was: DNS query failed with error ErrorRetry'),
      'mx.fabrikam.example:25',
      'name_server_failure',
    ],
  ])('XPROXYTO, the inner reply tells: %s', (_, reply, destination, reason) => {
    const reader = readerOf();
    const said: Said[] = [...secured, ['>', ask], ['<', reply], ...quit];
    reader.read(sendLines({ remote: '10.0.0.5:717', said }));
    expect(reader.told()).toEqual({ 'Out | 10.0.0.5:717 | attempts': 1, [`Out | ${destination} | ${reason}`]: 1 });
  });

  test('XPROXYTO refused by the front end itself is its own failure', () => {
    const said: Said[] = [
      ...secured,
      ['>', ask],
      ['<', '451 4.7.0 Temporary server error. Please try again later'],
      ...quit,
    ];
    expect(reasonsOf(said)).toEqual(['proxy_failed']);
  });

  test('XPROXYTO refused for a destination that nothing names is laid at nobody else than the front end', () => {
    const bare: Said = ['<', '451 4.4.0 Winsock error code: 10061'];
    expect(reasonsOf([...secured, ['>', 'XPROXYTO LAST=True'], bare, ...quit])).toEqual(['proxy_failed']);
    expect(reasonsOf([...secured, ['>', 'XPROXY SID=1'], bare, ...quit])).toEqual(['proxy_failed']);
  });

  test('the keys of XPROXYTO may be spread over several commands, the answer over several lines', () => {
    const reader = readerOf();
    const said: Said[] = [
      ...secured,
      ['>', 'XPROXYTO DESTINATIONS=[203.0.113.77] FORCEHELO=False'],
      ['<', '250 go on'],
      ['>', 'XPROXYTO REQUIRETLS=True LAST=True'],
      ['<', `451-4.4.0 Primary target IP address responded with: "421 4.2.1 Unable to connect."`],
      ['<', '451 4.4.0 end'],
      ...quit,
    ];
    reader.read(sendLines({ remote: '10.0.0.5:717', said }));
    expect(reader.told()).toMatchObject({ 'Out | 203.0.113.77:25 | proxy_failed': 1 });
  });
});

describe('4.10: how a session ends', () => {
  test.each([
    ['Remote(TimedOut)', 'banner_timeout', 'timeout'],
    ['Timeout', 'banner_timeout', 'timeout'],
    ['Remote(ConnectionAborted)', 'reset', 'reset'],
    ['ConnectionAborted', 'reset', 'reset'],
    ['Remote(ConnectionReset)', 'reset', 'reset'],
    ['Remote(NetworkReset)', 'reset', 'reset'],
    ['Remote(HostUnreachable)', 'host_unreachable', 'host_unreachable'],
    ['Remote(HostDown)', 'host_unreachable', 'host_unreachable'],
    ['Remote(NetworkUnreachable)', 'network_unreachable', 'network_unreachable'],
    ['Remote(NetworkDown)', 'network_unreachable', 'network_unreachable'],
    ['Remote(NoBufferSpaceAvailable)', 'no_buffers', 'no_buffers'],
    ['Remote(Disconnecting)', 'closed_by_remote', 'closed_by_remote'],
    ['Remote(OperationAborted)', 'other', 'other'],
    ['Remote(SomethingNew)', 'other', 'other'],
    ['remote ( timedout )', 'banner_timeout', 'timeout'],
    ['Remote', 'closed_by_remote', 'closed_by_remote'],
  ])('%s: %s before a banner, %s after', (end, before, after) => {
    expect(reasonsOf([['-', '', end]])).toEqual([before]);
    expect(reasonsOf([banner, ['>', 'EHLO a'], ['-', '', end]])).toEqual([after]);
  });

  test('a session that we end without a refusal is no failure', () => {
    for (const end of ['Local', '', 'QuitVerb']) expect(reasonsOf([...secured, ['-', '', end]])).toEqual([]);
  });

  test('the connectivity log calls an aborted connection a reset too', () => {
    const reader = readerOf();
    reader.read(
      connectivityLines('08DE53D0A1B2C301', 'a.example', [
        ['+', 'DnsConnectorDelivery 3b7d6f0e-1111-4222-8333-444455556666;Q'],
        ['>', 'Failed connection to 203.0.113.25:25 (ConnectionAborted:00002745)'],
      ]),
    );
    expect(Object.keys(reader.told()).map((key) => key.split(' | ')[2])).toEqual(['attempts', 'reset']);
  });
});
