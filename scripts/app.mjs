// npm run app -- [--port N]: builds examples/browser and serves it on localhost until Ctrl-C.
import { fail, prepare, typed } from './workspace.mjs';

const words = typed();
const port = words.length === 0 ? 8080 : Number(words[words.indexOf('--port') + 1]);
if (!Number.isInteger(port) || (words.length > 0 && words[0] !== '--port')) fail('app: its one option is --port N');
prepare();
const { buildPage } = await import('./page.mjs');
const { serve } = await import('./serve.mjs');
const { url } = await serve(await buildPage(), port).catch((reason) =>
  fail(
    reason.code === 'EADDRINUSE' ? `app: port ${port} is taken; choose one with --port N` : `app: ${reason.message}`,
  ),
);
process.stdout.write(`${url}  (open it in a browser with WebGPU; Ctrl-C ends)\n`);
