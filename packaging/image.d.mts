/** Types of the plain module: see there. */
export declare function imageConfig(
  version: string,
  revision?: string,
): {
  readonly config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly ExposedPorts: Readonly<Record<string, object>>;
    readonly Volumes: Readonly<Record<string, object>>;
    readonly StopSignal: string;
    readonly Healthcheck: { readonly Test: readonly string[] };
    readonly Labels: Readonly<Record<string, string>>;
  };
};
