/** A DNS server on loopback that says what a test tells it to (RFC 1035, just enough). */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import ipaddr from 'ipaddr.js';

/** Records of one name and type: `10 mx.contoso.example` for MX, addresses for A and AAAA, or a failure. */
export type Answer = readonly string[] | 'nxdomain' | 'servfail' | 'refused' | 'silent';

export type DnsServer = {
  /** For `setServers`: `127.0.0.1:12345`. */
  readonly server: string;
  /** Changed by tests between rounds; key `contoso.example MX`. A name without any entry does not exist. */
  readonly zone: Map<string, Answer>;
  /** Questions asked so far, in the form of the keys. */
  readonly questions: string[];
  readonly close: () => void;
};

const types: Readonly<Record<number, string>> = { 1: 'A', 15: 'MX', 28: 'AAAA' };
const codes = { servfail: 2, nxdomain: 3, refused: 5 } as const;

export async function startDnsServer(records: Readonly<Record<string, Answer>> = {}): Promise<DnsServer> {
  const zone = new Map(Object.entries(records));
  const questions: string[] = [];
  const socket = dgram.createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, type, end } = readQuestion(query);
    questions.push(`${name} ${type}`);
    const known = [...zone.keys()].some((key) => key.startsWith(`${name} `));
    const answer = zone.get(`${name} ${type}`) ?? (known ? [] : 'nxdomain');
    if (answer !== 'silent') socket.send(encode(query, end, type, answer), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { server: `127.0.0.1:${socket.address().port}`, zone, questions, close: () => socket.close() };
}

function readQuestion(query: Buffer): { name: string; type: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: types[query.readUInt16BE(at + 1)] ?? '?', end: at + 5 };
}

function encode(query: Buffer, end: number, type: string, answer: Exclude<Answer, 'silent'>): Buffer {
  const records = typeof answer === 'string' ? [] : answer;
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | (typeof answer === 'string' ? codes[answer] : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.subarray(12, end), ...records.map((text) => recordOf(type, text))]);
}

function recordOf(type: string, text: string): Buffer {
  const data = type === 'MX' ? mxOf(text) : Buffer.from(ipaddr.parse(text).toByteArray());
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(Number(Object.keys(types).find((key) => types[Number(key)] === type)), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function mxOf(text: string): Buffer {
  const [preference = '0', exchange = '.'] = text.split(' ');
  const labels = exchange.split('.').filter((label) => label !== '');
  const name = labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')]));
  return Buffer.concat([Buffer.from([0, Number(preference)]), ...name, Buffer.from([0])]);
}

/** True when this host can listen on ::1. */
export async function hasIpv6(): Promise<boolean> {
  const server = net.createServer().listen(0, '::1');
  return new Promise((resolve) => {
    server
      .once('listening', () =>
        server.close(() => {
          resolve(true);
        }),
      )
      .once('error', () => {
        resolve(false);
      });
  });
}
