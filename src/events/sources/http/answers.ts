/** The answers of the receiver, in the form that the sender of a request reads. */
import type { ServerResponse } from 'node:http';
import Pbf from 'pbf';

/** How an answer is written: as OTLP says for its two encodings, or as text. */
export type AnswerForm = 'protobuf' | 'json' | 'text';

/** Senders of OTLP send again after 429, 502, 503 and 504 only; after anything else, 500 included, what they sent is lost. */
export type Refusal = {
  readonly status: number;
  readonly text: string;
  /** Seconds. */
  readonly retryAfter?: number;
  /** Methods that the address knows. */
  readonly allow?: string;
};

const contentTypes: Readonly<Record<AnswerForm, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
};

export function refuse(response: ServerResponse, form: AnswerForm, { status, text, retryAfter, allow }: Refusal): void {
  if (response.headersSent || response.destroyed) return;
  if (allow !== undefined) response.setHeader('Allow', allow);
  if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter));
  send(response, form, status, refusalBody(form, status, text));
}

/** google.rpc.Status. */
function refusalBody(form: AnswerForm, status: number, message: string): Buffer | string {
  const code = rpcCodes[status] ?? 3;
  if (form === 'json') return JSON.stringify({ code, message });
  if (form === 'text') return `${message}\n`;
  const pbf = new Pbf();
  pbf.writeVarintField(1, code);
  pbf.writeStringField(2, message);
  return Buffer.from(pbf.finish());
}

/** UNAUTHENTICATED, RESOURCE_EXHAUSTED, UNAVAILABLE; all others are INVALID_ARGUMENT. */
const rpcCodes: Readonly<Record<number, number>> = { 401: 16, 413: 8, 503: 14 };

/** ExportLogsServiceResponse; with a partial success when records could not be read. */
export function acceptOtlp(response: ServerResponse, form: 'protobuf' | 'json', rejected: number, why: string): void {
  if (form === 'json') {
    const partialSuccess = { rejectedLogRecords: String(rejected), errorMessage: why };
    send(response, form, 200, JSON.stringify(rejected > 0 ? { partialSuccess } : {}));
    return;
  }
  const pbf = new Pbf();
  if (rejected > 0)
    pbf.writeMessage(
      1,
      (_response, inner) => {
        inner.writeVarintField(1, rejected);
        inner.writeStringField(2, why);
      },
      undefined,
    );
  send(response, form, 200, Buffer.from(pbf.finish()));
}

/** @param answer what became of the records of the request */
export function acceptText(
  response: ServerResponse,
  answer: Readonly<Record<string, number | string | undefined>>,
): void {
  send(response, 'json', 200, `${JSON.stringify(answer)}\n`);
}

function send(response: ServerResponse, form: AnswerForm, status: number, body: Buffer | string): void {
  if (response.headersSent || response.destroyed) return;
  const length = Buffer.byteLength(body);
  response.writeHead(status, { 'Content-Type': contentTypes[form], 'Content-Length': length }).end(body);
}
