// Microsoft's own client against the emulator: microsoft_graph.mjs URL TOKEN work | throttled | resync DELTA-LINK | same, with requests on stdin.
// The client sends its token to https addresses only. So it is told https, and the last step of its chain, which sends, makes http of it.
import {readFileSync} from 'node:fs';
import {BatchRequestContent, BatchResponseContent, Client, MiddlewareFactory, PageIterator} from '@microsoft/microsoft-graph-client';
import {look, refused, run, tell} from './witness.mjs';

const [baseUrl, token, mode, ...rest] = process.argv.slice(2);

function clientOf(secret) {
  const chain = MiddlewareFactory.getDefaultMiddlewareChain({getAccessToken: async () => secret});
  chain[chain.length - 1] = {execute: async (context) => {
    context.response = await fetch(context.request.replace(/^https:/, 'http:'), context.options);
  }};
  return Client.initWithMiddleware({baseUrl, defaultVersion: 'v1.0', customHosts: new Set([new URL(baseUrl).hostname]), middleware: chain});
}

const client = clientOf(token);
const immutable = 'IdType="ImmutableId"';
const operation = 'String {B1A2C3D4-0000-4000-8000-00805F9B34FB} Name abgleich';
const fields = 'id,displayName,givenName,surname,emailAddresses,mobilePhone,categories,personalNotes,parentFolderId';

const at = (path, more = {}) => client.api(path).headers({Prefer: immutable, ...more});
const call = (id, method, path, body, headers = {}) => ({id, request: new Request(new URL(path, baseUrl), {
  method, ...(body && {body: JSON.stringify(body)}), headers: {Prefer: immutable, ...(body && {'Content-Type': 'application/json'}), ...headers}})});

async function pages(request) {
  const found = [];
  const iterator = new PageIterator(client, await request.get(), (item) => found.push(item) > 0, {headers: {Prefer: `${immutable}, odata.maxpagesize=2`}});
  await iterator.iterate();
  return {found, link: iterator.getDeltaLink()};
}

async function folder() {
  const {value} = await at('/me/contacts').select('parentFolderId').top(1).get();
  return `/me/contactFolders/${value[0].parentFolderId}/contacts`;
}

const delta = (path) => pages(at(`${path}/delta`, {Prefer: `${immutable}, odata.maxpagesize=2`}).select(fields));
const since = async (link) => pages(client.api(link).headers({Prefer: `${immutable}, odata.maxpagesize=2`}));

async function single(contacts) {
  const first = await delta(contacts);
  look(first.found.length === 5 && first.link.includes('deltatoken'), 'a first round in pages', first);
  const made = await at(contacts).post({givenName: 'Anna', surname: 'Meier', emailAddresses: [{name: 'Anna', address: 'anna@example.org'}],
    singleValueExtendedProperties: [{id: operation, value: '0192-anna'}]});
  look(made.id && made['@odata.etag'] && made.displayName, 'create', made);
  const filter = `singleValueExtendedProperties/Any(ep: ep/id eq '${operation}' and ep/value eq '0192-anna')`;
  const found = (await at(contacts).select('id').filter(filter).get()).value;
  look(found.length === 1 && found[0].id === made.id, 'found by its operation', found);
  const one = `/me/contacts/${made.id}`;
  const changed = await at(one, {'If-Match': made['@odata.etag']}).patch({mobilePhone: '+49 171 1', categories: ['Wache'], personalNotes: 'eins\nzwei'});
  look(changed.mobilePhone === '+49 171 1' && changed['@odata.etag'] !== made['@odata.etag'], 'update', changed);
  const stale = await refused(at(one, {'If-Match': made['@odata.etag']}).patch({mobilePhone: '+49 171 2'}), 'an old etag');
  look(stale.statusCode === 412 && stale.code === 'ErrorIrresolvableConflict', 'an old etag is refused', stale);
  const read = await at(one).select(fields).expand(`singleValueExtendedProperties($filter=id eq '${operation}')`).get();
  look(read.personalNotes === 'eins\r\nzwei' && read.singleValueExtendedProperties[0].value === '0192-anna', 'get with the property', read);
  const second = await since(first.link);
  look(second.found.length === 1 && second.found[0].id === made.id, 'what changed since', second);
  await at(one, {'If-Match': changed['@odata.etag']}).delete();
  const gone = await refused(at(one).get(), 'deleted');
  look(gone.statusCode === 404 && gone.code === 'ErrorItemNotFound', 'delete', gone);
  const third = await since(second.link);
  look(third.found.length === 1 && third.found[0]['@removed'].reason && third.found[0].id === made.id, 'the round tells of it', third);
  return {link: third.link, gone: made.id};
}

