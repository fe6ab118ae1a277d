// A judge of what we sign, by the library jose: judge.mjs PEM-FILE ALGORITHM AUDIENCE, the assertion on stdin. Tells header and claims; the
// key is that of the certificate in the file, or the public key of the private one.
import {X509Certificate, createHash, createPublicKey} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {jwtVerify} from 'jose';
import {look, run, tell} from './witness.mjs';

const [file, algorithm, audience] = process.argv.slice(2);
const pem = readFileSync(file, 'utf8');
const certificate = pem.includes('BEGIN CERTIFICATE') ? new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE'))) : null;

await run(async () => {
  const key = certificate ? certificate.publicKey : createPublicKey(pem);
  const {protectedHeader, payload} = await jwtVerify(readFileSync(0, 'utf8'), key, {algorithms: [algorithm], audience, maxTokenAge: '10m'});
  const print = certificate && createHash('sha256').update(certificate.raw).digest('base64url');
  look(!certificate || protectedHeader['x5t#S256'] === print, 'the certificate it names', protectedHeader, print);
  tell({header: protectedHeader, claims: payload});
});
