/** The real Prometheus on loopback, scraping every second or as told, and what it has stored. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import { runTool } from '../support/promtool.js';

/** Samples of one series as stored: seconds since 1970 and value. */
export type Series = {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [number, number])[];
};

export type Prometheus = {
  /** Every stored sample of the selector within the hour before. */
  readonly samples: (selector: string) => Promise<readonly Series[]>;
  /** The single number that an expression gives at a time (seconds since 1970). */
  readonly valueAt: (expression: string, at: number) => Promise<number>;
  /** What an expression gives now: a value for each set of labels. @throws when Prometheus does not accept it */
  readonly now: (expression: string) => Promise<readonly Labelled[]>;
};

type Labelled = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

export type PrometheusOptions = {
  readonly job?: string;
  /** @default 1s */
  readonly interval?: string;
  /** Text of a file of rules, and the address of the Alertmanager that is told. */
  readonly rules?: string;
  readonly alertmanager?: string;
  /** After how long the Alertmanager is told again of an alert that goes on, with its texts of then. @default 1m */
  readonly resendDelay?: string;
  /** Further settings of the scrape, such as `scheme`, `tls_config` and `basic_auth`. */
  readonly scrape?: Readonly<Record<string, unknown>>;
};

export type Target = { readonly address: string; readonly instance: string };

export async function startPrometheus(
  context: TestContext,
  folder: string,
  targets: readonly Target[],
  {
    job = 'births',
    interval = '1s',
    rules = '',
    alertmanager,
    resendDelay = '1m',
    scrape: more = {},
  }: PrometheusOptions = {},
): Promise<Prometheus> {
  runTool(context, 'prometheus', ['--version']);
  const scrape = {
    job_name: job,
    scrape_interval: interval,
    scrape_timeout: interval,
    ...more,
    static_configs: targets.map(({ address, instance }) => ({ targets: [address], labels: { instance } })),
  };
  const config = path.join(folder, 'prometheus.yml');
  await writeFile(path.join(folder, 'rules.yml'), rules);
  const settings = {
    global: { evaluation_interval: interval },
    rule_files: ['rules.yml'],
    ...(alertmanager !== undefined && {
      alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager).host] }] }] },
    }),
    scrape_configs: [scrape],
  };
  await writeFile(config, JSON.stringify(settings));
  const data = path.join(folder, 'prometheus-data');
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${data}`,
    '--web.listen-address=127.0.0.1:0',
    `--rules.alert.resend-delay=${resendDelay}`,
  ];
  const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  let log = '';
  const url = await new Promise<string>((found, failed) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      const port = /msg="Listening on" address=127\.0\.0\.1:(\d+)/.exec(log)?.[1];
      if (port !== undefined) found(`http://127.0.0.1:${port}`);
    });
    child.once('exit', (code) => {
      failed(new Error(`Prometheus ended with ${code}:\n${log}`));
    });
  });
  return {
    samples: async (selector) => {
      const result = (await query(url, { query: `${selector}[1h]` })) as Matrix;
      return result.map(({ metric, values }) => ({
        labels: metric,
        samples: values.map(([at, value]) => [at, Number(value)] as const),
      }));
    },
    valueAt: async (expression, at) => {
      const [first] = (await query(url, { query: expression, time: at.toFixed(3) })) as Vector;
      return Number(first?.value[1]);
    },
    now: async (expression) => {
      const result = (await query(url, { query: expression })) as Vector;
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
  };
}

type Matrix = readonly { metric: Record<string, string>; values: [number, string][] }[];
type Vector = readonly { metric: Record<string, string>; value: [number, string] }[];

async function query(url: string, parameters: Record<string, string>): Promise<unknown> {
  const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams(parameters).toString()}`);
  const body = (await answer.json()) as { status: string; error?: string; data?: { result: unknown } };
  if (body.data === undefined) throw new Error(`Prometheus: ${body.error ?? body.status}`);
  return body.data.result;
}
