// Google's own client against the emulator: google_people.mjs URL TOKEN work | expired SYNC-TOKEN | same, with requests on stdin.
import {readFileSync} from 'node:fs';
import {people_v1, auth} from '@googleapis/people';
import {look, refused, run, tell} from './witness.mjs';

const [rootUrl, token, mode, ...rest] = process.argv.slice(2);
const credentials = new auth.OAuth2();
credentials.setCredentials({access_token: token});
const google = new people_v1.People({rootUrl, auth: credentials, retry: false});
const {people, contactGroups} = google;

const fields = 'names,phoneNumbers,biographies,metadata,clientData,memberships,photos';
const listing = {resourceName: 'people/me', personFields: fields, pageSize: 2, requestSyncToken: true, sources: ['READ_SOURCE_TYPE_CONTACT']};

async function whole(more = {}) {
  const found = [];
  for (let pageToken; ; ) {
    const {data} = await people.connections.list({...listing, ...more, ...(pageToken && {pageToken})});
    found.push(...(data.connections ?? []));
    pageToken = data.nextPageToken;
    if (!pageToken) return {found, syncToken: data.nextSyncToken};
  }
}

const person = (given, family) => ({names: [{givenName: given, familyName: family}]});

async function single() {
  const before = await whole();
  look(before.syncToken && before.found.length === 5, 'list in pages', before);
  const made = (await people.createContact({personFields: fields, requestBody: {...person('Anna', 'Meier'), clientData: [{key: 'k', value: 'v'}]}})).data;
  look(made.resourceName && made.etag && made.names[0].displayName === 'Anna Meier' && made.clientData[0].value === 'v', 'create', made);
  const body = {etag: made.etag, metadata: made.metadata, phoneNumbers: [{value: '+49 30 1', type: 'mobile'}]};
  const put = {resourceName: made.resourceName, updatePersonFields: 'phoneNumbers', personFields: fields, requestBody: body};
  const changed = (await people.updateContact(put)).data;
  look(changed.phoneNumbers[0].canonicalForm === '+49301' && changed.names && changed.etag !== made.etag, 'update', changed);
  const stale = await refused(people.updateContact(put), 'an old etag');
  look(stale.status === 400 && stale.response.data.error.status === 'FAILED_PRECONDITION', 'an old etag is refused', stale.response?.data);
  const read = (await people.get({resourceName: made.resourceName, personFields: fields})).data;
  look(read.etag === changed.etag, 'get', read);
  const after = await whole({syncToken: before.syncToken});
  look(after.found.length === 1 && after.found[0].resourceName === made.resourceName, 'what changed since', after);
  const drift = await refused(people.connections.list({...listing, personFields: 'names', syncToken: before.syncToken}), 'other fields');
  look(drift.status === 400, 'other fields with the same token are refused', drift.response?.data);
  await people.deleteContact({resourceName: made.resourceName});
  const gone = await refused(people.get({resourceName: made.resourceName, personFields: 'names'}), 'deleted');
  look(gone.status === 404 && gone.response.data.error.status === 'NOT_FOUND', 'delete', gone.response?.data);
  const deleted = await whole({syncToken: after.syncToken});
  look(deleted.found.length === 1 && deleted.found[0].metadata.deleted === true, 'the list tells of it', deleted);
  return deleted.syncToken;
}

async function batches() {
  const contacts = [person('Berta', 'Beer'), person('Carl', 'Curd')].map((contactPerson) => ({contactPerson}));
  const made = (await people.batchCreateContacts({requestBody: {contacts, readMask: fields, sources: ['READ_SOURCE_TYPE_CONTACT']}})).data;
  const both = made.createdPeople.map((r) => r.person);
  look(both.length === 2 && both[1].names[0].givenName === 'Carl', 'batch create', made);
  const names = both.map((p) => p.resourceName);
  const updates = Object.fromEntries(both.map((p) => [p.resourceName, {etag: p.etag, metadata: p.metadata, biographies: [{value: 'neu'}]}]));
  const changed = (await people.batchUpdateContacts({requestBody: {contacts: updates, updateMask: 'biographies', readMask: fields}})).data;
  look(names.every((n) => changed.updateResult[n].person.biographies[0].value === 'neu'), 'batch update', changed);
  const read = (await people.getBatchGet({resourceNames: [...names, 'people/c1'], personFields: fields})).data;
  look(read.responses.length === 3 && read.responses[2].status.code === 5 && !read.responses[2].person, 'batch get', read);
  await people.batchDeleteContacts({requestBody: {resourceNames: names}});
  const gone = (await people.getBatchGet({resourceNames: names, personFields: 'names'})).data;
  look(gone.responses.every((r) => !r.person), 'batch delete', gone);
}

