// Where the page is: '#/service/checkout?tab=x' is ['service', 'checkout'] and its parameters.
import { useEffect, useState } from 'preact/hooks';

export interface Place {
  path: string[];
  query: URLSearchParams;
}

function here(): Place {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const parts = path
    .split('/')
    .filter(Boolean)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
  return { path: parts, query: new URLSearchParams(query) };
}

export function usePlace(): Place {
  const [place, move] = useState(here);
  useEffect(() => {
    const moved = () => move(here());
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return place;
}

export const to = (...path: string[]) => '#/' + path.map(encodeURIComponent).join('/');
