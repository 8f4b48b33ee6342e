// Numbers and times as people read them. Times are in the viewer's zone; UTC is in the title.

const kNone = '–';

export function percent(share: number | null | undefined, digits = 2): string {
  if (share === null || share === undefined) return kNone;
  return `${Number((share * 100).toFixed(digits))} %`.replace('-', '−');
}

/** Enough digits to tell 99.95 from 99.99. */
export function ratio(share: number | null | undefined): string {
  if (share === null || share === undefined) return kNone;
  if (share === 1) return '100 %';
  const digits = Math.min(5, Math.max(2, Math.ceil(-Math.log10(Math.max(1e-9, 1 - share)))));
  return `${(Math.floor(share * 100 * 10 ** digits + 1e-6) / 10 ** digits).toFixed(digits)} %`;
}

/** 3.1×, 14×, 0.2×. */
export function times(x: number | null | undefined): string {
  if (x === null || x === undefined) return kNone;
  return `${x >= 100 ? Math.round(x) : x >= 10 ? x.toFixed(0) : x >= 1 ? x.toFixed(1) : x === 0 ? '0' : x < 0.05 ? '<0.1' : x.toFixed(1)}×`;
}

export function count(n: number): string {
  if (n < 10_000) return String(n);
  if (n < 1e6) return `${(n / 1e3).toFixed(n < 1e5 ? 1 : 0)}k`;
  return `${(n / 1e6).toFixed(n < 1e7 ? 2 : 1)}M`;
}

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) {
    n /= 1024;
    unit++;
  }
  return `${n >= 100 || unit === 0 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 36 * 3600) {
    const h = Math.floor(s / 3600),
      m = Math.round((s % 3600) / 60);
    return m && h < 10 ? `${h} h ${m} min` : `${Math.round(s / 3600)} h`;
  }
  return `${Math.round(s / 86400)} days`;
}

/** '1d', '30m', '144m' in seconds. */
export function seconds(text: string): number {
  const unit: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
  return [...text.matchAll(/(\d+)([smhdw])/g)].reduce(
    (sum, [, n, u]) => sum + Number(n) * (unit[u!] ?? 0),
    0,
  );
}

const kClock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const kDay = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});

export function clock(at: string | number): string {
  const date = new Date(at);
  return Math.abs(Date.now() - date.getTime()) < 20 * 3600_000
    ? kClock.format(date)
    : kDay.format(date);
}
export const utc = (at: string | number) =>
  `${new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.000Z$|Z$/, '')} UTC`;
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** 'restart-worker' stays, 'slow_dependency' becomes 'slow dependency'. */
export const words = (name: string) => name.replaceAll('_', ' ').toLowerCase();

/** Milliseconds of a moment; NaN when there is none. */
export const ms = (at: string | null | undefined): number => (at ? Date.parse(at) : Number.NaN);
