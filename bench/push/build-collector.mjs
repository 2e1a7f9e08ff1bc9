/**
 * Builds a real OpenTelemetry Collector with its own builder from the Go module proxy: a log file in, OTLP over HTTP and Kafka out, a
 * queue on disk. It takes some minutes once, and is kept outside of the repository.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [version, coreVersion] = ['0.140.0', '1.46.0'];
const contrib = 'github.com/open-telemetry/opentelemetry-collector-contrib';
const core = 'go.opentelemetry.io/collector';

const manifest = `dist: { name: otelcol, description: for the tests of an exporter, version: ${version}, output_path: ./built }
receivers:
  - gomod: ${contrib}/receiver/filelogreceiver v${version}
exporters:
  - gomod: ${core}/exporter/otlphttpexporter v${version}
  - gomod: ${contrib}/exporter/kafkaexporter v${version}
extensions:
  - gomod: ${contrib}/extension/storage/filestorage v${version}
providers:
  - gomod: ${core}/confmap/provider/envprovider v${coreVersion}
  - gomod: ${core}/confmap/provider/fileprovider v${coreVersion}
`;

/** @returns the path of the program; built when it is not there */
export function collector() {
  const folder = join(homedir(), '.cache', 'send-connector-exporter', `otelcol-${version}`);
  const program = join(folder, 'built', 'otelcol');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'builder.yaml'), manifest);
  const env = { ...process.env, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' };
  const builder = [`${core}/cmd/builder@v${version}`, '--config', 'builder.yaml'];
  execFileSync('nice', ['-n', '10', 'go', 'run', ...builder], { cwd: folder, env, stdio: 'inherit' });
  return program;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(collector());
