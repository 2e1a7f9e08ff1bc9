/** The real Alertmanager on loopback, and an inbox that keeps what it sends: web hooks of every kind, and mail. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createMailServer, type AddressInfo, type Server } from 'node:net';
import path from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import { findProgram } from '../support/programs.js';

/** @returns its address, without a slash at the end */
export async function startAlertmanager(context: TestContext, folder: string, config: object): Promise<string> {
  // Debian's package has the longer name.
  const program = findProgram('prometheus-alertmanager', 'alertmanager');
  if (program === undefined) context.skip();
  const file = path.join(folder, 'alertmanager.yml');
  const data = path.join(folder, 'alertmanager-data');
  await writeFile(file, JSON.stringify(config));
  await mkdir(data);
  const args = [`--config.file=${file}`, `--storage.path=${data}`, '--web.listen-address=127.0.0.1:0'];
  // No cluster: without this it would listen on all addresses for others of its kind.
  const child = spawn(program, [...args, '--cluster.listen-address='], { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGKILL')) await ended;
  });
  let log = '';
  return new Promise<string>((found, failed) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      const port = /msg="Listening on" address=127\.0\.0\.1:(\d+)/.exec(log)?.[1];
      if (port !== undefined) found(`http://127.0.0.1:${port}`);
    });
    child.once('exit', (code) => {
      failed(new Error(`Alertmanager ended with ${code}:\n${log}`));
    });
  });
}

/** One request of a web hook, in the order of arrival. */
export type Request = { readonly path: string; readonly body: unknown };

/** Takes whatever is posted as JSON, and answers each path as its service would. */
export async function startInbox(): Promise<{ readonly url: string; readonly requests: readonly Request[] }> {
  const requests: Request[] = [];
  const server = createHttpServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      requests.push({ path: request.url ?? '', body: JSON.parse(body) as unknown });
      response.statusCode = request.url === '/pagerduty' ? 202 : 200;
      response.end(request.url === '/pagerduty' ? '{"status":"success"}' : 'ok');
    });
  });
  return { url: `http://127.0.0.1:${await listening(server)}`, requests };
}

/** Takes every mail. @returns its address and the mails as they came over the wire, without the dots of SMTP */
export async function startMailbox(): Promise<{ readonly address: string; readonly mails: readonly string[] }> {
  const mails: string[] = [];
  const server = createMailServer((socket) => {
    let text = '';
    let inData = false;
    socket.on('error', () => undefined);
    socket.write('220 loopback ESMTP\r\n');
    socket.setEncoding('latin1').on('data', (more: string) => {
      text += more;
      for (;;) {
        const end = inData ? text.indexOf('\r\n.\r\n') : text.indexOf('\r\n');
        if (end < 0) return;
        const piece = text.slice(0, end);
        text = text.slice(end + (inData ? 5 : 2));
        if (inData) mails.push(piece.replace(/^\.\./gm, '.'));
        inData = !inData && /^DATA$/i.test(piece);
        socket.write(inData ? '354 go on\r\n' : /^QUIT$/i.test(piece) ? '221 bye\r\n' : '250 ok\r\n');
      }
    });
  });
  return { address: `127.0.0.1:${await listening(server)}`, mails };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    if ('closeAllConnections' in server) (server as Server & { closeAllConnections: () => void }).closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
