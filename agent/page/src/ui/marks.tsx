// Small signs that carry a state: a shape, a word and a colour, so that none stands alone.
import type { ComponentChildren } from 'preact';
import { clock, span, utc, words } from '../format';
import type { Release, Risk, State } from '../model';
import { useMinute } from '../data';

export type Tone = 'ok' | 'watch' | 'warn' | 'bad' | 'none' | 'info';

const kShapes: Record<Tone, string> = {
  ok: 'M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13Zm3.300 5-4 4.300-2.600-2.500 1-1 1.500 1.500 3-3.300Z',
  watch:
    'M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13Zm-.800 3h1.600v4.300H7.200Zm0 5.400h1.600v1.600H7.200Z',
  warn: 'M8 1.200 15.500 14.500h-15Zm-.800 5v4h1.600v-4Zm0 5.200V13h1.600v-1.600Z',
  bad: 'M5 1h6l4 4v6l-4 4H5l-4-4V5Zm.700 3.600-1.100 1.100L6.900 8l-2.300 2.300 1.100 1.100L8 9.100l2.300 2.300 1.100-1.100L9.100 8l2.300-2.300-1.100-1.100L8 6.900Z',
  none: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 1.600a4.400 4.400 0 1 1 0 8.800 4.400 4.400 0 0 1 0-8.800Z',
  info: 'M8 3.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9Z',
};

export function Shape({ tone, label }: { tone: Tone; label?: string }) {
  return (
    <svg
      class={`shape tone-${tone}`}
      viewBox="0 0 16 16"
      width="14"
      height="14"
      role={label ? 'img' : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : 'true'}
    >
      <path d={kShapes[tone]} fill-rule="evenodd" />
    </svg>
  );
}

export const toneOfState: Record<State, Tone> = {
  HEALTHY: 'ok',
  DEGRADING: 'warn',
  VIOLATED: 'bad',
  NO_DATA: 'none',
};
export const toneOfRisk: Record<Risk, Tone> = {
  SAFE: 'ok',
  OBSERVE: 'watch',
  DANGER: 'warn',
  FREEZE: 'bad',
};
export const toneOfRelease: Record<Release, Tone> = {
  GO: 'ok',
  CAUTION: 'watch',
  HOLD: 'warn',
  FREEZE: 'bad',
};
export const wordOfState: Record<State, string> = {
  HEALTHY: 'healthy',
  DEGRADING: 'degrading',
  VIOLATED: 'out of budget',
  NO_DATA: 'no data',
};
const kTonesOfIncident: Record<string, Tone> = {
  open: 'bad',
  acknowledged: 'warn',
  mitigated: 'watch',
  resolved: 'ok',
};

export function Mark({
  tone,
  children,
  quiet,
}: {
  tone: Tone;
  children: ComponentChildren;
  quiet?: boolean;
}) {
  return (
    <span class={`mark tone-${tone}${quiet ? ' quiet' : ''}`}>
      <Shape tone={tone} />
      {children}
    </span>
  );
}
export const StateMark = ({ state }: { state: State }) => (
  <Mark tone={toneOfState[state]}>{wordOfState[state]}</Mark>
);
export const ReleaseMark = ({ release }: { release: Release }) => (
  <Mark tone={toneOfRelease[release]}>{release.toLowerCase()}</Mark>
);
export const IncidentMark = ({ state }: { state: string }) => (
  <Mark tone={kTonesOfIncident[state] ?? 'none'}>{words(state)}</Mark>
);

export function Severity({ of }: { of: string }) {
  return (
    <span class={`severity ${of}`} title={`severity ${of}, P0 is the most urgent`}>
      {of}
    </span>
  );
}

/** A moment in the viewer's zone; UTC in the title. */
export function Time({ at, ago }: { at: string | null | undefined; ago?: boolean }) {
  useMinute();
  if (!at) return <span class="dim">–</span>;
  const since = (Date.now() - Date.parse(at)) / 1000;
  return (
    <time dateTime={at} title={utc(at)}>
      {ago ? (since < 0 ? `in ${span(-since)}` : `${span(since)} ago`) : clock(at)}
    </time>
  );
}