async function send(...steps) {
  const content = await new BatchRequestContent(steps).getContent();
  return new BatchResponseContent(await client.api('/$batch').post(content));
}

async function batches(contacts, gone) {
  const made = await send(call('1', 'POST', contacts, {givenName: 'Berta'}), call('2', 'POST', contacts, {givenName: 'Carl'}),
    call('3', 'PATCH', `/me/contacts/${gone}`, {surname: 'Weg'}, {'If-Match': '*'}));
  const [one, two, three] = ['1', '2', '3'].map((id) => made.getResponseById(id));
  look(one.status === 201 && two.status === 201 && three.status === 404, 'create in a batch, each with its own answer', one.status, two.status, three.status);
  const [berta, carl] = [await one.json(), await two.json()];
  const edited = await send(call('a', 'PATCH', `/me/contacts/${berta.id}`, {surname: 'Beer'}, {'If-Match': berta['@odata.etag']}),
    call('b', 'GET', `/me/contacts/${carl.id}?$select=givenName`));
  const now = await edited.getResponseById('a').json();
  look(now.surname === 'Beer' && (await edited.getResponseById('b').json()).givenName === 'Carl', 'update and read in a batch', now);
  const deleted = await send(call('x', 'DELETE', `/me/contacts/${berta.id}`, null, {'If-Match': now['@odata.etag']}),
    call('y', 'DELETE', `/me/contacts/${carl.id}`, null, {'If-Match': carl['@odata.etag']}));
  look(deleted.getResponseById('x').status === 204 && deleted.getResponseById('y').status === 204, 'delete in a batch');
}

async function picture(contacts) {
  const made = await at(contacts).post({givenName: 'Emil'});
  const bytes = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46]);
  await at(`/me/contacts/${made.id}/photo/$value`, {'Content-Type': 'image/jpeg'}).put(bytes);
  const read = Buffer.from(await (await at(`/me/contacts/${made.id}/photo/$value`).getStream()).getReader().read().then((r) => r.value));
  look(read.length >= 3 && read[0] === 0xff && read[1] === 0xd8, 'picture', read);
}

async function throttled() {
  const contacts = await folder();
  const begun = Date.now();
  const made = await at(contacts).post({givenName: 'Fritz'});
  look(made.id && Date.now() - begun >= 900, '429 with Retry-After is waited for, and sent again', Date.now() - begun);
}

async function resync(link) {
  const error = await refused(client.api(link).headers({Prefer: immutable}).get(), 'a link of long ago');
  look(error.statusCode === 410 && error.code === 'SyncStateNotFound', 'an old delta link', error);
  const nobody = await refused(clientOf('of.no.body').api('/me/contacts').get(), 'a token of nobody');
  look(nobody.statusCode === 401 && nobody.code === 'InvalidAuthenticationToken', 'a dead access token', nobody);
}

// What the connector sent, asked of the client; a batch of its parts is put together by the client, too.
async function same() {
  for (const {method, url, headers, body} of JSON.parse(readFileSync(0, 'utf8'))) {
    if (url === '/$batch') {
      const steps = body.requests.map((p) => ({id: p.id, ...(p.dependsOn && {dependsOn: p.dependsOn}), request: new Request(new URL(p.url, baseUrl), {
        method: p.method, headers: p.headers, ...('body' in p && {body: JSON.stringify(p.body)})})}));
      await client.api(url).headers(headers).post(await new BatchRequestContent(steps).getContent());
    } else {
      const request = client.api(url).headers(headers);
      await {GET: () => request.get(), POST: () => request.post(body), PATCH: () => request.patch(body), PUT: () => request.put(body),
        DELETE: () => request.delete()}[method]();
    }
  }
}

const modes = {
  work: async () => {
    const contacts = await folder();
    look((await pages(at('/me/contacts').select('id').top(2))).found.length === 5, 'list in pages');
    look(Array.isArray((await at('/me/contactFolders').get()).value), 'folders');
    const {link, gone} = await single(contacts);
    await batches(contacts, gone);
    await picture(contacts);
    tell({link});
  },
  throttled,
  resync,
  same,
};
await run(() => modes[mode](...rest));
