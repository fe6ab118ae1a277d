// A judge of what we sign, by the library jose: judge.mjs PEM-FILE ALGORITHM AUDIENCE, the assertion on stdin. Tells header and claims; the
// key is that of the certificate in the file, or the public key of the private one. PS256 goes with a SHA-256 of the certificate, RS256 with SHA-1.
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
  const print = (hash) => createHash(hash).update(certificate.raw).digest('base64url');
  const named = !certificate || (algorithm === 'PS256' ? protectedHeader['x5t#S256'] === print('sha256') : protectedHeader.x5t === print('sha1'));
  look(named, 'the certificate it names', protectedHeader);
  tell({header: protectedHeader, claims: payload});
});
