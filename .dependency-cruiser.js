/** Which way imports run: the river of docs/design.md. `npx depcruise src` holds it; imports of types count. */
const within = (...parts) => `^src/(${parts.join('|')})`;
const foundations = ['model/', 'runtime/'];

/** A rule for one part: what it may import besides itself, the model and what knows nothing of the product. */
function only(part, others, comment) {
  return {
    name: `${part.replace(/[^a-z]+/g, '-').replace(/-$/, '')}-imports`,
    comment,
    severity: 'error',
    from: { path: within(part) },
    to: { path: '^src/', pathNot: within(part, ...foundations, ...others) },
  };
}

/** A package that belongs to one place. */
function home(name, ...places) {
  return {
    name: `${name}-at-home`,
    comment: `${name} is known in one place, so that it can be replaced there`,
    severity: 'error',
    from: { path: '^src/', pathNot: within(...places) },
    to: { path: `^node_modules/${name}/` },
  };
}

export default {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'a circle has no beginning to read from',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'model-imports',
      comment: 'the nouns know nobody; labels are cleaned of what nobody sees, as the log is',
      severity: 'error',
      from: { path: within('model/') },
      to: { path: '^src/', pathNot: within('model/', 'runtime/visible-text') },
    },
    {
      name: 'runtime-imports',
      comment: 'nothing of the product',
      severity: 'error',
      from: { path: within('runtime/') },
      to: { path: '^src/', pathNot: within('runtime/') },
    },
    only('events/', ['config/forms'], 'the inlet of records knows neither book nor outlet'),
    only('probes/', ['config/'], 'the inlet of visits knows neither book nor outlet'),
    only('ledger/', [], 'a book knows neither inlet nor outlet'),
    only('board/', [], 'a book knows neither inlet nor outlet'),
    only('inventory/', [], 'what Exchange exports'),
    only(
      'config/',
      ['events/sources/sources'],
      'settings are read before anything runs; those of a source are described beside it',
    ),
    only('diagnosis/', ['ledger/', 'board/'], 'pure: both books in, a word and a sentence out'),
    only('metrics/', ['ledger/', 'board/', 'diagnosis/'], 'an outlet reads the books'),
    only(
      'health/',
      ['ledger/', 'board/', 'inventory/', 'probes/', 'config/'],
      'serve and doctor use the same functions',
    ),
    only('web/', ['metrics/', 'health/', 'diagnosis/', 'ledger/', 'board/', 'config/'], 'an outlet reads the books'),
    home('chokidar', 'events/sources/files/watching'),
    home('prom-client', 'metrics/'),
    home('express', 'web/'),
    home('preact', 'web/'),
    home('pino', 'runtime/log'),
    home('commander', 'main', 'commands/'),
    home('koffi', 'runtime/native'),
    home('@platformatic/kafka', 'events/sources/kafka/', 'commands/demo/kafka-topic'),
    home('fzstd', 'events/sources/kafka/compression'),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
