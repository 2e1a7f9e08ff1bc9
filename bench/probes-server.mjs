/** The SMTP server that both are measured against, in a process of its own so that its CPU is nobody's. */
import { healthy } from '../dist/commands/demo/smtp-servers.js';

const server = await healthy();
console.log(server.destination);
