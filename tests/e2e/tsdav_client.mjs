// Drives tsdav for test_dav_foreign.py: a line of JSON in is a call of the client, a line out is what it returned.
import { createRequire } from 'node:module';
import readline from 'node:readline';

const require = createRequire(process.argv[2] + '/');
const { createDAVClient } = require('tsdav');

let client, account, book, known;

const calls = {
  async login({ url, user, password }) {
    client = await createDAVClient({
      serverUrl: url, credentials: { username: user, password }, authMethod: 'Basic', defaultAccountType: 'carddav',
    });
    account = await client.createAccount({ account: { serverUrl: url, accountType: 'carddav' }, loadCollections: false });
    return { root: account.rootUrl, principal: account.principalUrl, home: account.homeUrl };
  },
  async books() {
    return (await client.fetchAddressBooks({ account })).map((b) => ({ url: b.url, name: b.displayName, token: b.syncToken, ctag: b.ctag, reports: b.reports }));
  },
  async open({ url }) {
    [book] = (await client.fetchAddressBooks({ account })).filter((b) => b.url === url);
    known = { ...book, objects: await client.fetchVCards({ addressBook: book }), objectMultiGet: client.addressBookMultiGet };
    return known.objects;
  },
  async create({ filename, card }) {
    const got = await client.createVCard({ addressBook: book, filename, vCardString: card });
    return { status: got.status, etag: got.headers.get('etag') };
  },
  async update({ url, etag, card }) {
    const got = await client.updateVCard({ vCard: { url, etag, data: card } });
    return { status: got.status, etag: got.headers.get('etag') };
  },
  async remove({ url, etag }) {
    return { status: (await client.deleteVCard({ vCard: { url, etag } })).status };
  },
  async changes({ token }) {
    const got = await client.syncCollection({ url: book.url, props: { 'd:getetag': {} }, syncLevel: 1, syncToken: token });
    return got.map((r) => ({ href: r.href, status: r.status, etag: r.props && r.props.getetag, token: r.raw.multistatus.syncToken }));
  },
  async multiget({ hrefs }) {
    const got = await client.addressBookMultiGet({
      url: book.url, props: { 'd:getetag': {}, 'card:address-data': {} }, objectUrls: hrefs, depth: '1',
    });
    return got.map((r) => ({ href: r.href, status: r.status, data: r.props && r.props.addressData && (r.props.addressData._cdata || r.props.addressData) }));
  },
  // what an application of tsdav does in each run
  async sync() {
    const got = await client.smartCollectionSync({ collection: known, method: 'webdav', detailedResult: true, account });
    const { created, updated, deleted } = got.objects;
    const gone = new Set(deleted.map((o) => o.url));
    const changed = new Map(updated.map((o) => [o.url, o]));
    known = { ...known, ...got, objects: known.objects.filter((o) => !gone.has(o.url)).map((o) => changed.get(o.url) || o).concat(created) };
    return { created, updated, deleted, all: known.objects, token: known.syncToken };
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { call, ...given } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ result: await calls[call](given) }));
  } catch (e) {
    console.log(JSON.stringify({ error: String(e && e.stack) }));
  }
}
