// Written by types.mjs from the OpenAPI document of the agent; do not edit.

export type Problem = { type: string; title: string; status: number; detail: string; choices?: Array<string> };
export type BudgetPolicy = { step: string; remaining_below: number; severity: string; actions: Array<string> };
export type Release = { decision: "GO" | "CAUTION" | "HOLD" | "FREEZE"; allowed: boolean; by_risk: "GO" | "CAUTION" | "HOLD" | "FREEZE"; by_budget: "GO" | "CAUTION" | "HOLD" | "FREEZE"; reason: string; without_override: "GO" | "CAUTION" | "HOLD" | "FREEZE"; held_down_until: string | null; watch: string; override: ({ by: string; reason: string; at: string | null; until: string | null } | null) };
export type ForecastPoint = { after: string; consumed: number | null; low: number | null; high: number | null };
export type Forecast = { method: string; time_to_exhaustion_hours: number | null; projected_exhaustion_time: string | null; earliest_hours: number | null; latest_hours: number | null; naive_hours: number | null; regression_hours: number | null; burn_rate: number | null; burn_rate_trend: "increasing" | "decreasing" | "stable"; confidence_level: "high" | "medium" | "low"; forecast_message: string; data_points_used: number; projected: Array<ForecastPoint>; early_warning: boolean; early_warning_since: string | null; made_at: string | null };
export type Window = { good: number; bad: number; total: number; burn_rate: number | null; covered_s: number; start: string | null; end: string | null };
export type FiringRule = { rule: string; severity: string; priority: "P0" | "P1" | "P2" | "P3"; since: string | null; factor?: number; long_window?: string; long_burn_rate?: number | null; long_bad?: number; long_total?: number; short_window?: string; short_burn_rate?: number | null; short_bad?: number; short_total?: number; inhibited?: boolean; frozen?: boolean; summary: string };
export type SloStatus = { slo: string; service: string; tier: number; target: number | null; window: string; budgeting_method: "Occurrences" | "Timeslices" | "RatioTimeslices"; good: number; bad: number; total: number; sli: number | null; burn_rate_5m: number | null; burn_rate_1h: number | null; burn_rate_24h: number | null; composite_burn_rate: number | null; error_budget_consumed: number | null; error_budget_remaining: number | null; risk_level: "SAFE" | "OBSERVE" | "DANGER" | "FREEZE"; state: "HEALTHY" | "DEGRADING" | "VIOLATED" | "NO_DATA"; coverage: number; window_start: string | null; window_end: string | null; alerts: Array<FiringRule>; timestamp: string | null; release: Release; budget_policy: (BudgetPolicy | null); forecast: Forecast; draft: boolean; windows: Record<string, Window>; excluded?: { now: string; seconds: number; good: number; bad: number; raw_sli: number | null; reserve?: number; reserve_used?: number; reserved_bad?: number }; time_zone?: string; period_end?: string | null; events?: { good: number; bad: number; total: number }; group_of?: string; group?: string; p50?: number | null; p95?: number | null; p99?: number | null; unit?: string; parts?: Array<{ slo: string; weight: number; target: number; bad: number; total: number; state: "HEALTHY" | "DEGRADING" | "VIOLATED" | "NO_DATA"; error_budget_consumed: number | null }> };
export type Service = { name: string; tier: number; owner: string; description: string; slos: Array<string>; state: "HEALTHY" | "DEGRADING" | "VIOLATED" | "NO_DATA"; risk_level: "SAFE" | "OBSERVE" | "DANGER" | "FREEZE"; release: "GO" | "CAUTION" | "HOLD" | "FREEZE"; error_budget_remaining: number | null; burn_rate_5m: number | null; burn_rate_1h: number | null; burn_rate_24h: number | null; composite_burn_rate: number | null; burn_rate_trend: "increasing" | "decreasing" | "stable"; alerts_firing: number; incidents_open: number; timestamp: string | null };
export type OpenIncident = { id: string; severity: "P0" | "P1" | "P2" | "P3"; state: string; service: string; title: string; since: string | null; suspect: string | null };
export type Target = { slo: string; service: string; target: number | null; window: string; budgeting_method: string; indicator: "ratio" | "threshold" | "composite"; description: string; owner: string; tier: number; threshold: number | null; unit: string; configured_in: string; rules: Array<{ name: string; severity: string; kind: "burn" | "budget" | "threshold"; factor: number; long_window: string; short_window: string }> };
export type ServiceDetail = (Service & { status: Array<SloStatus>; targets: Array<Target>; incidents: Array<OpenIncident> });
export type BurnRate = { service_name: string; slo: string; burn_rate_5m: number | null; burn_rate_1h: number | null; burn_rate_24h: number | null; composite_burn_rate: number | null; error_budget_consumed: number | null; error_budget_remaining: number | null; risk_level: "SAFE" | "OBSERVE" | "DANGER" | "FREEZE"; timestamp: string | null };
export type Change = { id: number; at: string | null; from: string | null; to: string | null; kind: string; service: string; slo: string; who: string; text: string; details: Array<unknown> | Record<string, unknown> };
export type BurnHistory = { service_name: string; from: string | null; to: string | null; step: string; series: Array<{ slo: string; target: number | null; window: string; points: Array<{ at: string | null; good: number; bad: number; burn_rate: number | null; error_budget_remaining: number | null }>; annotations: Array<Change> }> };
export type SloForecast = { slo: string; service: string; window: string; error_budget_consumed: number | null; forecast: Forecast };
export type ServiceForecast = { service_name: string; slo: string; time_to_exhaustion_hours: number | null; projected_exhaustion_time: string | null; burn_rate_trend: "increasing" | "decreasing" | "stable"; confidence_level: string; forecast_message: string; data_points_used: number; slos: Array<SloForecast> };
export type SloRelease = { slo: string; service: string; release: Release; budget_policy: (BudgetPolicy | null) };
export type ServiceRelease = { service_name: string; decision: "GO" | "CAUTION" | "HOLD" | "FREEZE"; allowed: boolean; risk_level: "SAFE" | "OBSERVE" | "DANGER" | "FREEZE"; reason: string; slos: Array<SloRelease> };
export type Gate = { decision: "GO" | "CAUTION" | "HOLD" | "FREEZE"; allowed: boolean; slos: Array<SloRelease> };
export type Summary = { node: string; timestamp: string | null; headline: string; services: number; slos: number; by_risk: { SAFE: number; OBSERVE: number; DANGER: number; FREEZE: number }; by_state: { HEALTHY: number; DEGRADING: number; VIOLATED: number; NO_DATA: number }; release: "GO" | "CAUTION" | "HOLD" | "FREEZE"; alerts_firing: number; incidents_open: number; nodes: { all: number; alive: number }; worst: Array<Service> };
export type ServiceSummary = { service_name: string; risk_level: "SAFE" | "OBSERVE" | "DANGER" | "FREEZE"; state: "HEALTHY" | "DEGRADING" | "VIOLATED" | "NO_DATA"; text: string; sentences: Array<{ text: string; facts: Array<string> }>; facts: Record<string, string> };
export type Heatmap = { timestamp: string | null; windows: Array<string>; services: Array<{ service: string; tier: number; risk_level: "SAFE" | "OBSERVE" | "DANGER" | "FREEZE"; cells: Array<{ window: string; burn_rate: number | null; risk_level: ("SAFE" | "OBSERVE" | "DANGER" | "FREEZE" | null); slo: string | null }> }> };
export type Alert = { id: string; sequence: number; kind: "fired" | "resolved" | "rows"; firing: boolean; slo: string; service: string; rule: string; severity: string; priority: "P0" | "P1" | "P2" | "P3"; since: string | null; at: string | null; summary: string; incident: string | null; acknowledged: string | null; acknowledged_by: string };
export type History = { slo: string; from: string | null; to: string | null; step: string; points: Array<{ at: string | null; good: number; bad: number; covered_s: number }>; latency: Array<{ at: string | null; count: number; p50: number; p95: number; p99: number }>; annotations: Array<Change> };
export type Entry = { at: string | null; node: string; who: string; text: string; details?: Record<string, string> };
export type Condition = { key: string; kind: string; severity: "P0" | "P1" | "P2" | "P3"; service: string; node: string; pod: string; text: string; holds: boolean; since: string | null; began: string | null; over: string | null; observers: Array<{ node: string; told: string | null; ended: string | null }> };
export type Evidence = { number: string; kind: string; entry: Entry };
export type ActionItem = { incident?: string; item: string; text: string; owner: string; priority: string; added: string | null; due: string | null; done: string | null; overdue: boolean };
export type Incident = { id: string; aliases: Array<string>; key: string; state: "open" | "acknowledged" | "mitigated" | "resolved"; severity: "P0" | "P1" | "P2" | "P3"; severity_by: string; title: string; service: string; services: Array<string>; nodes: Array<string>; opened_on: string; declared: boolean; began: string | null; opened: string | null; acknowledged: string | null; acknowledged_by: string; first_acknowledged: string | null; mitigated: string | null; mitigated_by: string; recovered: string | null; resolved: string | null; resolved_by: string; resolved_itself: boolean; resolution: string; reopened: string | null; reopens: number; roles: { commander: string; resolver: string; communications: string; expert: string }; conditions: Array<Condition>; pages: Array<Entry>; communications: Array<Entry>; actions: Array<Entry>; notes: Array<Entry>; causes: Array<Entry>; suspects: Array<string>; failure_class: ({ evidence: string; text: string } | null); impact: ({ evidence: string; text: string } | null); diagnostics: Array<string>; evidence: Array<Evidence>; action_items: Array<ActionItem>; history: Array<{ at: string | null; kind: string; node: string; who: string; text: string }>; left_out: number };
export type Postmortem = { id: string; title: string; severity: "P0" | "P1" | "P2" | "P3"; state: string; as_of: string | null; summary: Array<string>; impact: string | null; timeline: Array<{ at: string | null; text: string; order_unknown: boolean }>; root_cause_analysis: Record<string, unknown>; resolution: Record<string, unknown>; lessons_learned: Record<string, unknown>; action_items: Array<unknown>; prevention: Record<string, unknown> };
export type Narrative = { text: string; rewritten?: boolean; note?: string; facts: Record<string, string>; sentences: Array<{ text: string; facts: Array<string> }> };
export type SeverityKpis = { incidents: number; open: number; reopened: number; mttd: { count: number; mean_seconds: number | null; median_seconds: number | null }; mtta: { count: number; mean_seconds: number | null; median_seconds: number | null }; mttm: { count: number; mean_seconds: number | null; median_seconds: number | null }; mttr: { count: number; mean_seconds: number | null; median_seconds: number | null } };
export type Kpis = { from: string | null; to: string | null; all: SeverityKpis; by_severity: Record<string, SeverityKpis>; urgent: { recovered: number; within_target: number; target_seconds: number; share: number | null }; changes: Record<string, unknown>; repeats: Array<unknown>; action_items: { all: number; done: number; overdue: number } };
export type TimelineEvent = { time: string | null; local_time: string; uncertainty_ns: number; reported: string | null; node: string; seq: number; service: string; kind: string; text: string; incident: string; key: string; concurrent_group: number | null; after: unknown; doubtful: boolean; in_sequence: boolean; fields: Array<{ name: string; value: string }> };
export type Timeline = { title: string; zone: string; reference: string; nodes: Array<{ node: string; offset_ns: number; uncertainty_ns: number | null; source: string }>; events: Array<TimelineEvent>; stats: Record<string, unknown> };
export type Remedies = { enabled: boolean; stopped: boolean; stops: Array<{ id: string; node: string; who: string; why: string; at: string | null }>; unread: number; breaker_open: boolean; rules: Array<RemedyRule>; acts: Array<RemedyAct>; waiting: Array<{ rule: string; incident: string; target: string; why: string }> };
export type Audit = { whole: boolean; head: number; head_hash: string; records: Array<{ number: number; hash: string; body: string }>; first_fault?: number; why?: string; heads: Array<{ node: string; number: number; hash: string }>; faults: Array<{ node: string; number: number; why: string; at: string | null }> };
export type Imported = { new: number; known: number };
export type Status = { node: string; version: string; boot: number; ready: boolean; not_ready_reason: string; replay: boolean; now: string | null; started: string | null; watermark: string | null; slos: number; sources: Array<{ name: string; service: string; format: string; files: number; records: number; bytes: number; malformed: Record<string, number>; set_aside: Record<string, number>; first_malformed: string; lag_bytes: number }>; inputs: Array<{ kind: string; name: string; healthy: boolean; trouble: string; resumable: boolean; received: number; bytes: number; lost: number; refused: number; restarts: number; lag_bytes: number }>; tailer: Record<string, unknown>; governor: { backing_off: boolean; reason: string; back_offs: number; cpu_pauses: number; paused_ms: number }; store: Record<string, unknown> | null; counters: Record<string, unknown>; notify: { sent: number; failed: number; pending: number }; engine_bytes: number; resident_bytes: number; cpu_seconds: number; brokers: Array<{ name: string; kind: string; trouble: string; denied: Array<string> }>; incidents: { kept: boolean; open: Array<OpenIncident> } };
export type Outbox = { notifiers: Array<{ name: string; kind: string; chain?: string; step?: number; cursor?: number; pending: number; sent: number; dead: number; attempts: number; failures: number; late?: number; passed_over?: number; filtered?: number; dropped?: number; failures_in_row: number; last_error: string }>; alertmanagers: Array<Record<string, unknown>>; dead_letters: Array<Record<string, unknown>> };
export type SavedQuery = { name: string; sql: string; who: string; at: string };
export type StandingQuery = { name: string; sql: string; every: string; severity: string; notify: Array<string>; last_run: string | null; last_rows: number; last_duration_ms: number; error: string | null; runs: number; errors: number; records: number; rows: number; omitted: number; evicted: number; not_kept: number; lag_bytes: number };
export type Capacity = { vital: string; state: string; newest: number | null; highest: number | null; newest_day: string | null; days: number; thresholds: { watch: number | null; scale: number | null; critical: number | null }; growth_per_day: number | null; growth_low: number | null; growth_high: number | null; growing: boolean; in_30_days: number | null; in_90_days: number | null; days_to_scale: number | null; days_to_critical: number | null; days_to_critical_earliest: number | null; days_to_critical_latest: number | null; message: string };
export type Fleet = { node: string; isolated: boolean; timestamp: string | null; clock_offset_ms: number; nodes: Array<{ node: string; self: boolean; state: "alive" | "suspect" | "silent" | "left"; connected: boolean; heard_ago_s: number; boot: number; role: string; address: string; clock_offset_ms: number | null; clock_uncertainty_ms: number | null; isolated_since: string | null; slos: number }>; slos: Array<Record<string, unknown>>; silent: Array<{ node: string; key: string; paged_by: string; at: string | null; since: string | null }> };
export type Report = { node: string; from: string | null; to: string | null; made: string | null; slos: Array<Record<string, unknown>>; changes: Array<unknown>; overrides: Array<unknown>; exclusions: Array<unknown>; toil: Array<unknown> };
export type Backtest = Record<string, unknown>;
export type Lesson = { signature: string; action: string; standing: string; good: number; n: number; success_low: number | null; success_high: number | null; gain: number | null; p_adjusted: number | null; against?: string };
export type Effect = { rule: string; signature: string; good: number; n: number; success_95: Array<number | null>; base_good: number; base_n: number; base_95: Array<number | null>; median_recover_s: number | null; base_median_recover_s: number | null; not_recovered: number; base_not_recovered: number; change_s: number | null; change_95_s: Array<number | null>; p_change: number | null; hands_on_s: number; hands_on_n: number; toil_saved_s: number; toil_saved_s_month: number; failures_in_a_row: number; demote: string | null };
export type Impact = Record<string, unknown>;
export type ChangeDetail = Record<string, unknown>;
export type OnCall = { now: string; schedules: Array<{ schedule: string; person: string | null; until: string | null; why: string; next: Array<{ person: string | null; from: string; until: string; why: string }> }>; people: Array<{ person: string; name: string; away: boolean; quiet: boolean; pages_24h: number; fatigue: number; notify: Array<string> }>; policies: Array<{ policy: string; services: Array<string>; next_digest: string }>; pages: number; imported_pages: number };
export type OnCallRoute = { at: string; severity: "P0" | "P1" | "P2" | "P3"; service: string; signature: string; policy: string | null; digest: string | null; held_until: string | null; chain: Array<{ person: string; at: string; notify: Array<string> }>; candidates: Array<{ person: string; level: number; cost: number; blocked: string | null; terms: Array<{ name: string; cost: number; why: string }> }>; experts: Array<{ person: string; score: number; why: string }> };
export type OnCallReport = { from: string; to: string; pages: number; night_pages: number; gini_pages: number; gini_night_pages: number; gini_on_call: number; median_ack_s: number | null; people: Array<{ person: string; on_call_s: number; pages: number; night_pages: number; acknowledged: number; resolved: number; median_ack_s: number | null; slowest_ack_s: number | null; fatigue: number; most_in_a_day: number }>; noisy_rules: Array<{ signature: string; pages: number; night_pages: number; unanswered: number; by_itself: number; brief: number; hint: string }> };
export type KnowledgeFound = { id: string; kind: string; title: string; service: string; rank: number; templates: number; of_service: boolean; text: number; excerpt: string };
export type Article = { id: string; kind: string; title: string; service: string; templates: Array<string>; text: string };
export type RemedyRule = { rule: string; state: string; action: string; signature: string; service: string; shadow_hits: number; failures_in_a_row: number; demotions: number; since?: string; asks_each_time: boolean; opposes?: string };
export type RemedyAct = { id: string; rule: string; action: string; target: string; incident: string; phase: string; at: string | null; ended?: string | null; undoes?: string; who?: string };
export type Procedure = { signature: string; standing: string; resolutions: number; incidents: Array<string>; steps: Array<{ action: string; taken: number; before: Array<string>; after: Array<string>; wait_s: number; rollback: string | null }> };
export type RuleStory = { rule: RemedyRule; known: (Lesson | null); procedure: Procedure; effect: Effect; changes: Array<{ at: string; what: string; who: string; text?: string }>; acts: Array<RemedyAct>; acts_in_all: number };
export type RuleReport = { rule: RemedyRule; effect: Effect };
export type RemedyRun = { rule: string; incident: string; dry_run: boolean; target: string; steps: Array<string>; became: string; text: string; against_the_rule: Array<string>; against_you: Array<string>; held: boolean; needs_lease: boolean; act: string | null; why?: string };

