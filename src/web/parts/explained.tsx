/** The diagnosis of a row as a sentence, with the next commands to type, each under the host on which it runs. */
import type { VNode } from 'preact';
import { Name, Sentence } from './name.js';
import { nextCommandsOf, type NextCommand } from './next-command.js';
import type { PageContext } from '../pages/page.js';
import type { Row } from '../view.js';

/** Nothing for a row without errors within the last hour: there is nothing to explain. */
export function Explained({ row, page }: { row: Row; page: PageContext }): VNode | null {
  if (!row.diagnosis) return null;
  const { connector, destination, entry, server } = row;
  const own = page.ownHost();
  const commands = nextCommandsOf(row.diagnosis.word, { connector, destination, host: entry?.latest.host }, own);
  return (
    <>
      <p class="diagnosis">
        <Sentence text={row.diagnosis.sentence} names={[connector, destination, server]} />
      </p>
      {commands.map((next) => (
        <Command key={next.command} next={next} server={server} windows={own.windows} />
      ))}
    </>
  );
}

type CommandProps = {
  readonly next: NextCommand;
  readonly server: string | undefined;
  /** Whether this exporter runs on Windows. */
  readonly windows: boolean;
};

function Command({ next, server, windows }: CommandProps): VNode {
  const onServer = next.where === 'server';
  return (
    <div class="command">
      <span>
        Next, on <b>{onServer ? <Name>{server ?? ''}</Name> : 'the host of this exporter'}</b> (
        {onServer || windows ? 'PowerShell' : 'shell'}): {next.why}
      </span>
      <div class="code">
        <pre tabIndex={0}>
          <code>{next.command}</code>
        </pre>
      </div>
    </div>
  );
}
