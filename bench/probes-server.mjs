/**
 * The SMTP servers that both are measured against, in a process of its own so that its CPU is nobody's. They show a leaf
 * and its authority of 2048-bit RSA, as Exchange does. First line: the certificate to trust and the destinations, JSON.
 */
import { createAuthority } from '../dist/commands/demo/certificates.js';
import { healthy } from '../dist/commands/demo/smtp-servers.js';

const authority = createAuthority('Bench Authority', 'rsa');
const certificate = authority.issue(['mail.contoso.example']);
const addresses = Array.from({ length: Number(process.argv[2]) }, (_, index) => `127.0.0.${index + 1}`);
const servers = await Promise.all(addresses.map((address) => healthy({ address, certificate })));
console.log(JSON.stringify({ ca: authority.cert, destinations: servers.map(({ destination }) => destination) }));
