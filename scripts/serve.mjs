import { createServer } from 'node:http';

const types = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  json: 'application/json',
  map: 'application/json',
  png: 'image/png',
};

/** Serves files (name to text or bytes) on localhost; `''` is the page. Gives its address and a way to stop. */
export async function serve(files, port = 0) {
  const server = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname.slice(1));
    const body = files.get(name);
    const type = name === '' ? 'text/html' : types[name.split('.').pop()];
    const headers = {
      'content-type': `${type ?? 'application/octet-stream'}; charset=utf-8`,
      'cache-control': 'no-store',
    };
    if (body === undefined) response.writeHead(404).end();
    else response.writeHead(200, headers).end(body);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, 'localhost', resolve));
  return { url: `http://localhost:${server.address().port}/`, close: () => server.close() };
}
