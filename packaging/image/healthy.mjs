/**
 * The health check of the image: node healthy.mjs [STATE FOLDER]. Asks the exporter by the socket in its state folder, so it
 * holds whatever address, TLS or users its pages have. Ends with 0 when the exporter answers, with 1 when it does not.
 */
import { connect } from 'node:net';
import path from 'node:path';

const [folder = '/var/lib/send-connector-exporter'] = process.argv.slice(2);
const end = (code, text) => {
  console.log(text);
  process.exit(code);
};
let answer = '';
connect(path.join(folder, 'exporter.sock'))
  .setEncoding('utf8')
  .on('data', (text) => (answer += text))
  .on('error', ({ message }) => end(1, `no exporter answers: ${message}`))
  .on('end', () =>
    /^\d+$/.test(answer) ? end(0, 'healthy') : end(1, 'expected a process id as the answer, got none'),
  );
setTimeout(end, 4000, 1, 'no answer within 4 s');