async function groupsAndPictures() {
  const group = (await contactGroups.create({requestBody: {contactGroup: {name: 'Wache'}}})).data;
  const all = (await contactGroups.list({pageSize: 1000})).data.contactGroups;
  look(group.resourceName && all.some((g) => g.name === 'Wache' && g.groupType === 'USER_CONTACT_GROUP'), 'groups', all);
  const twice = await refused(contactGroups.create({requestBody: {contactGroup: {name: 'wache'}}}), 'the same group');
  look(twice.status === 409, 'a group of that name is there', twice.response?.data);
  const of = (g) => ({contactGroupMembership: {contactGroupResourceName: g}});
  const made = (await people.createContact({personFields: fields, requestBody: {...person('Dora', 'Drei'),
    memberships: [of('contactGroups/myContacts'), of(group.resourceName)]}})).data;
  look(made.memberships.length === 2, 'a member', made);
  const photoBytes = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]).toString('base64');
  const shown = (await people.updateContactPhoto({resourceName: made.resourceName, requestBody: {photoBytes, personFields: fields}})).data.person;
  look(shown.photos[0].url && !shown.photos[0].default, 'picture', shown);
  const picture = await fetch(shown.photos[0].url);
  look(Buffer.from(await picture.arrayBuffer()).toString('base64') === photoBytes, 'its bytes');
  const bare = (await people.deleteContactPhoto({resourceName: made.resourceName, personFields: fields})).data.person;
  look(bare.photos[0].default === true, 'no picture', bare);
}

async function expired(syncToken) {
  const error = await refused(whole({syncToken}), 'a token of last week');
  const said = error.response?.data.error;
  const info = said?.details?.find((d) => d['@type'] === 'type.googleapis.com/google.rpc.ErrorInfo');
  look(error.status === 400 && said.status === 'FAILED_PRECONDITION' && info.reason === 'EXPIRED_SYNC_TOKEN' &&
    error.message.startsWith('Sync token is expired.'), 'an expired sync token', said);
  const other = new auth.OAuth2();
  other.setCredentials({access_token: 'ya29.of-nobody'});
  const nobody = new people_v1.People({rootUrl, auth: other, retry: false});
  const refusal = await refused(nobody.people.connections.list(listing), 'a token of nobody');
  look(refusal.status === 401 && refusal.response.data.error.status === 'UNAUTHENTICATED', 'a dead access token', refusal.response?.data);
}

// What the connector sent, asked of the client: [method, path below /v1/, query, body].
const calls = [
  ['GET', /^people\/me\/connections$/, (_, query) => people.connections.list({resourceName: 'people/me', ...query})],
  ['GET', /^people:batchGet$/, (_, query) => people.getBatchGet(query)],
  ['GET', /^(people\/\w+)$/, (resourceName, query) => people.get({resourceName, ...query})],
  ['POST', /^people:createContact$/, (_, query, requestBody) => people.createContact({...query, requestBody})],
  ['POST', /^people:batchCreateContacts$/, (_, query, requestBody) => people.batchCreateContacts({...query, requestBody})],
  ['PATCH', /^(people\/\w+):updateContact$/, (resourceName, query, requestBody) => people.updateContact({resourceName, ...query, requestBody})],
  ['POST', /^people:batchUpdateContacts$/, (_, query, requestBody) => people.batchUpdateContacts({...query, requestBody})],
  ['DELETE', /^(people\/\w+):deleteContact$/, (resourceName, query) => people.deleteContact({resourceName, ...query})],
  ['POST', /^people:batchDeleteContacts$/, (_, query, requestBody) => people.batchDeleteContacts({...query, requestBody})],
  ['PATCH', /^(people\/\w+):updateContactPhoto$/, (resourceName, query, requestBody) => people.updateContactPhoto({resourceName, ...query, requestBody})],
  ['DELETE', /^(people\/\w+):deleteContactPhoto$/, (resourceName, query) => people.deleteContactPhoto({resourceName, ...query})],
  ['GET', /^contactGroups$/, (_, query) => contactGroups.list(query)],
  ['POST', /^contactGroups$/, (_, query, requestBody) => contactGroups.create({...query, requestBody})],
];

async function same() {
  for (const {method, path, query, body} of JSON.parse(readFileSync(0, 'utf8'))) {
    const row = calls.find(([m, pattern]) => m === method && pattern.test(path));
    look(row, `${method} ${path} is a call of the client`);
    if (row) await row[2](path.match(row[1])[1], query, body ?? undefined);
  }
}

const modes = {
  work: async () => {
    const syncToken = await single();
    await batches();
    await groupsAndPictures();
    tell({syncToken});
  },
  expired,
  same,
};
await run(() => modes[mode](...rest));
