import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    setupFiles: ['test/support/loopback-guard.ts', 'test/support/patience.ts', 'test/support/seed.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Most tests wait for programs: two of them fit two cores.
    maxWorkers: 2,
    reporters: ['default'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.{ts,tsx}'],
      reporter: ['text-summary'],
      reportOnFailure: true,
      reportsDirectory: 'node_modules/.cache/coverage',
    },
  },
});
