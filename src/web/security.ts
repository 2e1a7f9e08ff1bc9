/** What protects readers and the exporter: response headers, limits and timeouts of the server. */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';

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

/** Sets the headers that every answer carries. */
export function secureHeaders(response: ServerResponse): void {
  response.setHeader('Content-Security-Policy', contentSecurityPolicy);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  // Addresses carry names of connectors: they do not go to the sites that runbooks link to.
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Permissions-Policy', 'camera=(), geolocation=(), microphone=()');
  response.setHeader('Cache-Control', 'no-store');
}

/** A server that a slow, silent or greedy client cannot exhaust. */
export function createLimitedServer(listener: RequestListener): Server {
  const server = createServer({ maxHeaderSize: 16 * 1024, connectionsCheckingInterval: 5_000 }, listener);
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  // Longer than the usual scrape interval of a minute, so that Prometheus keeps its connection.
  server.keepAliveTimeout = 75_000;
  server.setTimeout(120_000);
  server.maxHeadersCount = 100;
  server.maxConnections = 1024;
  return server;
}
