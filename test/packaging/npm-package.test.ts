/** What the npm package holds: all that the program loads, and nothing of development. What it does is shown by `npm run bench -- npm-package`. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';

let files: ReadonlySet<string>;

beforeAll(() => {
  const said = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' });
  const [packed] = JSON.parse(said) as [{ readonly files: readonly { readonly path: string }[] }];
  files = new Set(packed.files.map((file) => file.path));
}, 30_000);

const imported = /(?:from|import)\s*\(?\s*"([^"]+)"/g;

test('holds every file that a file in it imports, and names every package', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string>>;
  const packages = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  const scripts = [...files].filter((file) => /^dist\/.*\.js$/.test(file) && !file.includes('/assets/'));
  expect(scripts).toContain('dist/main.js');
  for (const script of scripts)
    for (const [, place = ''] of readFileSync(script, 'utf8').matchAll(imported)) {
      if (place.startsWith('.')) expect(files, script).toContain(path.posix.join(path.posix.dirname(script), place));
      else if (!place.startsWith('node:') && !builtinModules.includes(place) && /^@?[a-z]/.test(place))
        expect(
          packages.some((name) => place === name || place.startsWith(`${name}/`)),
          `${script}: ${place}`,
        ).toBe(true);
    }
});

test('holds the rules, dashboards, texts and examples, and nothing of development', () => {
  for (const file of [
    ...[
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'SECURITY.md',
      'dist/web/assets/style.css',
      'dist/web/assets/refresh.js',
    ],
    ...['alerts/send-connector.rules.yml', 'alerts/runbooks/SendConnectorDown.md', 'dashboards/overview.json'],
    ...['docs/windows.md', 'examples/config.yml', 'examples/systemd/send-connector-exporter.service'],
  ])
    expect(files).toContain(file);
  const development = [...files].filter((file) =>
    /\.(?:ts|tsx|map|tsbuildinfo)$|\.test\.|^(?:src|test|bench|packaging)\//.test(file),
  );
  expect(development).toEqual([]);
});
