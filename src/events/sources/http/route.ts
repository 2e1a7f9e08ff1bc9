/** What a request asks for, from its URL and headers. */
import type { IncomingMessage } from 'node:http';
import { endpointOf } from '../../../model/endpoint.js';
import type { Compression } from '../push/inflate.js';
import type { AnswerForm, Refusal } from './answers.js';

export type Route = {
  /** Of the records too: OTLP as protobuf or JSON, or a text of any format. */
  readonly form: AnswerForm;
  readonly compression: Compression | undefined;
  /** Server of records that name none, where the request says it. */
  readonly server: string | undefined;
};

/** Thrown with what the sender is told. */
export class Refused extends Error {
  readonly refusal: Refusal;
  readonly form: AnswerForm | undefined;

  constructor(refusal: Refusal, form?: AnswerForm) {
    super(refusal.text);
    this.refusal = refusal;
    this.form = form;
  }
}

/** @throws Refused */
export function routeOf({ method, url = '/', headers }: IncomingMessage): Route {
  const [path = '', query = ''] = url.split('?', 2);
  if (path !== '/v1/logs' && path !== '/ingest')
    throw new Refused({
      status: 404,
      text: 'expected POST /v1/logs (OTLP) or POST /ingest (text of any known format)',
    });
  if (method !== 'POST') throw new Refused({ status: 405, text: `expected POST, got ${method}`, allow: 'POST' });
  const server = serverOf(new URLSearchParams(query).getAll('server'));
  const form = path === '/ingest' ? 'text' : otlpForm(headers['content-type']);
  return { form, server, compression: compressionOf(headers['content-encoding'], form) };
}

function serverOf([given, ...others]: readonly string[]): string | undefined {
  if (given === undefined) return undefined;
  if (others.length > 0)
    throw new Refused({
      status: 400,
      text: `expected one ?server=, got ${others.length + 1}; send the records of each server in a separate request`,
    });
  const isName = !given.includes(':') && endpointOf(given, 25)?.host !== undefined;
  if (isName) return given;
  throw new Refused({ status: 400, text: 'expected the name of a host in ?server=' });
}

function otlpForm(contentType = ''): 'protobuf' | 'json' {
  const [type = ''] = contentType.split(';', 1);
  const name = type.trim().toLowerCase();
  if (name === 'application/x-protobuf' || name === 'application/protobuf') return 'protobuf';
  if (name === 'application/json') return 'json';
  throw new Refused({
    status: 415,
    text: 'expected Content-Type application/x-protobuf or application/json; text goes to /ingest',
  });
}

function compressionOf(encoding: string | undefined, form: AnswerForm): Compression | undefined {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return undefined;
  if (name === 'gzip' || name === 'x-gzip') return 'gzip';
  if (name === 'deflate') return 'deflate';
  throw new Refused({ status: 415, text: 'expected Content-Encoding gzip, deflate or none' }, form);
}
