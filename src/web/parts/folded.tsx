/** Destinations beyond the limit: counted together as `other`, and listed here by name while they are known. */
import type { VNode } from 'preact';
import { Name } from './name.js';
import type { PageContext } from '../pages/page.js';

/** Nothing while nothing was folded. */
export function Folded({ page }: { page: PageContext }): VNode | null {
  const { errors, latest } = page.ledger.folded();
  if (errors === 0) return null;
  return (
    <details class="notices">
      <summary>
        {errors === 1 ? 'One error' : `${errors.toLocaleString('en-US')} errors`} since the start counted under the
        destination “other”
      </summary>
      <p>
        Their Send connector has as many destinations as are shown by name (<code>destinations.limit</code>). The counts
        of each Send connector are exact all the same. The latest of these destinations, newest first:
      </p>
      <ul>
        {[...latest].reverse().map(({ connector, destination }) => (
          <li>
            <Name>{connector}</Name> → <Name>{destination}</Name>
          </li>
        ))}
      </ul>
    </details>
  );
}
