/** The built exporter but for one thing: new series are shown at once. Takes the arguments of the real one that it needs. */
import { createServer } from 'node:http';
import { createBoard } from '../../dist/board.js';
import { followFiles } from '../../dist/events/sources/files.js';
import { openLedger } from '../../dist/ledger.js';
import { createMetrics } from '../../dist/metrics.js';

const args = process.argv.slice(2);
const valueOf = (flag) => args.find((arg) => arg.startsWith(`--${flag}=`))?.slice(flag.length + 3) ?? '';
const files = args.slice(args.indexOf('--') + 1);
const inlets = {};
const ledger = await openLedger({
  directory: valueOf('state.directory'),
  now: Date.now,
  readingHistory: () => inlets.followed?.readingHistory() ?? true,
});
const metrics = createMetrics({
  ledger,
  board: createBoard(),
  sources: () => [],
  diagnoses: () => [],
  probeQueueLength: () => 0,
  reload: () => ({ successful: true, successAt: 0 }),
  destinationsLimit: 2000,
  connectors: () => [],
  inventoryModifiedAt: () => undefined,
  version: '0.0.0',
  holdsBirths: false,
});
const server = createServer((request, response) => {
  void metrics.render(request.socket.remoteAddress).then(({ page, wasRead }) => {
    response.setHeader('Content-Type', metrics.contentType);
    response.end(Buffer.concat(page.plain));
    wasRead();
  });
});
const [host, port] = valueOf('web.listen-address').split(':');
server.listen(Number(port), host, () => {
  console.error(`msg=listening url=http://${host}:${server.address().port}`);
});
const log = { debug: () => undefined, info: () => undefined, warn: console.error, error: console.error };
inlets.followed = followFiles({
  sources: files.map((name) => ({ name, paths: [name], server: 'exch01' })),
  checkpoints: ledger.checkpoints,
  post: ledger.post,
  knownConnectors: () => [],
  log,
  now: Date.now,
});
process.once('SIGTERM', async () => {
  await inlets.followed.stop();
  await ledger.close();
  server.close();
  server.closeAllConnections();
});
