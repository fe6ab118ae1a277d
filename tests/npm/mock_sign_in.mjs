// oauth2-mock-server with an order of answers: mock_sign_in.mjs PORT ORDER-FILE. Each token request takes the first of the JSON list in the
// file: null for the server's own answer, else {"status": ..., "body": {...}}, whose members replace or (null) remove its own.
import {readFileSync, writeFileSync} from 'node:fs';
import {OAuth2Server} from 'oauth2-mock-server';

const [port, file] = process.argv.slice(2);
const server = new OAuth2Server();
await server.issuer.keys.generate('RS256');
server.service.on('beforeResponse', (answer) => {
  const [next, ...later] = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify(later));
  if (!next) return;
  answer.statusCode = next.status ?? answer.statusCode;
  for (const [name, value] of Object.entries(next.body)) {
    if (value === null) delete answer.body[name];
    else answer.body[name] = value;
  }
});
await server.start(Number(port), '127.0.0.1');
