// Whom the evidence of an incident suspects: of each rank the newest word.
import type { Evidence, Incident } from './model';

export function suspectsOf(incident: Incident): Evidence[] {
  const ranks = new Map<string, Evidence>();
  for (const e of incident.evidence)
    if (e.kind === 'suspects') ranks.set(e.entry.details?.rank ?? '', e);
  return [...ranks].sort(([a], [b]) => Number(a) - Number(b)).map(([, e]) => e);
}
