/** Fields that the filters of several pages share. */
import type { VNode } from 'preact';
import { visibleText } from '../../runtime/visible-text.js';

export function SearchField({ value, placeholder }: { value: string; placeholder: string }): VNode {
  return (
    <label>
      <span>Search</span>
      <input
        type="search"
        name="q"
        value={value}
        maxLength={200}
        placeholder={placeholder}
        aria-keyshortcuts="/"
        title="Press / to search"
      />
    </label>
  );
}

type ServerProps = { readonly servers: Iterable<string>; readonly chosen: string | undefined };

/** Nothing where there is no choice. */
export function ServerField({ servers, chosen }: ServerProps): VNode | null {
  const names = [...new Set(servers)].sort();
  if (names.length < 2 && chosen === undefined) return null;
  return (
    <label>
      <span>Server</span>
      <select name="server">
        <option value="">Every server</option>
        {names.map((name) => (
          <Choosable key={name} value={name} text={name} chosen={chosen} />
        ))}
      </select>
    </label>
  );
}

type ChoosableProps = { readonly value: string; readonly text: string; readonly chosen: string | undefined };

export function Choosable({ value, text, chosen }: ChoosableProps): VNode {
  return (
    <option value={value} selected={value === chosen} dir="auto">
      {visibleText(text)}
    </option>
  );
}
