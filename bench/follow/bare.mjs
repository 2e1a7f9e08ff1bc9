/** What following a file takes at least: every 20 ms its size, and what has been appended, cut into lines. `node bare.mjs FILE` */
import { open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const handle = await open(process.argv[2]);
const buffer = Buffer.allocUnsafe(4 << 20);
let [at, lines] = [0, 0];
process.once('SIGTERM', () => {
  console.log(`${lines} lines`);
  process.exit();
});
for (;;) {
  await pause(20);
  const { size } = await handle.stat();
  if (size === at) continue;
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
  const read = buffer.subarray(0, bytesRead);
  for (let end = read.indexOf(10); end >= 0; end = read.indexOf(10, end + 1)) lines++;
  at += bytesRead;
}
