/** Writes requests of OTLP logs as protobuf, from the JSON form of the same request. */
import Pbf from 'pbf';

type Any = Readonly<Record<string, unknown>>;
export type OtlpRequest = {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly { readonly logRecords: readonly Any[] }[];
  }[];
};

/** An ExportLogsServiceRequest; fields by opentelemetry-proto 1.9. */
export function protobufOf({ resourceLogs }: OtlpRequest): Buffer {
  const pbf = new Pbf();
  for (const { scopeLogs } of resourceLogs)
    pbf.writeMessage(
      1,
      (_resource, inner) => {
        inner.writeMessage(1, () => undefined, undefined);
        for (const { logRecords } of scopeLogs) inner.writeMessage(2, writeScope, logRecords);
      },
      undefined,
    );
  return Buffer.from(pbf.finish());
}

function writeScope(records: readonly Any[] | undefined, pbf: Pbf): void {
  for (const record of records ?? []) pbf.writeMessage(2, writeLog, record);
}

function writeLog(log: Any | undefined, pbf: Pbf): void {
  pbf.writeFixed64Field(1, Number(log?.timeUnixNano ?? 0));
  pbf.writeVarintField(2, Number(log?.severityNumber ?? 0));
  if (log?.body !== undefined) pbf.writeMessage(5, writeAny, log.body);
  for (const pair of (log?.attributes ?? []) as Any[]) pbf.writeMessage(6, writePair, pair);
}

function writePair(pair: Any | undefined, pbf: Pbf): void {
  pbf.writeStringField(1, String(pair?.key));
  pbf.writeMessage(2, writeAny, pair?.value);
}

function writeAny(any: unknown, pbf: Pbf): void {
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = (any ?? {}) as Record<
    string,
    unknown
  >;
  if (stringValue !== undefined) pbf.writeStringField(1, stringValue as string);
  if (boolValue !== undefined) pbf.writeBooleanField(2, boolValue as boolean);
  if (intValue !== undefined) pbf.writeVarintField(3, Number(intValue));
  if (doubleValue !== undefined) pbf.writeDoubleField(4, doubleValue as number);
  if (bytesValue !== undefined) pbf.writeBytesField(7, Buffer.from(bytesValue as string, 'base64'));
  if (arrayValue !== undefined)
    pbf.writeMessage(
      5,
      (_list, inner) => {
        for (const each of (arrayValue as { values?: unknown[] }).values ?? []) inner.writeMessage(1, writeAny, each);
      },
      undefined,
    );
  if (kvlistValue !== undefined)
    pbf.writeMessage(
      6,
      (_list, inner) => {
        for (const each of (kvlistValue as { values?: Any[] }).values ?? []) inner.writeMessage(1, writePair, each);
      },
      undefined,
    );
}

/** A plain value as an AnyValue in JSON. */
function anyOf(value: unknown): Any {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyOf) } };
  if (value === null || typeof value !== 'object') return {};
  return { kvlistValue: { values: Object.entries(value).map(([key, inner]) => ({ key, value: anyOf(inner) })) } };
}

/** A request of one batch with these bodies. */
export function requestOf(bodies: readonly unknown[]): OtlpRequest {
  return { resourceLogs: [{ scopeLogs: [{ logRecords: bodies.map((body) => ({ body: anyOf(body) })) }] }] };
}
