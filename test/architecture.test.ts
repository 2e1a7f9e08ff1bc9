import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/** Who may import whom, at run time (`*` stands for a whole folder); types may also come from where `types` says. */
const rules: readonly { readonly part: RegExp; readonly may: readonly string[]; readonly types?: readonly string[] }[] =
  [
    { part: /^model$/, may: [] },
    { part: /^(plain-file|process-end|watch-files)$/, may: ['file-gate'] },
    { part: /^stop-signal$/, may: ['process-end'] },
    { part: /^checkpoint-key$/, may: ['model'] },
    { part: /^state-folder$/, may: ['make-folder', 'state-lock'] },
    { part: /^checkpoint-book$/, may: ['model', 'checkpoint-key'] },
    { part: /^drill$/, may: ['make-folder', 'plain-file'] },
    { part: /^monitoring-files$/, may: ['bundled-monitoring'] },
    {
      part: /^(breath|bundled-monitoring|did-you-mean|few-at-once|keep-latest|noted-time|file-gate|make-folder|endpoint|exposition|implicit-connectors|remembering|server-names|state-file|state-lock|version|visible-text)$/,
      may: [],
    },
    { part: /^(label|log)$/, may: ['visible-text'] },
    {
      part: /^standing$/,
      may: ['model', 'doctor/findings', 'file-gate'],
      types: ['inventory', 'ledger', 'reload'],
    },
    { part: /^reload$/, may: ['watch-files'], types: ['config', 'log'] },
    { part: /^(clock|log-repeats)$/, may: [], types: ['log'] },
    { part: /^config(\/.*)?$/, may: ['did-you-mean', 'model', 'endpoint', 'plain-file', 'config/*'] },
    {
      part: /^events\/.*$/,
      may: [
        'model',
        'endpoint',
        'file-gate',
        'noted-time',
        'plain-file',
        'checkpoint-key',
        'implicit-connectors',
        'label',
        'related-events',
        'remembering',
        'events/*',
      ],
      types: ['config', 'log'],
    },
    {
      part: /^probes\/.*$/,
      may: ['model', 'breath', 'endpoint', 'few-at-once', 'keep-latest', 'plain-file', 'remembering', 'probes/*'],
      types: ['config', 'log'],
    },
    {
      part: /^(inventory(\/.*)?|expected-rows)$/,
      may: ['model', 'endpoint', 'label', 'plain-file', 'watch-files', 'inventory/*'],
      types: ['log'],
    },
    {
      part: /^(clean-rows|ledger(-file|-bounds|-rows|-renames)?|seen-records|record-gaps|row-times|scrapers)$/,
      may: [
        'clean-rows',
        'label',
        'model',
        'ledger-file',
        'checkpoint-book',
        'ledger-bounds',
        'ledger-renames',
        'ledger-rows',
        'make-folder',
        'server-names',
        'plain-file',
        'state-file',
        'state-folder',
        'state-lock',
        'seen-records',
        'noted-time',
        'record-gaps',
        'row-times',
        'scrapers',
        'related-ring',
        'recent-errors',
        'availability',
        'error-hours',
      ],
    },
    { part: /^count-ring$/, may: [] },
    { part: /^(availability|error-hours)$/, may: ['model', 'count-ring', 'keep-latest'] },
    { part: /^board$/, may: ['model', 'noted-time'] },
    { part: /^backlog$/, may: ['model'], types: ['log'] },
    { part: /^host-name$/, may: ['label'], types: ['server-names'] },
    { part: /^(reason-words|related-events)$/, may: ['model'] },
    { part: /^(related-ring|recent-errors)$/, may: ['model'] },
    { part: /^egress$/, may: ['model', 'endpoint'] },
    { part: /^diagnosis$/, may: ['model', 'egress', 'endpoint', 'reason-words'], types: ['ledger', 'board'] },
    { part: /^pieces$/, may: ['breath', 'exposition'] },
    {
      part: /^metrics$/,
      may: ['model', 'breath', 'exposition', 'pieces', 'diagnosis', 'board', 'reason-words'],
      types: ['ledger'],
    },
    {
      part: /^web\/.*$/,
      may: [
        'visible-text',
        'model',
        'breath',
        'few-at-once',
        'keep-latest',
        'pieces',
        'endpoint',
        'exposition',
        'reason-words',
        'related-events',
        'diagnosis',
        'config/web-config',
        'monitoring-files',
        'watch-files',
        'web/*',
      ],
      types: ['backlog', 'ledger', 'board', 'availability', 'count-ring', 'error-hours', 'metrics', 'config', 'log'],
    },
    {
      part: /^serve$/,
      may: [
        'model',
        'config',
        'ledger',
        'backlog',
        'board',
        'metrics',
        'diagnosis',
        'host-name',
        'implicit-connectors',
        'inventory',
        'label',
        'expected-rows',
        'drill',
        'make-folder',
        'standing',
        'reload',
        'events/*',
        'probes/*',
        'web/*',
        'version',
        'clock',
        'log',
        'noted-time',
        'endpoint',
        'process-end',
      ],
      types: ['inventory/*', 'server-names'],
    },
    {
      part: /^commands\/.*$/,
      may: [
        'label',
        'visible-text',
        'commands/*',
        'config',
        'config/*',
        'serve',
        'log',
        'log-repeats',
        'version',
        'model',
        'endpoint',
        'probes/*',
        'doctor/*',
        'events/*',
        'drill',
        'make-folder',
        'monitoring-files',
        'ledger-file',
        'state-lock',
        'file-gate',
        'inventory',
        'process-end',
        'events/sources/windows-event-log/*',
      ],
      types: ['stop-signal'],
    },
    {
      part: /^doctor\/.*$/,
      may: ['model', 'endpoint', 'inventory', 'ledger-file', 'make-folder', 'state-lock', 'probes/*', 'doctor/*'],
      types: ['config'],
    },
    {
      part: /^main$/,
      may: ['commands/*', 'did-you-mean', 'model', 'process-end', 'stop-signal', 'version', 'log', 'config'],
    },
  ];

