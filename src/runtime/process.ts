/** Signals by which a process is told to stop: by a service manager, by Ctrl-C, by a closed terminal. */
const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Ctrl-C reaches a task's process twice: from the terminal, and passed on by the task runner. That is one signal. */
const SAME_SIGNAL_MS = 500;

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
  let first: number | undefined;
  const listener = () => {
    if (first === undefined) {
      first = performance.now();
      stop.abort();
    } else if (performance.now() - first > SAME_SIGNAL_MS) hasten.abort();
  };
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, listener);
  return {
    stop: stop.signal,
    hasten: hasten.signal,
    [Symbol.dispose]() {
      for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, listener);
    },
  };
}
