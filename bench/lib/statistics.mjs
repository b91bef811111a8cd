// Figures out of samples. Samples that failed are not figures; they are counted.

/** The value that a share of the samples does not exceed (nearest rank); null without samples. */
export function percentile(values, share) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (!sorted.length) return null;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))];
}

export const p50 = (values) => percentile(values, 0.5);
export const p95 = (values) => percentile(values, 0.95);

export function summary(values) {
  return { n: values.filter(Number.isFinite).length, p50: p50(values), p95: p95(values) };
}

export const round = (value, digits = 0) =>
  value === null || !Number.isFinite(value) ? null : Number(value.toFixed(digits));

export const ratio = (ours, theirs, digits = 2) => (ours === null || !theirs ? null : round(ours / theirs, digits));

export const mean = (values) => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null);