/** Packages that belong to one place. */
const homes: Readonly<Record<string, RegExp>> = {
  chokidar: /^events\/sources\/files\/watching$/,
  'prom-client': /^metrics$/,
  express: /^web\//,
  preact: /^web\//,
  'preact-render-to-string': /^web\//,
  marked: /^web\//,
  bcryptjs: /^web\//,
  fflate: /^web\//,
  pino: /^log$/,
  commander: /^main$/,
  leven: /^did-you-mean$/,
  tinyglobby: /^events\/sources\//,
  koffi: /^events\/sources\/windows-event-log\/wevtapi$/,
};

type Import = { readonly from: string; readonly to: string; readonly typeOnly: boolean };

const source = path.resolve(import.meta.dirname, '../src');

function parts(): string[] {
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => name.replaceAll('\\', '/').replace(/\.tsx?$/, ''));
}

function importsOf(part: string): Import[] {
  const file = ['.ts', '.tsx']
    .map((end) => path.join(source, part + end))
    .find((each) => readdirSync(path.dirname(each)).includes(path.basename(each)));
  const text = readFileSync(file ?? '', 'utf8');
  const found = [
    ...text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gms),
    ...text.matchAll(/\bimport\(()['"]([^'"]+)['"]\)/g),
  ];
  return found.map(([, type, to = '']) => ({
    from: part,
    to: to.startsWith('.') ? path.posix.join(path.posix.dirname(part), to).replace(/\.js$/, '') : to,
    typeOnly: Boolean(type),
  }));
}

function allowed(list: readonly string[], part: string): boolean {
  return list.some((entry) => (entry.endsWith('/*') ? part.startsWith(entry.slice(0, -1)) : part === entry));
}

test('imports run in one direction', () => {
  const all = parts();
  const wrong = all.flatMap((part) => {
    const rule = rules.find((each) => each.part.test(part));
    if (!rule) return [`${part}.ts has no rule in architecture.test`];
    return importsOf(part)
      .filter(({ to }) => all.includes(to))
      .filter(({ to, typeOnly }) => !allowed(rule.may, to) && !(typeOnly && allowed(rule.types ?? [], to)))
      .map(({ to }) => `${part}.ts must not import ${to}`);
  });
  expect(wrong).toEqual([]);
  expect(all.length).toBeGreaterThan(20);
});

test('a member of a list takes only the type of its contract from the list, so that no cycle is left at run time', () => {
  const lists: readonly (readonly [members: string, list: string])[] = [
    ['events/formats/', 'events/formats'],
    ['probes/steps/', 'probes/steps'],
  ];
  const wrong = lists.flatMap(([members, list]) =>
    parts()
      .filter((part) => part.startsWith(members))
      .filter((part) => importsOf(part).some(({ to, typeOnly }) => to === list && !typeOnly)),
  );
  expect(wrong).toEqual([]);
});

test('packages have a home', () => {
  const wrong = parts().flatMap((part) =>
    importsOf(part)
      .filter(({ to }) => {
        const home = homes[to.startsWith('preact/') ? 'preact' : to];
        return home !== undefined && !home.test(part);
      })
      .map(({ to }) => `${part}.ts must not import ${to}`),
  );
  expect(wrong).toEqual([]);
});

test('every file opens with a sentence of purpose', () => {
  const silent = parts().filter((part) => {
    const file = ['.ts', '.tsx']
      .map((end) => path.join(source, part + end))
      .find((each) => readdirSync(path.dirname(each)).includes(path.basename(each)));
    return !/^(#!.*\n)?\/\*\*\s/.test(readFileSync(file ?? '', 'utf8'));
  });
  expect(silent).toEqual([]);
});
