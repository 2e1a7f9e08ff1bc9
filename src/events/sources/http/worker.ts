/** Decodes requests one after the other, part by part: never more objects at once than are entered in one batch. */
import type { ServerResponse } from 'node:http';
import type { Decoded } from '../../../model/records.js';
import { createBreath } from '../../../runtime/breath.js';
import { UnreadableRecord } from '../../decode/unreadable.js';
import { emptyOtlpBatch, type OtlpBatch, readOtlp } from '../../otlp/otlp.js';
import type { Gathered } from '../push/blocks.js';
import { type Entry, inTime, Late, mostAtOnce, type Pushed, sumOf } from '../push/entry.js';
import { createIngester } from '../push/ingest.js';
import { unpacker } from '../push/memory.js';
import { acceptOtlp, acceptText, type Refusal } from './answers.js';
import type { HttpPart } from './part.js';
import { Refused, type Route } from './route.js';

/** Whoever has waited for longer is told to come again: senders give up after some ten seconds. */
const patienceMs = 5_000;

type Parts = { readonly part: HttpPart; readonly entry: Entry };

/** Resolves, when what a request brought is saved, with how it is answered. */
type Work = (route: Route, body: Gathered) => Promise<(response: ServerResponse) => void>;

export function createWorker({ part, entry }: Parts): Work {
  const breathe = createBreath();
  const ingest = createIngester();

  /** Reads a request of OTLP; what was read before a damage counts. */
  const readRequest = async (bytes: Buffer, form: 'protobuf' | 'json', enter: Enter): Promise<OtlpBatch> => {
    const batch = emptyOtlpBatch();
    const handOver = (): Promise<void> => enter(takenFrom(batch));
    const steps = readOtlp(bytes, form, batch);
    let damage: UnreadableRecord | undefined;
    try {
      while (steps.next().done !== true) {
        if (batch.decoded.length >= mostAtOnce) await handOver();
        const pause = breathe();
        if (pause) await pause;
      }
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) throw error;
      damage = error;
    }
    await enter({ ...takenFrom(batch), ignored: batch.ignored, unreadable: batch.unreadable });
    if (damage) throw damage;
    return batch;
  };

  return async (route, body) => {
    const { form, compression } = route;
    const server = route.server ?? part.server;
    let [isNews, records, unread] = [false, 0, 0];
    let problem: string | undefined;
    const enter: Enter = async (pushed) => {
      // Whoever has waited for its turn must not wait for the ledger as long again.
      if (entry.isLate()) throw new Late('the ledger is late');
      if (server === '' && pushed.decoded.some(isWithoutServer)) throw new Refused(unnamed);
      records += pushed.decoded.length + pushed.ignored + sumOf(pushed.unreadable);
      const entered = await inTime(entry.enter(pushed, server));
      isNews ||= entered.isNews;
      unread += entered.unreadable;
      problem ??= entered.problem;
    };
    // The blocks are free for others as soon as they are unpacked.
    const { trouble = problem } = await unpacker.unpack(
      body.parts(),
      compression,
      (bytes) => (form === 'text' ? ingest(bytes, 'the request', enter) : readRequest(bytes, form, enter)),
      { unpacked: body.release, patienceMs },
    );
    // Of a text nobody looks into the answer to a success; senders of OTLP read theirs.
    if (form === 'text' && unread > 0 && unread === records) throw new Refused(nothingRead(unread, trouble));
    // What holds nothing that counts has nothing to be saved.
    if (isNews) await inTime(entry.saved());
    return (response) => {
      if (form === 'text') acceptText(response, { records, unreadable: unread, problem: trouble });
      else acceptOtlp(response, form, unread, trouble ?? '');
    };
  };
}

type Enter = (part: Pushed) => Promise<void>;

function takenFrom({ decoded }: { readonly decoded: Decoded[] }): Pushed {
  return { decoded: decoded.splice(0), ignored: 0, unreadable: {} };
}

function isWithoutServer({ kind }: Decoded): boolean {
  return kind === 'send_row' || kind === 'connectivity_row';
}

const unnamed: Refusal = {
  status: 400,
  text: 'a transport log does not name its server; name it in the URL: /ingest?server=EXCH01',
};

function nothingRead(count: number, trouble = 'it cannot be read'): Refusal {
  const text = `none of its ${count} records can be read; the first one: ${trouble}`;
  return { status: 400, text: `${text}; expected exported Windows events (see the table of formats in the README)` };
}
