/**
 * The mail servers of the soak, in a process of their own: of every five one is healthy, one refuses, one is silent, one greets with
 * 554 and one shows a certificate of another name. First line on its output: their destinations, JSON. Ends with its input.
 */
import { healthy, refusing, rude, silent, wrongName } from '../../dist/commands/demo/smtp-servers.js';

const kinds = [healthy, refusing, silent, rude, wrongName];

const servers = await Promise.all(
  Array.from({ length: Number(process.argv[2]) }, (_, n) =>
    kinds[n % kinds.length]({ address: `127.0.${1 + Math.floor(n / 200)}.${1 + (n % 200)}` }),
  ),
);
console.log(JSON.stringify(servers.map(({ destination }) => destination)));
process.stdin.resume().once('end', () => process.exit());
