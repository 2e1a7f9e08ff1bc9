/** Authentication: refusals are made before Express sees a request, and are whole answers. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openToAll, type WebConfig } from '../../src/config/web-config.js';
import { requireLogin } from '../../src/web/http/authentication.js';
import { keepingLog } from '../support/log-double.js';
import { hash } from './secured.js';

async function guardedBy(config: Partial<WebConfig>, inside: RequestListener) {
  const log = keepingLog();
  const access = {
    current: () => ({ ...openToAll, ...config }),
    problem: () => undefined,
    onChange: () => undefined,
    reload: () => Promise.resolve(true),
    close: () => undefined,
  };
  const server = createServer(requireLogin(access, log, inside));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  const ask = (password?: string, method = 'GET') =>
    fetch(url, {
      method,
      headers: {
        connection: 'close',
        ...(password !== undefined && { authorization: `Basic ${btoa(`prometheus:${password}`)}` }),
      },
    });
  return { ask, log };
}

const users = new Map([['prometheus', hash]]);

test('2.3 who is not let in costs no work behind the login', async () => {
  const inside = vi.fn<RequestListener>((_request, response) => response.end('inside'));
  const { ask } = await guardedBy({ users }, inside);
  for (let each = 0; each < 20; each++) {
    expect((await ask()).status).toBe(401);
    expect((await ask('stale')).status).toBe(401);
  }
  expect(inside).not.toHaveBeenCalled();
  for (let each = 0; each < 3; each++) expect(await (await ask('open sesame')).text()).toBe('inside');
  expect(inside).toHaveBeenCalledTimes(3);
});

test('a refusal is a whole answer, with the headers that every answer carries', async () => {
  const { ask } = await guardedBy({ users, headers: { 'X-Frame-Options': 'SAMEORIGIN' } }, () => undefined);
  const answer = await ask();
  expect(await answer.text()).toBe('Unauthorized.\n');
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'www-authenticate': 'Basic',
    'content-type': 'text/plain; charset=utf-8',
    'content-length': '14',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
  });
  const head = await ask(undefined, 'HEAD');
  expect([head.status, await head.text()]).toEqual([401, '']);
});

test('too many requests are told when to come again', async () => {
  const { ask } = await guardedBy({ rateLimit: { intervalMs: 30_000, burst: 0 } }, () => undefined);
  const answer = await ask();
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '30']);
  expect(await answer.text()).toBe('Too many requests.\n');
});

test('a check that fails is an answer 503, after which senders come again, and a line of the log', async () => {
  const { ask, log } = await guardedBy({ users: new Map([['prometheus', 'x'.repeat(60)]]) }, () => undefined);
  const answer = await ask('open sesame');
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
    ['error', 'a password could not be checked'],
  ]);
});
