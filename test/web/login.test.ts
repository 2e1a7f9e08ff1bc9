/** Passwords: scrapes go on while others guess, names cannot be told apart by time, and a stale password locks nobody out. */
import { request } from 'node:http';
import bcrypt from 'bcryptjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createLogin, type Login } from '../../src/web/http/login.js';
import { createRefusals } from '../../src/web/http/refusals.js';
import { hash, secured, users } from './secured.js';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

function loginFor(users: Record<string, string>, now: () => number = () => 0): Login {
  const known = new Map(Object.entries(users));
  return createLogin({ users: () => known, now });
}

const judged = async (login: Login, text: string, address = '127.0.0.1') =>
  (await login.judge(basic(text), address)).kind;

/** The status of a scrape from an address of loopback. */
function scrape(url: string, password: string, localAddress = '127.0.0.1'): Promise<number> {
  const headers = { authorization: basic(`prometheus:${password}`) };
  return new Promise((resolve, reject) => {
    request(new URL('/metrics', url), { headers, localAddress, agent: false }, (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode ?? 0);
      });
    })
      .on('error', reject)
      .end();
  });
}

test('2.3 a password that was let in is let in while passwords of many addresses at cost 14 are being checked', async () => {
  const costly = bcrypt.hashSync('open sesame', 14);
  const { web } = await secured(`basic_auth_users: { prometheus: "${costly}" }\n`);
  expect(await scrape(web.url, 'open sesame')).toBe(200);
  const order: string[] = [];
  for (let each = 0; each < 12; each++)
    scrape(web.url, `guess ${each}`, `127.0.1.${each + 1}`).then(
      (status) => order.push(`guess ${status}`),
      () => 0, // still waiting when the server was closed
    );
  for (let each = 0; each < 10; each++) order.push(`scrape ${await scrape(web.url, 'open sesame')}`);
  // Two checks at most run at once: all but the first ones still wait when the last scrape is answered.
  expect(order.filter((one) => one === 'scrape 200')).toHaveLength(10);
  expect(order.filter((one) => one.startsWith('guess')).length).toBeLessThanOrEqual(2);
}, 60_000);

describe('the pool of checks', () => {
  test('is bounded: what is too much is told to come back, and a sender that was let in before goes first', async () => {
    const slow = bcrypt.hashSync('open sesame', 8);
    const users = new Map([['prometheus', hash]]);
    const login = createLogin({ users: () => users, now: () => 0 });
    expect(await judged(login, 'prometheus:open sesame', '127.0.0.2')).toBe('admitted');
    users.set('prometheus', slow);
    const order: string[] = [];
    const guesses = Array.from({ length: 40 }, async (_, each) => {
      order.push(await judged(login, `prometheus:${each}`, `127.0.1.${each}`));
    });
    const regular = judged(login, 'prometheus:open sesame', '127.0.0.2').then((kind) => order.push(kind));
    await Promise.all([...guesses, regular]);
    expect(order.filter((kind) => kind === 'wait')).toHaveLength(24);
    expect(order.filter((kind) => kind === 'unauthorized')).toHaveLength(16);
    // After those that were being checked when it came.
    expect(order.indexOf('admitted')).toBeLessThanOrEqual(24 + 2);
  });

  test('2.3 a scraper that was not let in yet waits behind one guess of a network, not behind all that flood from it', async () => {
    const login = loginFor({ prometheus: bcrypt.hashSync('open sesame', 8) });
    const order: string[] = [];
    const ask = async (password: string, address: string): Promise<void> => {
      order.push(`${address} ${await judged(login, `prometheus:${password}`, address)}`);
    };
    const flood = Array.from({ length: 40 }, (_, each) => ask(`guess ${each}`, `198.51.100.${each}`));
    // All places are taken by then; the one that waits last in the fullest network gives its own away.
    const scrapers = ['192.0.2.1', '2001:db8::1', '203.0.113.1'].map((address) => ask('open sesame', address));
    await Promise.all([...flood, ...scrapers]);
    const checked = order.filter((each) => !each.endsWith('wait'));
    expect(checked.filter((each) => each.startsWith('198.51.100.'))).toHaveLength(16 - 1);
    // The same password of all three is one check, behind the two at most that were running.
    for (const each of ['192.0.2.1', '2001:db8::1', '203.0.113.1'])
      expect(checked.indexOf(`${each} admitted`), each).toBeLessThanOrEqual(4);
    expect(order.filter((each) => each.endsWith('wait'))).toHaveLength(25);
  });

  test('2.3 networks take turns, whoever came first', async () => {
    const login = loginFor({ prometheus: bcrypt.hashSync('open sesame', 8) });
    const order: string[] = [];
    const guess = async (network: number, each: number): Promise<void> => {
      await judged(login, `prometheus:${network} ${each}`, `127.0.${network}.${each}`);
      order.push(String(network));
    };
    const counts = [10, 3, 3];
    await Promise.all(
      counts.flatMap((count, network) => Array.from({ length: count }, (_, each) => guess(network, each))),
    );
    // Two of the first network may run before the others have come; then it is one of each in turn.
    expect(order.slice(0, 10).filter((network) => network === '0').length).toBeLessThanOrEqual(5);
    expect(order.slice(-4)).toEqual(['0', '0', '0', '0']);
  });

  test('one sender has four places, whatever names and addresses of its /64 it takes', async () => {
    const login = loginFor({ prometheus: bcrypt.hashSync('open sesame', 8) });
    const guess = (each: number, address: string) => judged(login, `user ${each}:x`, address);
    const flood = Array.from({ length: 30 }, (_, each) => guess(each, `2001:db8:0:1::${each.toString(16)}`));
    expect((await Promise.all(flood)).filter((kind) => kind === 'unauthorized')).toHaveLength(4);
  });

  test('the same password at the same time is checked once', async () => {
    const login = loginFor({ prometheus: bcrypt.hashSync('open sesame', 8) });
    const many = Array.from({ length: 50 }, (_, each) => judged(login, 'prometheus:open sesame', `127.0.1.${each}`));
    expect(new Set(await Promise.all(many))).toEqual(new Set(['admitted']));
  });
});

