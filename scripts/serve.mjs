import { createServer } from 'node:http';

const types = new Map([
  ['html', 'text/html'],
  ['js', 'text/javascript'],
  ['css', 'text/css'],
  ['json', 'application/json'],
  ['map', 'application/json'],
  ['png', 'image/png'],
]);

/**
 * Serves files on localhost until `close` is called.
 * @param {ReadonlyMap<string, string | Uint8Array>} files by name; '' is the page
 * @param {number} [port] default: any free port
 * @returns {Promise<{ readonly url: string, readonly close: () => void }>}
 */
export async function serve(files, port = 0) {
  const server = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url ?? '', 'http://localhost').pathname.slice(1));
    const body = files.get(name);
    const type = types.get(name === '' ? 'html' : (name.split('.').pop() ?? '')) ?? 'application/octet-stream';
    const headers = { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' };
    if (body === undefined) response.writeHead(404).end();
    else response.writeHead(200, headers).end(body);
  });
  await /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => server.once('error', reject).listen(port, 'localhost', resolve))
  );
  const address = server.address();
  const listening = typeof address === 'object' && address !== null ? address.port : port;
  return { url: `http://localhost:${listening}/`, close: () => void server.close() };
}
