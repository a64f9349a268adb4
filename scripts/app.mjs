// npm run app -- [--port N]: builds examples/browser and serves it on localhost until Ctrl-C.
import { exitWithError, messageOf, parseScriptArgs, prepare } from './workspace.mjs';

const { values, positionals } = parseScriptArgs('app', '--port N', { port: { type: 'string', default: '8080' } });
const port = Number(values.port);
if (!Number.isInteger(port) || positionals.length > 0)
  exitWithError(`app: --port must be an integer, got ${[values.port, ...positionals].join(' ')}; options are --port N`);
prepare();
const { buildPage } = await import('./page.mjs');
const { serve } = await import('./serve.mjs');
const { url } = await serve(await buildPage(), port).catch((reason) =>
  exitWithError(
    reason.code === 'EADDRINUSE'
      ? `app: port ${port} is in use; choose another with --port N`
      : `app: ${messageOf(reason)}`,
  ),
);
process.stdout.write(`${url}  (open it in a browser with WebGPU; Ctrl-C ends)\n`);