describe('2.3 answers to those who are not let in', () => {
  test('come at once, a hundred in a second; more are held back for a second', () => {
    let now = 5_000;
    const refusals = createRefusals(() => now);
    const held = (count: number): number =>
      Array.from({ length: count }, () => refusals.holdMs()).filter((ms) => ms === 1_000).length;
    expect(held(100)).toBe(0);
    expect(held(50)).toBe(50);
    now += 999;
    expect(held(1)).toBe(1);
    now += 1;
    expect(held(101)).toBe(1);
  });

  test('and scrapes with a password that was let in are not held', async () => {
    const { web } = await secured(users);
    expect(await scrape(web.url, 'open sesame')).toBe(200);
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    onTestFinished(() => {
      clock.mockRestore();
    });
    const took = async (ask: Promise<number>): Promise<[status: number, ms: number]> => {
      const begun = Date.now();
      return [await ask, Date.now() - begun];
    };
    const stale = Array.from({ length: 150 }, (_, each) => took(scrape(web.url, 'stale', `127.0.2.${each + 1}`)));
    const flood = await Promise.all(stale);
    expect(flood.filter(([, ms]) => ms >= 990).length).toBeGreaterThanOrEqual(50);
    expect(new Set(flood.map(([status]) => status))).toEqual(new Set([401]));
    // The clock stands still: every refusal is held by now.
    expect((await took(scrape(web.url, 'stale')))[1]).toBeGreaterThanOrEqual(990);
    const scrapes = [];
    for (let each = 0; each < 5; each++) scrapes.push(await took(scrape(web.url, 'open sesame')));
    expect(scrapes.map(([status]) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(Math.min(...scrapes.map(([, ms]) => ms))).toBeLessThan(990);
  }, 60_000);
});

describe('limits of failures', () => {
  test('2.3 a stale password behind the same address, for the same user, does not lock out the right one', async () => {
    const login = loginFor({ prometheus: hash });
    for (let each = 0; each < 100; each++) expect(await judged(login, 'prometheus:stale')).toBe('unauthorized');
    expect(await judged(login, 'prometheus:open sesame')).toBe('admitted');
  });

  test('who guesses one name has to wait for that name alone', async () => {
    const login = loginFor({ prometheus: hash, grafana: hash });
    for (let each = 0; each < 10; each++) expect(await judged(login, `grafana:${each}`)).toBe('unauthorized');
    expect(await judged(login, 'grafana:11')).toBe('wait');
    expect(await judged(login, 'prometheus:open sesame')).toBe('admitted');
    expect(await judged(login, 'grafana:open sesame', '127.0.0.2')).toBe('admitted');
  });

  test('right passwords are no failures, however many users log in from one address', async () => {
    const names = Array.from({ length: 30 }, (_, each) => `user${each}`);
    const login = loginFor(Object.fromEntries(names.map((name) => [name, hash])));
    for (const name of names) expect(await judged(login, `${name}:open sesame`)).toBe('admitted');
  });

  test('a guesser in IPv6 is counted by its /64', async () => {
    const login = loginFor({ prometheus: hash });
    for (let each = 0; each < 10; each++)
      expect(await judged(login, `prometheus:${each}`, `2001:db8:0:1::${each}`)).toBe('unauthorized');
    expect(await judged(login, 'prometheus:next', '2001:db8:0:1:ffff::1')).toBe('wait');
    expect(await judged(login, 'prometheus:next', '2001:db8:0:2::1')).toBe('unauthorized');
  });

  test('a password that was refused is let in once it is right', async () => {
    const users = new Map([['prometheus', bcrypt.hashSync('other', 4)]]);
    const login = createLogin({ users: () => users, now: () => 0 });
    expect(await judged(login, 'prometheus:open sesame')).toBe('unauthorized');
    users.set('prometheus', hash);
    expect(await judged(login, 'prometheus:open sesame')).toBe('admitted');
  });
});

test('2.3 an unknown name, and one with a cheaper hash, cost what one costs at the highest cost of the file', async () => {
  const login = loginFor({ cheap: hash, dear: bcrypt.hashSync('open sesame', 8) });
  await judged(login, 'dear:warm up');
  const took = async (name: string): Promise<number> => {
    const times: number[] = [];
    for (let each = 0; each < 8; each++) {
      // Of all threads of this process, and whatever else the machine does meanwhile.
      const begun = process.cpuUsage();
      expect(await judged(login, `${name}:guess ${each}`)).toBe('unauthorized');
      const { user, system } = process.cpuUsage(begun);
      times.push((user + system) / 1000);
    }
    return Math.min(...times);
  };
  const dear = await took('dear');
  // A hash of cost 4 alone takes a sixteenth, one of cost 10 four times as much.
  for (const name of ['cheap', 'nobody']) {
    expect((await took(name)) / dear, name).toBeGreaterThan(0.3);
    expect((await took(`${name}2`)) / dear, name).toBeLessThan(2.5);
  }
}, 60_000);
