// A timeline drawn over nodes: a lane each, a dot for what happened, and around it a bar as wide as
// the clocks leave it uncertain. What may have been at the same time shares an outline.
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { clock, ms, words } from '../format';
import type { Timeline, TimelineEvent } from '../model';
import type { Tone } from './marks';

const kLane = 44,
  kTop = 22,
  kSide = 12,
  kTick = 96; // a time of day, or a day and a time
export const toneOfKind = (kind: string): Tone =>
  (
    ({
      alert: 'bad',
      state: 'warn',
      change: 'info',
      action: 'ok',
      log: 'none',
      page: 'watch',
    }) as Record<string, Tone>
  )[kind] ?? 'watch';
const shapes: Record<string, (x: number, y: number) => string> = {
  alert: (x, y) => `M${x} ${y - 7}l7 12h-14z`,
  change: (x, y) => `M${x} ${y - 7}l7 7-7 7-7-7z`,
  state: (x, y) => `M${x - 5.5} ${y - 5.5}h11v11h-11z`,
};
const round = (x: number, y: number) => `M${x - 5} ${y}a5 5 0 1 0 10 0a5 5 0 1 0-10 0z`;

function useWidth(): [RefObject<HTMLDivElement | null>, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, set] = useState(720);
  useEffect(() => {
    const watch = new ResizeObserver(() => set(box.current?.clientWidth ?? 720));
    watch.observe(box.current!);
    return () => watch.disconnect();
  }, []);
  return [box, width];
}

export function Lanes({ of }: { of: Timeline }) {
  const [box, width] = useWidth();
  const names = [...new Set([...of.nodes.map((n) => n.node), ...of.events.map((e) => e.node)])];
  const times = of.events.map((e) => ms(e.time));
  const first = Math.min(...times),
    last = Math.max(...times),
    pad = Math.max(1000, (last - first) * 0.04);
  const left = kSide + Math.min(110, Math.max(0, ...names.map((n) => n.length * 7)) + 10),
    right = width - kSide;
  const x = (t: number) => left + ((t - first + pad) / (last - first + 2 * pad)) * (right - left);
  const high = kTop + names.length * kLane + 22;
  // Whole seconds, as they are written; none where the one before it still is.
  const ticks = [0, 1, 2, 3, 4]
    .map((i) => Math.round((first + ((last - first) * i) / 4) / 1000) * 1000)
    .reduce<number[]>((kept, t) => {
      if (!kept.length || x(t) - x(kept[kept.length - 1]!) >= kTick) kept.push(t);
      return kept;
    }, []);
  // Signs that would cover each other go above and below the lane.
  const aside = [0, -13, 13];
  const lastOn = new Map<string, { at: number; n: number }>();
  const dot = (e: TimelineEvent, i: number) => {
    const at = x(ms(e.time)),
      before = lastOn.get(e.node);
    const n = before && at - before.at < 14 ? before.n + 1 : 0;
    lastOn.set(e.node, { at, n });
    const y = kTop + names.indexOf(e.node) * kLane + kLane / 2 + aside[n % aside.length]!;
    const doubt = Math.max(0, (e.uncertainty_ns / 1e6 / (last - first + 2 * pad)) * (right - left));
    return (
      <g key={i} class={`tone-${toneOfKind(e.kind)}`}>
        {e.uncertainty_ns > 0 && (
          <rect
            class="doubt"
            x={at - Math.max(7, doubt)}
            y={y - 10}
            width={Math.max(14, doubt * 2)}
            height="20"
            rx="4"
          />
        )}
        <path class="dot" d={(shapes[e.kind] ?? round)(at, y)}>
          <title>{`${clock(e.time ?? 0)} ± ${(e.uncertainty_ns / 1e6).toFixed(1)} ms, ${e.node}: ${e.text}`}</title>
        </path>
      </g>
    );
  };
  return (
    <div ref={box}>
      <svg
        class="lanes"
        viewBox={`0 0 ${width} ${high}`}
        height={high}
        role="img"
        aria-label={`${of.events.length} events on ${names.length} nodes, listed below`}
      >
        {ticks.map((t, i) => (
          <g key={i}>
            <line class="grid-line" x1={x(t)} x2={x(t)} y1={kTop - 6} y2={high - 18} />
            <text
              x={x(t)}
              y={high - 4}
              text-anchor={i === 0 ? 'start' : x(t) > right - kTick / 2 ? 'end' : 'middle'}
            >
              {clock(t)}
            </text>
          </g>
        ))}
        {names.map((n, i) => (
          <g key={n}>
            <line
              class="lane"
              x1={left}
              x2={right}
              y1={kTop + i * kLane + kLane / 2}
              y2={kTop + i * kLane + kLane / 2}
            />
            <text x={kSide} y={kTop + i * kLane + kLane / 2 + 4}>
              {n.slice(0, 15)}
            </text>
          </g>
        ))}
        {of.events.map(dot)}
      </svg>
      <p class="dim">
        <small>
          {[...new Set(of.events.map((e) => e.kind))].map((k) => words(k)).join(', ')}; a bar around
          a sign is how far the clocks leave its moment open
        </small>
      </p>
    </div>
  );
}
