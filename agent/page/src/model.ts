// What the agent answers, as far as the page reads it. SloStatus comes from the OpenAPI document;
// the objects inside are spelt out here.
import type { SloStatus } from './openapi';

export type State = 'HEALTHY' | 'DEGRADING' | 'VIOLATED' | 'NO_DATA';
export type Risk = 'SAFE' | 'OBSERVE' | 'DANGER' | 'FREEZE';
export type Release = 'GO' | 'CAUTION' | 'HOLD' | 'FREEZE';

export interface Window { good: number; bad: number; total: number; burn_rate: number | null; covered_s: number; start: string; end: string }
export interface Gate { decision: Release; allowed: boolean; reason: string; override: { by: string; reason: string; until: string } | null }
export interface Projected { after: string; consumed: number; low: number; high: number }
export interface Forecast {
  time_to_exhaustion_hours: number | null; projected_exhaustion_time: string | null;
  burn_rate_trend: string; confidence_level: string; forecast_message: string;
  data_points_used: number; projected: Projected[]; early_warning: boolean; made_at: string;
}
export interface FiringAlert { rule?: string; severity: string; priority: string; since: string; summary: string }
type Inner = 'alerts' | 'release' | 'forecast' | 'windows' | 'state' | 'risk_level' | 'budget_policy';
export type Slo = Omit<SloStatus, Inner> & {
  state: State; risk_level: Risk; alerts: FiringAlert[]; release: Gate; forecast: Forecast;
  windows: Record<string, Window>; p50?: number | null; p95?: number | null; p99?: number | null; unit?: string;
};
export interface Change { id: number; at: string; from: string | null; to: string | null; kind: string; service: string; slo: string; who: string; text: string }
export interface History { slo: string; from: string; to: string; step: string; points: { at: string; good: number; bad: number; covered_s: number }[]; annotations: Change[] }
export interface BurnPoint { at: string; good: number; bad: number; burn_rate: number | null; error_budget_remaining: number | null }
export interface Burn { from: string; to: string; step: string; series: { slo: string; target: number; window: string; points: BurnPoint[]; annotations: Change[] }[] }
export interface Rule { name: string; severity: string; kind: string; factor: number; long_window: string; short_window: string }
export interface Target { slo: string; indicator: string; threshold: number | null; unit: string; owner: string; configured_in: string; description: string; rules: Rule[] }
export interface Alert {
  id?: string; sequence: number; kind: 'fired' | 'resolved'; firing: boolean; slo: string; service: string; rule: string;
  severity: string; priority: string; since: string; at: string; summary: string; incident?: string; acknowledged?: string | null; acknowledged_by?: string;
}

export interface Entry { at: string; node: string; who: string; text: string; kind?: string; details?: Record<string, string> }
export interface Suspect { evidence: string; text: string; rank: string; service: string; wrong_if?: string; share?: string; kind?: string; [more: string]: string | undefined }
export interface Incident {
  id: string; state: string; severity: string; title: string; service: string; services: string[]; nodes: string[];
  began: string; opened: string; acknowledged: string | null; acknowledged_by: string; mitigated: string | null; mitigated_by: string;
  recovered: string | null; resolved: string | null; resolved_by: string; resolution: string;
  roles: Record<string, string>;
  conditions: { key: string; kind: string; severity: string; service: string; node: string; text: string; holds: boolean; since: string; over: string | null }[];
  actions: Entry[]; notes: Entry[]; causes: Entry[]; suspects: Suspect[];
  failure_class: { text: string; class: string } | null; impact: { text: string } | null;
  evidence: { number: string; kind: string; entry: Entry }[];
  action_items: { id?: string; text: string; owner?: string; due?: string | null; done?: string | null }[];
  history: Entry[];
}
export interface TimelineEvent {
  time: string; uncertainty_ns: number; node: string; service: string; kind: string; text: string;
  incident: string; concurrent_group: number | null; doubtful: boolean; in_sequence: boolean;
}
export interface Timeline {
  title: string; reference: string; nodes: { node: string; offset_ns: number; uncertainty_ns: number; source: string }[]; events: TimelineEvent[];
}
export interface Postmortem {
  summary: string[]; impact: string; timeline: { at: string; text: string; order_unknown: boolean }[];
  root_cause_analysis: { what_happened: string[]; root_cause: string | null; whys: { question: string; answer: string; known: boolean }[]; contributing_factors: string[]; evidence: string[] };
  resolution: { immediate_actions: string[]; text: string };
  lessons_learned: { went_well: string[]; to_improve: string[] };
  action_items: unknown[]; prevention: { short_term: string[]; long_term: string[]; monitoring: string[] };
}
export interface Kpis {
  all: Record<'mttd' | 'mtta' | 'mttm' | 'mttr', { count: number; median_seconds: number | null }> & { incidents: number; open: number };
}

