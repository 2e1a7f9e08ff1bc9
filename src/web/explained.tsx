/** The diagnosis of a row as a sentence, with the next command to type. */
import type { VNode } from 'preact';
import { nextCommandOf } from './next-command.js';
import type { Row } from './view.js';

/** Nothing for a row without errors within the last hour: there is nothing to explain. */
export function Explained({ row }: { row: Row }): VNode | null {
  if (!row.diagnosis) return null;
  const { connector, destination, entry, server } = row;
  const next = nextCommandOf(row.diagnosis.word, { connector, destination, host: entry?.latest.host });
  return (
    <>
      <p class="diagnosis">{row.diagnosis.sentence}</p>
      {next ? (
        <div class="command">
          <span>
            Next, on <b>{server}</b>: {next.why}
          </span>
          <div class="code">
            <pre tabIndex={0}>
              <code>{next.command}</code>
            </pre>
          </div>
        </div>
      ) : null}
    </>
  );
}
