/** Keeps what was found: each kind once, with the inputs that may have done it, in a folder that is named at the end. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** Of one kind so many are told. */
const mostOfKind = 3;

/** @param inputFor makes the n-th input again */
export function createFaults(seed, inputFor) {
  const kinds = new Map();
  const saving = [];
  let folder;

  const note = async (what, detail, inputs, log) => {
    const kind = `${what}: ${detail.replace(/\d+/g, 'N').slice(0, 100)}`;
    const times = (kinds.get(kind) ?? 0) + 1;
    kinds.set(kind, times);
    if (times > mostOfKind) return;
    folder ??= mkdtemp(path.join(os.tmpdir(), 'fuzz-faults-'));
    const place = path.join(await folder, `${kinds.size}-${times}-${what.replaceAll(' ', '-')}`);
    await mkdir(place, { recursive: true });
    await writeFile(
      path.join(place, 'about.json'),
      JSON.stringify({ seed, what, detail, inputs: inputs.map(aboutOf) }),
    );
    if (log) await writeFile(path.join(place, 'exporter.log'), log);
    for (const { n, bytes } of inputs) await writeFile(path.join(place, `${n}.log`), bytes);
    console.log(`${what}: ${detail}\n  saved in ${place}`);
  };

  return {
    /** A fault of one input, made again from its number. */
    ofThread: ({ n, fault: { what, detail } }) => saving.push(note(what, detail, [{ n, ...inputFor(n) }])),
    /** A fault of the whole exporter: one of the inputs written last did it. */
    ofWhole: note,
    /** @returns whether there were faults */
    told: async () => {
      await Promise.all(saving);
      for (const [kind, times] of kinds) console.log(`${times} times ${kind}`);
      return kinds.size > 0;
    },
  };
}

function aboutOf({ n, name, bytes, turn }) {
  return { n, name, bytes: bytes.length, turn };
}
