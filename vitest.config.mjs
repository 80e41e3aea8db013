/** A limit only ends what hangs: many tests start the command line, which a loaded machine takes tens of seconds for. */
export default { test: { testTimeout: 60_000, hookTimeout: 300_000 } };
