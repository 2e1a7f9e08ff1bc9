/** Writes the Prometheus text format, version 0.0.4. */

type MetricType = 'counter' | 'gauge' | 'histogram';

/** One metric family: its name, what it means, and its samples. */
export type Family = { readonly name: string; readonly type: MetricType; readonly help: string };

export const textContentType = 'text/plain; version=0.0.4; charset=utf-8';

export function familyHead({ name, type, help }: Family): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
}

export function sample(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  return `${name}${labelText(labels)} ${numberText(value)}\n`;
}

/** `{a="b",c="d"}` with backslash, double quote and line feed escaped; nothing for no labels. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  let text = '';
  for (const name in labels) text += `${text === '' ? '{' : ','}${name}="${escapeLabel(labels[name] ?? '')}"`;
  return text === '' ? '' : `${text}}`;
}

/** Milliseconds since 1970 as the seconds that Prometheus wants. */
export function secondsOf(milliseconds: number): number {
  return milliseconds / 1000;
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}
