// The suite runs under vitest, on developers' machines and in CI: none of their own switches may
// decide a test.
for (const name of Object.keys(process.env)) {
  if (/^(LHP_|OTEL_|DO_NOT_TRACK$|PYTEST_)/.test(name)) delete process.env[name];
}
