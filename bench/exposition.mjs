/** Reads a page of metrics as strictly as Prometheus does, and more: what it would take and nobody should write is told. */

// Prometheus takes NaN in any case, and prom-client writes `Nan`.
const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|N[aA][nN]|[+-]Inf)$/;
const labels = /^\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"(?:,(?=[a-zA-Z_])|(?=\})))*\}$/;
// eslint-disable-next-line no-control-regex -- they are what is searched for
const control = /[\u0000-\u001f\u007f]/;

/** @returns values by series, the names of the counters, and sentences about what is wrong */
export function parseExposition(text) {
  const values = new Map();
  const counters = new Set();
  const mistakes = [];
  if (!text.endsWith('\n')) mistakes.push('the page does not end with a line end');
  for (const line of text.split('\n')) {
    const counter = /^# TYPE (\S+) counter$/.exec(line)?.[1];
    if (counter) counters.add(counter);
    if (line === '' || line.startsWith('#')) continue;
    const match = sample.exec(line);
    if (control.test(line)) mistakes.push(`a control character in ${quoted(line)}`);
    else if (!match || (match[2] && !labels.test(match[2]))) mistakes.push(`not a sample: ${quoted(line)}`);
    else if (values.has(match[1] + (match[2] ?? ''))) mistakes.push(`twice: ${quoted(line)}`);
    else values.set(match[1] + (match[2] ?? ''), Number(match[3].replace('Inf', 'Infinity')));
  }
  return { values, counters, mistakes };
}

/** Counters of a page that are lower than before: sentences. What is no longer shown is not lower. */
export function fallenCounters(before, { values, counters }) {
  const fallen = [];
  for (const [series, value] of before) {
    const now = values.get(series);
    if (counters.has(series.split('{')[0]) && now !== undefined && now < value)
      fallen.push(`${quoted(series)} fell from ${value} to ${now}`);
  }
  return fallen;
}

function quoted(text) {
  return JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}...` : text);
}
