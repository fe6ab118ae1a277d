// Google's own client against the emulator: node google_client.mjs URL TOKEN (npm package @googleapis/people 8.0.0).
import {people_v1, auth} from '@googleapis/people';
const [url, token] = process.argv.slice(2);
const a = new auth.OAuth2(); a.setCredentials({access_token: token});
const p = new people_v1.People({rootUrl: url, auth: a});
const f = 'names,phoneNumbers,metadata,clientData,memberships,photos';
const ok = (c, w) => { if (!c) { console.log('FAIL', w); process.exitCode = 1; } else console.log('ok', w); };
const full = (await p.people.connections.list({resourceName:'people/me', personFields:f, pageSize:1000, requestSyncToken:true, sources:['READ_SOURCE_TYPE_CONTACT']})).data;
ok(full.nextSyncToken, 'list');
const one = (await p.people.createContact({personFields:f, requestBody:{names:[{givenName:'A', familyName:'B'}], clientData:[{key:'k', value:'v'}]}})).data;
ok(one.resourceName && one.etag && one.names[0].displayName === 'A B', 'create');
const up = (await p.people.updateContact({resourceName:one.resourceName, updatePersonFields:'phoneNumbers', personFields:f, requestBody:{etag:one.etag, metadata:one.metadata, phoneNumbers:[{value:'+49 1', type:'mobile'}]}})).data;
ok(up.phoneNumbers[0].canonicalForm === '+491' && up.names, 'update');
try { await p.people.updateContact({resourceName:one.resourceName, updatePersonFields:'phoneNumbers', requestBody:{etag:one.etag, metadata:one.metadata, phoneNumbers:[]}}); ok(false,'stale'); } catch (e) { ok(e.code === 400 || e.status === 400, 'stale etag ' + e.message.slice(0,40)); }
const d = (await p.people.connections.list({resourceName:'people/me', personFields:f, pageSize:1000, requestSyncToken:true, sources:['READ_SOURCE_TYPE_CONTACT'], syncToken: full.nextSyncToken})).data;
ok(d.connections.length === 1 && d.nextSyncToken, 'delta');
try { await p.people.connections.list({resourceName:'people/me', personFields:'names', requestSyncToken:true, syncToken: full.nextSyncToken}); ok(false,'drift'); } catch (e) { ok((e.code||e.status) == 400, 'drift refused'); }
const bc = (await p.people.batchCreateContacts({requestBody:{contacts:[{contactPerson:{names:[{givenName:'C'}]}}], readMask:f, sources:['READ_SOURCE_TYPE_CONTACT']}})).data;
ok(bc.createdPeople[0].person.resourceName, 'batch create');
const c = bc.createdPeople[0].person;
const bu = (await p.people.batchUpdateContacts({requestBody:{contacts:{[c.resourceName]:{etag:c.etag, metadata:c.metadata, names:[{givenName:'D'}]}}, updateMask:'names', readMask:f}})).data;
ok(bu.updateResult[c.resourceName].person.names[0].givenName === 'D', 'batch update');
const bg = (await p.people.getBatchGet({resourceNames:[one.resourceName, 'people/c1'], personFields:f})).data;
ok(bg.responses.length === 2, 'batch get');
ok((await p.contactGroups.create({requestBody:{contactGroup:{name:'G'}}})).data.resourceName, 'group');
ok((await p.contactGroups.list({pageSize:1000})).data.contactGroups.length > 1, 'groups');
ok((await p.people.updateContactPhoto({resourceName:c.resourceName, requestBody:{photoBytes:'/9j/4AAQ', personFields:f}})).data.person, 'photo');
ok((await p.people.deleteContactPhoto({resourceName:c.resourceName, personFields:f})).data.person, 'no photo');
await p.people.batchDeleteContacts({requestBody:{resourceNames:[c.resourceName]}}); await p.people.deleteContact({resourceName:one.resourceName}); ok(true, 'delete');
