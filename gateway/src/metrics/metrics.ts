import { codeOf } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { HISTOGRAMS, STORE_ERRORS } from './histograms.ts';
import { METRICS } from './rows.ts';
import type { MetricRow, Snapshot } from './rows.ts';

/** The gateway's figures in Prometheus' text format. Labels are names of the configuration, never of people. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #clock: Clock;
  readonly #rows: readonly (readonly [MetricRow, Gauge | Counter])[];
  readonly #requests: Histogram;
  readonly #store: Histogram;
  readonly #storeErrors: Counter;

  /** @param options.process also figures of the process: memory, processor, event loop; once in a process */
  constructor(clock: Clock, options: { readonly process: boolean }) {
    this.#clock = clock;
    const registers = [this.#registry];
    this.#rows = METRICS.map((row) => {
      const { name, doc: help, labels: labelNames } = row;
      const made = { name, help, labelNames, registers };
      return [row, row.type === 'gauge' ? new Gauge(made) : new Counter(made)] as const;
    });
    const { requests, store } = HISTOGRAMS;
    this.#requests = histogram(requests, registers);
    this.#store = histogram(store, registers);
    const { name, doc, labels } = STORE_ERRORS;
    this.#storeErrors = new Counter({ name, help: doc, labelNames: labels, registers });
    if (options.process) collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** A request over HTTP was answered. @param route its operationId */
  answered(route: string, status: number, ms: number): void {
    this.#requests.observe({ route, status: String(status) }, ms / 1000);
  }

  /** Counts how long the store takes and how often it fails. @returns the same store, watched */
  watched<Store extends object>(store: Store): Store {
    const clock = this.#clock;
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function' || typeof name !== 'string') return member;
        return (...values: unknown[]): unknown => {
          const began = clock.now();
          const answer: unknown = Reflect.apply(member, target, values);
          if (answer instanceof Promise) void this.#observe(name, began, answer);
          return answer;
        };
      },
    });
  }

  async text(snapshot: Snapshot): Promise<string> {
    for (const [row, metric] of this.#rows) {
      metric.reset();
      for (const [labels, value] of row.values(snapshot)) metric.inc(labels, value);
    }
    return this.#registry.metrics();
  }

  async #observe(operation: string, began: number, answer: Promise<unknown>): Promise<void> {
    try {
      await answer;
    } catch (error) {
      this.#storeErrors.inc({ operation, code: codeOf(error) ?? 'INTERNAL' });
    }
    this.#store.observe({ operation }, (this.#clock.now() - began) / 1000);
  }
}

function histogram(
  { name, doc, labels, buckets }: (typeof HISTOGRAMS)[keyof typeof HISTOGRAMS],
  registers: Registry[],
): Histogram {
  return new Histogram({ name, help: doc, labelNames: labels, buckets: [...buckets], registers });
}
