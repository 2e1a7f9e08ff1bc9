/** The receiver of compose.yml: prints every notification of Alertmanager, one line an alert, so that paging can be seen. */
import { createServer } from 'node:http';

const { RECEIVER_HOST: host = '0.0.0.0', RECEIVER_PORT: port = '5001' } = process.env;
/** Alertmanager cuts nothing: a notification of thousands of alerts is a few MiB. */
const maximumBytes = 16 * 1024 * 1024;

const server = createServer((request, response) => {
  const pieces = [];
  let bytes = 0;
  request.on('data', (piece) => {
    bytes += piece.length;
    if (bytes <= maximumBytes) pieces.push(piece);
  });
  request.on('end', () => {
    const lines = bytes > maximumBytes ? undefined : linesOf(Buffer.concat(pieces).toString('utf8'));
    response.statusCode = lines === undefined ? 400 : 200;
    response.end();
    console.log(lines?.join('\n') ?? `not a notification of Alertmanager: ${request.method} ${bytes} bytes`);
  });
});

/** @returns a line for each alert, or undefined when the text is no notification */
function linesOf(text) {
  try {
    return JSON.parse(text).alerts.map(({ status, labels, annotations }) => {
      const words = [status.toUpperCase(), labels.severity ?? '', labels.alertname, annotations.summary ?? ''];
      // One line an alert, whatever is in a name.
      return `${words.join(' ').replace(/[\p{Cc}\u2028\u2029]/gu, ' ')}  ${annotations.runbook_url ?? ''}`.trimEnd();
    });
  } catch {
    return undefined;
  }
}

server.listen(Number(port), host, () => console.log(`waiting for notifications on ${host}:${server.address().port}`));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
