/** What is counted as it happens. */
export const HISTOGRAMS = {
  requests: {
    name: 'whorl_http_request_seconds',
    labels: ['route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    doc: 'Requests to the API by operation and status, and how long they took.',
  },
  store: {
    name: 'whorl_store_seconds',
    labels: ['operation'],
    buckets: [0.0005, 0.002, 0.01, 0.05, 0.25, 1, 5],
    doc: 'Operations of the database, and how long they took; of what is written, until the disk had it.',
  },
} as const satisfies Record<string, object>;

export const STORE_ERRORS = {
  name: 'whorl_store_errors_total',
  labels: ['operation', 'code'],
  doc: 'Operations of the database that failed, by code.',
} as const;