export type GetPath =
  | `/`
  | `/metrics`
  | `/healthz`
  | `/readyz`
  | `/ack/${string}`
  | `/approve/${string}`
  | `/api/services`
  | `/api/services/${string}`
  | `/api/slo`
  | `/api/slo/${string}`
  | `/api/slo/${string}/explain`
  | `/api/slo/${string}/history`
  | `/api/slo/${string}/forecast`
  | `/api/slo/${string}/backtest`
  | `/api/slo/${string}/targets`
  | `/api/burn`
  | `/api/burn/${string}`
  | `/api/forecast`
  | `/api/forecast/${string}`
  | `/api/backtest`
  | `/api/capacity`
  | `/api/release/${string}`
  | `/api/gate`
  | `/api/gate/${string}`
  | `/api/summary`
  | `/api/summary/heatmap`
  | `/api/summary/${string}`
  | `/api/alerts`
  | `/api/alerts/${string}`
  | `/api/incidents`
  | `/api/incidents/${string}`
  | `/api/incidents/${string}/postmortem`
  | `/api/incidents/${string}/narrative`
  | `/api/incidents/${string}/message`
  | `/api/incidents/${string}/timeline`
  | `/api/timeline`
  | `/api/kpis`
  | `/api/items`
  | `/api/narrative`
  | `/api/oncall`
  | `/api/oncall/route`
  | `/api/oncall/report`
  | `/api/oncall/pages`
  | `/api/kb/search`
  | `/api/kb/${string}`
  | `/api/changes`
  | `/api/changes/${string}`
  | `/api/changes/${string}/impact`
  | `/api/report`
  | `/api/remedies`
  | `/api/remedies/lessons`
  | `/api/remedies/effect`
  | `/api/remedies/rule`
  | `/api/remedies/report`
  | `/api/remedies/audit`
  | `/api/queries`
  | `/api/queries/saved`
  | `/api/queries/saved/${string}`
  | `/api/status`
  | `/api/fleet`
  | `/api/outbox`
  | `/api/events`
  | `/api/openapi.json`;

export type PostPath =
  | `/ack/${string}`
  | `/approve/${string}`
  | `/api/burn/compute`
  | `/api/release/${string}/override`
  | `/api/gate/${string}/override`
  | `/api/incidents`
  | `/api/incidents/${string}`
  | `/api/changes`
  | `/api/remedies`
  | `/api/remedies/history`
  | `/api/query`;

export type PatchPath =
  | `/api/alerts/${string}/acknowledge`;

export type PutPath =
  | `/api/queries/saved/${string}`;

export type DeletePath =
  | `/api/queries/saved/${string}`;
