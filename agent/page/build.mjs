// Makes dist/ of src/: the same bytes wherever it runs, since every version is locked and nothing of
// the machine goes in. With a folder as argument it writes there instead (the test that compares).
import { build } from 'esbuild';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, 'dist');
const kMostBytes = 80 * 1024; // gzip, all together

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { page: 'src/main.tsx', style: 'src/style.css' },
  outdir: out,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022'],
  legalComments: 'none',
  logLevel: 'warning',
});
for (const name of ['index.html', 'icon.svg']) cpSync(join(here, 'src', name), join(out, name));

let sum = 0;
for (const name of readdirSync(out).sort()) {
  const bytes = gzipSync(readFileSync(join(out, name)), { level: 9 }).length;
  sum += bytes;
  console.log(`${String(bytes).padStart(7)}  ${name}`);
}
console.log(`${String(sum).padStart(7)}  in all (gzip)`);
if (sum > kMostBytes) {
  console.error(`the page is larger than ${kMostBytes} bytes`);
  process.exit(1);
}
