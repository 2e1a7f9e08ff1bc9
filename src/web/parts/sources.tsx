/** The table of sources: where events are read from, and whether that works. */
import type { VNode } from 'preact';
import type { SourceStatus } from '../../model/status.js';
import { visibleText } from '../../runtime/visible-text.js';
import { Name } from './name.js';
import { Moment } from './pieces.js';
import { bytesOf, durationOf } from './words.js';

/** Where events are read from, and whether that works. */
export function Sources({ sources, now }: { sources: readonly SourceStatus[]; now: number }): VNode {
  if (sources.length === 0) {
    return <p class="muted">No source is configured: this exporter reads no events, it only probes.</p>;
  }
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Sources">
      <table class="cards">
        <caption>Where events are read from</caption>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Source</th>
            <th scope="col">Newest record</th>
            <th scope="col" class="n">
              Still to read
            </th>
            <th scope="col">In words</th>
          </tr>
        </thead>
        <tbody>
          {sources.map((source) => (
            <SourceRow key={source.source} source={source} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SourceRow({ source, now }: { source: SourceStatus; now: number }): VNode {
  return (
    <tr>
      <td data-label="State">
        <span class={`b ${source.up ? 'good' : 'bad'}`}>{source.up ? 'Read' : 'Cannot be read'}</span>
      </td>
      <th scope="row" data-label="Source">
        <code>
          <Name>{source.source}</Name>
        </code>
      </th>
      <td data-label="Newest record">
        {source.lastRecordAt === undefined ? (
          <span class="muted">none yet</span>
        ) : (
          <Moment at={source.lastRecordAt} now={now} />
        )}
      </td>
      <td data-label="Still to read" class="n">
        {source.lagBytes === 0 ? 'nothing' : `${bytesOf(source.lagBytes)}, for ${durationOf(source.lagSeconds)}`}
      </td>
      <td data-label="In words">{visibleText(source.detail)}</td>
    </tr>
  );
}
