/**
 * `npm run bench -- NAME [RECORDS]`: runs one benchmark on data that it makes itself, against the built exporter. `fuzz` and
 * `soak` take minutes in place of records, `fuzz` a seed behind them.
 */
/** What each name runs. */
const benchmarks = {
  backlog: ['backlog'],
  formats: ['formats'],
  evtx: ['evtx'],
  saves: ['saves'],
  scrape: ['scrape'],
  pages: ['pages'],
  'npm-package': ['npm-package'],
  peers: ['peers'],
  probes: ['probes'],
  push: ['push/hostile', 'push/otlp', 'push/lumberjack', 'push/collector'],
  'push-hostile': ['push/hostile'],
  'push-otlp': ['push/otlp'],
  'push-lumberjack': ['push/lumberjack'],
  'push-collector': ['push/collector'],
  follow: ['follow'],
  hostile: ['hostile'],
  deb: ['deb', 'deb-booted'],
  helm: ['helm'],
  image: ['image'],
  kafka: ['kafka/kills', 'kafka/brokers', 'kafka/producers', 'kafka/speed'],
  'kafka-brokers': ['kafka/brokers'],
  'kafka-kills': ['kafka/kills'],
  'kafka-producers': ['kafka/producers'],
  'kafka-speed': ['kafka/speed'],
  kill9: ['kill9'],
  kills: ['kills'],
  fuzz: ['fuzz'],
  'login-flood': ['login-flood'],
  soak: ['soak'],
  start: ['start'],
  'transport-logs': ['transport-logs'],
  'windows-service': ['windows-service', 'windows-inputs', 'windows-live-log'],
  worst: ['worst'],
};
const names = Object.keys(benchmarks);
const [name, ...numbers] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`expected one of ${names.join(', ')}, got ${name ?? 'nothing'}: npm run bench -- formats`);
  process.exit(1);
}
for (const each of benchmarks[name]) {
  const { run } = await import(`./${each}.mjs`);
  await run(...numbers.map(Number));
}
