// Written by types.mjs from the OpenAPI document of the agent; do not edit.

export type SloStatus = { slo: string; service: string; tier: number; target: number | null; window: string; budgeting_method: string; good: number; bad: number; total: number; sli: number | null; burn_rate_5m: number | null; burn_rate_1h: number | null; burn_rate_24h: number | null; composite_burn_rate: number | null; error_budget_consumed: number | null; error_budget_remaining: number | null; risk_level: string; state: string; coverage: number; window_start: string | null; window_end: string | null; alerts: Array<Record<string, unknown>>; timestamp: string | null; draft: boolean; release: Record<string, unknown>; forecast: Record<string, unknown>; budget_policy: Record<string, unknown> | null; windows: Record<string, unknown> };

export type GetPath =
  | `/`
  | `/metrics`
  | `/healthz`
  | `/readyz`
  | `/api/slo`
  | `/api/slo/${string}`
  | `/api/slo/${string}/explain`
  | `/api/slo/${string}/history`
  | `/api/slo/${string}/forecast`
  | `/api/slo/${string}/backtest`
  | `/api/forecast`
  | `/api/backtest`
  | `/api/capacity`
  | `/api/gate`
  | `/api/gate/${string}`
  | `/api/changes`
  | `/api/changes/${string}`
  | `/api/changes/${string}/impact`
  | `/api/report`
  | `/api/status`
  | `/api/queries`
  | `/api/alerts`
  | `/api/timeline`
  | `/api/incidents/${string}/timeline`
  | `/api/outbox`
  | `/api/kpis`
  | `/api/items`
  | `/api/narrative`
  | `/api/openapi.json`;

export type PostPath =
  | `/api/gate/${string}/override`
  | `/api/changes`;

export type PatchPath =
  never;
