/** Signals by which a process is told to stop: by a service manager, by Ctrl-C, by a closed terminal. */
const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** The stop signals of this process as two abort signals. Disposing gives the signals their default action back. */
export interface StopSignals extends Disposable {
  /** Aborts at the first stop signal. */
  readonly stop: AbortSignal;
  /** Aborts at the second one. */
  readonly hasten: AbortSignal;
}

/** From here on the stop signals of this process no longer end it. */
export function listenForStop(): StopSignals {
  const stop = new AbortController();
  const hasten = new AbortController();
  const listener = () => (stop.signal.aborted ? hasten : stop).abort();
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, listener);
  return {
    stop: stop.signal,
    hasten: hasten.signal,
    [Symbol.dispose]() {
      for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, listener);
    },
  };
}
