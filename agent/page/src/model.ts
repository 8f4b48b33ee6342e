// What the agent answers, as far as the page reads it: types of the OpenAPI document, and spelt out
// here what that leaves open.
import type * as api from './openapi';

export type {
  Alert,
  Change,
  Effect,
  Entry,
  Evidence,
  Fleet as FleetAnswer,
  Forecast,
  History,
  Incident,
  Kpis,
  Lesson,
  OnCall,
  OnCallReport,
  Outbox,
  Remedies,
  SavedQuery,
  StandingQuery,
  Target,
  Timeline,
  TimelineEvent,
  Window,
} from './openapi';
export type Slo = api.SloStatus;
export type Burn = api.BurnHistory;
export type State = Slo['state'];
export type Risk = Slo['risk_level'];
export type Release = api.Release['decision'];
export type Rota = api.OnCall['schedules'][number];
export type Rule = api.Target['rules'][number];
export type RemedyRule = api.Remedies['rules'][number];
export type Act = api.Remedies['acts'][number];
export type FleetNode = api.Fleet['nodes'][number];

export interface FleetBudget {
  slo: string;
  service: string;
  good: number;
  bad: number;
  total: number;
  error_budget_remaining: number | null;
  stale_nodes: number;
  nodes: {
    node: string;
    good: number;
    bad: number;
    coverage: number;
    behind_s: number;
    stale: boolean;
  }[];
}
export type Fleet = Omit<api.Fleet, 'slos'> & { slos: FleetBudget[] };
export type Status = Omit<api.Status, 'tailer' | 'store' | 'counters'> & {
  tailer: { files_open: number; lag_bytes: number; bytes_read: number };
  store: {
    file_bytes: number;
    commits: number;
    journal_rows: number;
    in_memory: string;
    trouble: string;
  } | null;
  counters: { late: number; dropped_late: number; skewed: number };
};
export interface Postmortem {
  summary: string[];
  impact: string;
  root_cause_analysis: {
    what_happened: string[];
    root_cause: string | null;
    whys: { question: string; answer: string }[];
    contributing_factors: { text: string; evidence: string | null; wrong_if: string }[];
  };
  resolution: { immediate_actions: string[]; temporary_mitigations: string[]; text: string };
  lessons_learned: { went_well: string[]; to_improve: string[] };
  prevention: { short_term: string[]; long_term: string[]; monitoring: string[] };
}
export interface Audit {
  whole: boolean;
  head: number;
  head_hash: string;
  first_fault?: number;
}
/** The lines of a streamed answer. */
export interface QueryProgress {
  state: 'waiting' | 'running';
  bytes_done: number;
  bytes_total: number;
  rows: number;
  nodes?: { node: string; state: string; bytes_done: number; bytes_total: number; rows: number }[];
}
export interface QueryEnd {
  complete: boolean;
  nodes_ok: string[];
  files: number;
  bytes_scanned: number;
  rows: number;
  elapsed_ms: number;
  notes: string[];
}

/** What may be read, with or without parameters. */
export type ReadPath = api.GetPath | `${api.GetPath}?${string}`;
/** What may be written. */
export type WritePath = api.PostPath | api.PatchPath | api.PutPath | api.DeletePath;
