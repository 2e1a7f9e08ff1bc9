import { expect, test } from 'vitest';
import { dnsFailure, socketFailure, tlsFailure } from '../../src/probes/reason.js';

function errorOf(code: string, message = 'connect'): Error {
  return Object.assign(new Error(message), { code });
}

test.each([
  ['ECONNREFUSED', 'refused'],
  ['ETIMEDOUT', 'timeout'],
  ['ECONNRESET', 'reset'],
  ['EHOSTUNREACH', 'host_unreachable'],
  ['ENETUNREACH', 'network_unreachable'],
  ['EADDRNOTAVAIL', 'address_not_available'],
  ['EACCES', 'access_denied'],
  ['EPERM', 'access_denied'],
  ['ENOBUFS', 'no_buffers'],
  ['EMFILE', 'no_buffers'],
  ['EADDRINUSE', 'no_buffers'],
  ['ESOMETHING', 'other'],
])('%s of a socket is %s', (code, reason) => {
  expect(socketFailure(errorOf(code))).toMatchObject({ reason });
});

test('what is no error of the system is other, in its own words', () => {
  expect(socketFailure('odd')).toEqual({ reason: 'other', detail: 'odd' });
  expect(tlsFailure(errorOf('ERR_SSL_WRONG_VERSION_NUMBER'))).toMatchObject({ reason: 'tls_handshake' });
  expect(tlsFailure(errorOf('ECONNRESET', 'read ECONNRESET'))).toMatchObject({ reason: 'reset' });
  expect(dnsFailure(errorOf('EREFUSED'), 'MX of x')).toMatchObject({ reason: 'name_server_failure' });
});
