/** Finds a port of loopback to listen on. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** The preferred port when nobody has it, else a free one. Another program may still take it before it is used. */
export async function freePort(preferred: number): Promise<number> {
  return (await portIfFree(preferred)) ?? (await portIfFree(0)) ?? 0;
}

async function portIfFree(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}
