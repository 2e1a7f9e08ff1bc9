/**
 * Signs the program and its MSI: npm run sign -- --pkcs12 FILE [--password-file FILE] [--timestamp URL] [FOLDER]
 *
 * The MSI is made again, from the signed program. Without --timestamp nothing is asked of the network, and the signatures
 * end with the certificate.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildMsi } from './msi.mjs';

const root = path.dirname(import.meta.dirname);

/** Puts a signature on one file. @throws when osslsigncode refuses the certificate, the password or the file */
export async function signFile(file, { pkcs12, passwordFile, timestamp }) {
  const signed = `${file}.signed`;
  await rm(signed, { force: true });
  const secret = passwordFile === undefined ? ['-pass', ''] : ['-readpass', passwordFile];
  const stamp = timestamp === undefined ? [] : ['-ts', timestamp];
  const name = ['-n', 'Send connector exporter', '-h', 'sha256'];
  const args = ['sign', '-pkcs12', pkcs12, ...secret, ...name, ...stamp, '-in', file, '-out', signed];
  execFileSync('osslsigncode', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  await rename(signed, file);
}

/** Signs the program in a folder, makes the MSI of it and signs that. @returns the MSI */
export async function signAll(folder, { version, ...how }) {
  const program = path.join(folder, 'send-connector-exporter.exe');
  if (!existsSync(program)) throw new Error(`${program} is not there: npm run build:exe makes it`);
  await signFile(program, how);
  const msi = await buildMsi({ program, folder, version });
  await signFile(msi, how);
  return [program, msi];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { pkcs12: { type: 'string' }, 'password-file': { type: 'string' }, timestamp: { type: 'string' } },
  });
  const { pkcs12, timestamp, 'password-file': passwordFile } = values;
  if (pkcs12 === undefined || !existsSync(pkcs12)) {
    console.error(
      'expected a certificate with its key: npm run sign -- --pkcs12 FILE [--password-file FILE] [--timestamp URL]',
    );
    process.exit(2);
  }
  const folder = path.resolve(positionals[0] ?? path.join(root, 'build'));
  console.log((await signAll(folder, { pkcs12, timestamp, passwordFile })).join('\n'));
}
