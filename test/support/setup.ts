// setup.ts: removes the variables of the machine that would decide a test: developers and CI set
// opt-outs, endpoints and the like for their own use.
for (const name of Object.keys(process.env)) {
  if (/^(LHP_|OTEL_|DO_NOT_TRACK$|PYTEST_)/.test(name)) delete process.env[name];
}
