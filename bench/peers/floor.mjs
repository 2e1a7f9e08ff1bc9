/** What Node itself needs to read a file, cut it into lines and look for the bytes of event 2002: `node floor.mjs FILE`. */
import { open } from 'node:fs/promises';

const handle = await open(process.argv[2]);
const buffer = Buffer.allocUnsafe(4 << 20);
const wanted = Buffer.from('2002');
let [lines, found, kept] = [0, 0, 0];
for (;;) {
  const { bytesRead } = await handle.read(buffer, kept, buffer.length - kept);
  if (bytesRead === 0) break;
  const filled = buffer.subarray(0, kept + bytesRead);
  let from = 0;
  for (let end; (end = filled.indexOf(10, from)) >= 0; from = end + 1) lines++;
  for (let at = filled.indexOf(wanted); at >= 0 && at < from; at = filled.indexOf(wanted, at + wanted.length)) found++;
  filled.copyWithin(0, from);
  kept = filled.length - from;
}
await handle.close();
console.log(JSON.stringify({ lines, found }));