export interface Source { name: string; service: string; format: string; files: number; records: number; bytes: number; malformed: Record<string, number>; lag_bytes: number }
export interface Status {
  node: string; version: string; boot: number; ready: boolean; not_ready_reason: string; now: string; started: string; watermark: string | null; slos: number;
  sources: Source[]; store: { file_bytes: number; commits: number; failed_commits: number; journal_rows: number; in_memory: string; trouble: string } | null;
  tailer: { files_open: number; lag_bytes: number; bytes_read: number; read_errors: number; overflows: number };
  governor: { backing_off: boolean; reason: string; cpu_pauses: number };
  counters: { late: number; dropped_late: number; skewed: number; saturated: number };
  notify: { sent: number; failed: number; pending: number };
  engine_bytes: number; resident_bytes: number; cpu_seconds: number;
}
export interface FleetNode {
  node: string; self: boolean; state: string; connected: boolean; heard_ago_s: number; boot: number; role: string; address: string;
  clock_offset_ms: number | null; clock_uncertainty_ms: number | null; isolated_since: string | null; slos: number;
}
export interface FleetBudget { slo: string; service: string; good: number; bad: number; total: number; error_budget_remaining: number | null; stale_nodes: number; nodes: { node: string; good: number; bad: number; coverage: number; behind_s: number; stale: boolean }[] }
export interface Fleet { node: string; isolated: boolean; nodes: FleetNode[]; slos: FleetBudget[]; silent: { node: string; since: string }[] }
export interface Outbox {
  notifiers: { name: string; kind: string; pending: number; sent: number; dead: number; attempts: number; failures: number; last_error: string }[];
}
export interface RemedyRule { rule: string; state: string; action: string; signature: string; service: string; shadow_hits: number; failures_in_a_row: number }
export interface Act { id: string; rule: string; action: string; target: string; incident: string; phase: string; at: string; ended?: string }
export interface Remedies {
  enabled: boolean; stopped: boolean; breaker_open: boolean; rules: RemedyRule[]; acts: Act[];
  waiting: { rule: string; incident: string; target: string; why: string }[];
}
export interface Effect { rule: string; good: number; n: number; success_95: [number, number]; base_good: number; base_n: number; median_recover_s: number | null; base_median_recover_s: number | null; toil_saved_s: number; toil_saved_s_month: number }
export interface Lesson { signature: string; action: string; standing: string; good: number; n: number; success_low: number | null; against?: string }
export interface Audit { whole: boolean; head: number; head_hash: string; first_fault?: number; why?: string }
export interface Shift { person: string | null; layer?: string; from?: string; until?: string }
export interface OnCall {
  timestamp: string;
  schedules: { name: string; time_zone: string; on_call: Shift[]; until: string | null; next?: Shift[] }[];
  load?: { person: string; pages: number; night_pages?: number }[];
}
export interface QueryAnswer {
  columns: string[]; data: Record<string, unknown>[]; complete: boolean; nodes_ok: string[]; nodes_failed: unknown[]; files: number;
  bytes_scanned: number; rows: number; elapsed_ms: number; notes: string[]; approximate: boolean;
}
export interface StandingQuery { name: string; sql?: string; every?: string; last_run?: string | null; error?: string; [more: string]: unknown }
