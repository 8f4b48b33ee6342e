// Serves dist/ as the agent does, with its Content-Security-Policy, and passes everything else on to
// an agent:  node dev.mjs http://127.0.0.1:9990 [port]
import { createReadStream, existsSync } from 'node:fs';
import http from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const kPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";
const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

function passOn(agent, request, response) {
  const onward = http.request(
    new URL(request.url, agent),
    { method: request.method, headers: { ...request.headers, host: new URL(agent).host } },
    (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on('error', () => {
    if (!response.headersSent) response.writeHead(502, { 'Content-Type': 'text/plain' });
    response.end();
  });
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

/** Resolves to the server once it listens; port 0: any. */
export function serve(
  agent,
  port = 0,
  dist = join(dirname(fileURLToPath(import.meta.url)), 'dist'),
) {
  const server = http.createServer((request, response) => {
    const path = normalize(new URL(request.url, 'http://x').pathname);
    const file = join(dist, path === '/' ? 'index.html' : path);
    if (path.startsWith('/api') || path === '/metrics' || !existsSync(file))
      return passOn(agent, request, response);
    response.writeHead(200, {
      'Content-Type': kTypes[extname(file)] ?? 'application/octet-stream',
      'Content-Security-Policy': kPolicy,
      'Cache-Control': 'no-cache',
    });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await serve(
    process.argv[2] ?? 'http://127.0.0.1:9990',
    Number(process.argv[3] ?? 9991),
  );
  console.log(`http://127.0.0.1:${server.address().port}/`);
}
