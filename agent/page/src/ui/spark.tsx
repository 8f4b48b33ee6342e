// The last day of an objective in a line's height: how much of each step was bad, on a root scale so
// that little is still seen. Read only when it comes into view.
import { useEffect, useRef, useState } from 'preact/hooks';
import { useData } from '../data';
import type { History } from '../model';

const kWide = 120,
  kHigh = 22,
  kBars = 48;

const waiting = new Map<Element, () => void>();
/** One for all: tells those that come into view, once. */
const watch = new IntersectionObserver(
  (found) => {
    for (const f of found)
      if (f.isIntersecting) {
        waiting.get(f.target)?.();
        watch.unobserve(f.target);
      }
  },
  { rootMargin: '100px' },
);

function bars(history: History, target: number): { burn: number; covered: boolean }[] {
  const group = Math.max(1, Math.ceil(history.points.length / kBars));
  const out = [];
  for (let i = 0; i < history.points.length; i += group) {
    let good = 0,
      bad = 0,
      covered = 0;
    for (const p of history.points.slice(i, i + group)) {
      good += p.good;
      bad += p.bad;
      covered += p.covered_s;
    }
    out.push({ burn: good + bad ? bad / (good + bad) / (1 - target) : 0, covered: covered > 0 });
  }
  return out;
}

export function Spark({ slo, target }: { slo: string; target: number | null }) {
  const place = useRef<SVGSVGElement>(null);
  const [seen, see] = useState(false);
  useEffect(() => {
    const mark = place.current!;
    waiting.set(mark, () => see(true));
    watch.observe(mark);
    return () => {
      waiting.delete(mark);
      watch.unobserve(mark);
    };
  }, []);
  const { data } = useData<History>(
    seen && target !== null ? `/api/slo/${encodeURIComponent(slo)}/history?span=24h` : null,
    60_000,
  );
  const all = data && target !== null && target < 1 ? bars(data, target) : [];
  const worst = Math.max(0, ...all.map((b) => b.burn));
  const label = all.length
    ? `burn rate of the last 24 hours, at worst ${worst.toFixed(1)} times the budget's pace`
    : 'burn rate of the last 24 hours';
  const wide = kWide / Math.max(1, all.length);
  return (
    <svg
      ref={place}
      class="spark"
      viewBox={`0 0 ${kWide} ${kHigh}`}
      width={kWide}
      height={kHigh}
      role="img"
      aria-label={label}
    >
      <title>{label}</title>
      <rect class="base" x="0" y={kHigh - 1} width={kWide} height="1" />
      {all.map(
        (b, i) =>
          b.burn > 0 && (
            <rect
              class={b.burn > 1 ? 'burns' : 'fine'}
              x={i * wide}
              width={Math.max(1, wide - 0.6)}
              y={kHigh - 1 - Math.min(1, Math.sqrt(b.burn / 14)) * (kHigh - 2)}
              height={Math.min(1, Math.sqrt(b.burn / 14)) * (kHigh - 2)}
            />
          ),
      )}
    </svg>
  );
}
