/** The real web server with a web configuration beside its certificates, and requests to it over TLS. */
import { rename, writeFile } from 'node:fs/promises';
import { request, type RequestOptions } from 'node:https';
import path from 'node:path';
import bcrypt from 'bcryptjs';
import { onTestFinished } from 'vitest';
import { createAuthority, type Certificate } from '../../src/commands/demo/certificates.js';
import { openAccess, type Access } from '../../src/web/http/access.js';
import type { WebOptions } from '../../src/web/http/server.js';
import { temporaryFolder } from '../support/folder.js';
import { keepingLog } from '../support/log-double.js';
import { runningWeb, type RunningWeb } from './servers.js';

export const authority = createAuthority('Contoso Test CA');
/** Of the password "open sesame". */
export const hash = bcrypt.hashSync('open sesame', 4);

export type World = {
  readonly web: RunningWeb;
  readonly access: Access;
  readonly log: ReturnType<typeof keepingLog>;
  readonly port: number;
  readonly folder: string;
  readonly write: (yaml: string) => Promise<void>;
  readonly writePair: (pair: Certificate, name?: string) => Promise<void>;
};

/** A web server with the configuration `web.yml`, beside the files server.crt, server.key and ca.crt. */
export async function secured(
  yaml: string,
  pair: Certificate = authority.issue(['localhost', '127.0.0.1']),
  changes: Partial<WebOptions> = {},
): Promise<World> {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'web.yml');
  const writePair = async ({ cert, key }: Certificate, name = 'server'): Promise<void> => {
    await writeFile(path.join(folder, `${name}.key`), key);
    await writeFile(path.join(folder, `${name}.crt`), cert);
  };
  const write = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  await writePair(pair);
  await writeFile(path.join(folder, 'ca.crt'), authority.cert);
  await write(yaml);
  const log = keepingLog();
  const access = await openAccess(file, log);
  const web = await runningWeb({}, { ...changes, access });
  onTestFinished(async () => {
    access.close();
    await web.close();
  });
  return { web, access, log, folder, port: Number(new URL(web.url).port), write, writePair };
}

export const tls = 'tls_server_config: { cert_file: server.crt, key_file: server.key }\n';
export const users = `basic_auth_users: { prometheus: "${hash}" }\n`;

/** @returns the status, or the code of the error that the connection ended with */
export function ask(port: number, options: RequestOptions = {}): Promise<number | string> {
  return new Promise((resolve) => {
    const sent = request(
      {
        host: '127.0.0.1',
        servername: 'localhost',
        port,
        path: '/metrics',
        ca: authority.cert,
        agent: false,
        ...options,
      },
      (response) => {
        response.resume().on('end', () => {
          resolve(response.statusCode ?? 0);
        });
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) => {
      resolve(`${error.code}: ${error.message}`);
    });
    sent.end();
  });
}
