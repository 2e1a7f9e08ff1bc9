/** What Grafana makes of the variables of a dashboard before it asks Prometheus, by its documentation. */

/** The values of each variable; `All` stands for what the dashboard says that it means (`allValue`). */
export type Choices = Readonly<Record<string, readonly string[] | 'All'>>;

export type Variable = {
  readonly name: string;
  readonly multi?: boolean;
  readonly includeAll?: boolean;
  readonly allValue?: string;
};

/**
 * Format `regex`: each value matches itself alone, several stand in brackets; a custom value for All is not escaped.
 * https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/#regex
 * Without a format Prometheus gets values by rules of its own, which leave double quotes as they are: such a variable is
 * an error here, as any other format is.
 */
export function interpolated(expression: string, variables: readonly Variable[], choices: Choices): string {
  const text = expression
    .replaceAll('$__rate_interval', '4s')
    .replaceAll('$__interval', '1s')
    .replaceAll('$__range', '1h')
    .replace(/\$\{(\w+):regex\}/g, (_all, name: string) => {
      const variable = variables.find((one) => one.name === name);
      const chosen = choices[name];
      if (variable === undefined || chosen === undefined) throw new Error(`no variable ${name}`);
      if (chosen === 'All') return variable.allValue ?? fail(`${name}: All has no value`);
      const escaped = chosen.map((value) => value.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
      return escaped.length === 1 ? escaped[0]! : `(${escaped.join('|')})`;
    });
  const left = /\$\w+|\$\{[^}]*\}|\[\[\w+/.exec(text.replace(/`[^`]*`/g, ''));
  return left === null ? text : fail(`${left[0]} is left in ${text}`);
}

function fail(message: string): never {
  throw new Error(message);
}
