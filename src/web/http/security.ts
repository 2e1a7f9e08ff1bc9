/** What protects readers and the exporter: response headers, limits and timeouts of the server. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer, type ServerOptions } from 'node:https';

/**
 * Everything comes from this exporter, nothing is inline, nothing may frame us. A name from a log that slipped through
 * escaping would still not run.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Sets the headers that every answer carries. @param changes of the web configuration; an empty value takes one away */
export function secureHeaders(response: ServerResponse, changes: Readonly<Record<string, string>>): void {
  response.setHeader('Content-Security-Policy', contentSecurityPolicy);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  // Addresses carry names of connectors: they do not go to the sites that runbooks link to.
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Permissions-Policy', 'camera=(), geolocation=(), microphone=()');
  response.setHeader('Cache-Control', 'no-store');
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') response.removeHeader(name);
    else response.setHeader(name, value);
  }
}

/** A server that a slow, silent or greedy client cannot exhaust. @param tls options of node:https; absent: plain HTTP */
export function createLimitedServer(listener: RequestListener, tls?: ServerOptions): Server | SecureServer {
  const limits = { maxHeaderSize: 16 * 1024, connectionsCheckingInterval: 5_000 };
  // Clients may end their side once they have asked (`nc -N`, some proxies): they get their whole answer all the same.
  const halfOpen = { allowHalfOpen: true };
  const server = tls
    ? createSecureServer({ ...limits, ...halfOpen, ...tls }, listener)
    : createServer(limits, listener);
  // Whoever asks before it sends a body is answered by the login check; what reads the body tells it to continue.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // Node looks for the word alone; the one expectation that RFC 9110 knows has neither value nor parameters.
    if (isContinue(request)) listener(request, response);
    else refuseExpectation(request, response);
  });
  server.on('checkExpectation', refuseExpectation);
  Object.assign(server, { httpAllowHalfOpen: true });
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  // Longer than the usual scrape interval of a minute, so that Prometheus keeps its connection.
  server.keepAliveTimeout = 75_000;
  server.setTimeout(120_000);
  server.maxHeadersCount = 100;
  server.maxConnections = 2048;
  return server;
}

function isContinue({ headers }: IncomingMessage): boolean {
  return headers.expect?.trim().toLowerCase() === '100-continue';
}

/** The connection is closed: nobody knows whether the body will come. */
function refuseExpectation({ headers }: IncomingMessage, response: ServerResponse): void {
  const text = `Expected 100-continue in Expect, got ${String(headers.expect)}.\n`;
  secureHeaders(response, {});
  response
    .writeHead(417, {
      Connection: 'close',
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': Buffer.byteLength(text),
    })
    .end(text);
}

/**
 * The other web site that a browser sent a request for, or undefined: our own pages, and programs, which send no Origin.
 * Browsers tell `Sec-Fetch-Site` only over TLS and to loopback, `Origin` with every POST (Fetch standard, section 3.2).
 * @param externalUrl under which browsers may know us, when a proxy changes the Host on the way
 */
export function foreignSite(
  { host, origin, 'sec-fetch-site': relation = 'none' }: IncomingHttpHeaders,
  externalUrl: string | undefined,
): string | undefined {
  if (relation !== 'none' && relation !== 'same-origin') return 'another site';
  if (origin === undefined) return undefined;
  if (!URL.canParse(origin)) return 'a site without a name';
  const from = new URL(origin);
  if (externalUrl !== undefined && from.origin === new URL(externalUrl).origin) return undefined;
  // The scheme decides what an absent port means: example:80 is the Host of http://example.
  const own = `${from.protocol}//${host ?? ''}`;
  return URL.canParse(own) && new URL(own).host === from.host ? undefined : 'another site';
}

/** A token bucket: `burst` requests at once, one more each `intervalMs`. @returns milliseconds to wait, 0: go on */
export function createBucket(now: () => number): (limit: { intervalMs: number; burst: number }) => number {
  let spent = 0;
  let at = now();
  return ({ intervalMs, burst }) => {
    spent = Math.max(0, spent - (now() - at) / intervalMs);
    at = now();
    if (spent + 1 > burst) return Math.max(1, (spent + 1 - burst) * intervalMs);
    spent += 1;
    return 0;
  };
}
