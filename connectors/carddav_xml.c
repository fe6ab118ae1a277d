#include "connectors/carddav_xml.h"

#define XML "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
#define NAMESPACES " xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\""
#define CALENDAR_SERVER " xmlns:CS=\"http://calendarserver.org/ns/\""

static const char *const asked[] = {
    [ASK_ENTRY] =
        ("<D:resourcetype/><D:displayname/><D:current-user-principal/><D:current-user-privilege-set/>"
         "<D:supported-report-set/><CS:getctag/><D:sync-token/><C:supported-address-data/><C:max-resource-size/>"
         "<C:addressbook-home-set/>"),
    [ASK_PRINCIPAL] = "<D:resourcetype/><C:addressbook-home-set/>",
    [ASK_BOOKS] =
        ("<D:resourcetype/><D:displayname/><D:current-user-privilege-set/><D:supported-report-set/><CS:getctag/>"
         "<D:sync-token/><C:supported-address-data/><C:max-resource-size/>"),
    [ASK_STATE] = "<CS:getctag/><D:sync-token/>",
    [ASK_MEMBERS] = "<D:getetag/><D:resourcetype/><D:getcontenttype/>",
};

static void escaped(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&':
            buf_adds(out, "&amp;");
            break;
        case '<':
            buf_adds(out, "&lt;");
            break;
        case '>':
            buf_adds(out, "&gt;");
            break;
        case '"':
            buf_adds(out, "&quot;");
            break;
        default:
            buf_addc(out, s.p[i]);
        }
    }
}

void carddav_propfind(struct buf *out, enum carddav_ask ask)
{
    buf_adds(out, XML "<D:propfind" NAMESPACES CALENDAR_SERVER "><D:prop>");
    buf_adds(out, asked[ask]);
    buf_adds(out, "</D:prop></D:propfind>");
}

static const char *const data_asked[] = {
    [DATA_NONE] = "",
    [DATA_PLAIN] = "<C:address-data/>",
    [DATA_V40] = "<C:address-data content-type=\"text/vcard\" version=\"4.0\"/>",
};

void carddav_sync(struct buf *out, struct str token, enum carddav_data data)
{
    buf_adds(out, XML "<D:sync-collection" NAMESPACES "><D:sync-token>");
    escaped(out, token);
    buf_adds(out, "</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/><D:getcontenttype/>");
    buf_adds(out, data_asked[data]);
    buf_adds(out, "</D:prop></D:sync-collection>");
}

void carddav_query_all(struct buf *out, enum carddav_data data)
{
    buf_adds(out, XML "<C:addressbook-query" NAMESPACES "><D:prop><D:getetag/><D:getcontenttype/>");
    buf_adds(out, data_asked[data]);
    buf_adds(out, "</D:prop><C:filter/></C:addressbook-query>");
}

void carddav_multiget(struct buf *out, const struct str *hrefs, size_t n, enum carddav_data data)
{
    buf_adds(out, XML "<C:addressbook-multiget" NAMESPACES "><D:prop><D:getetag/>");
    buf_adds(out, data_asked[data]);
    buf_adds(out, "</D:prop>");
    for (size_t i = 0; i < n; i++) {
        buf_adds(out, "<D:href>");
        escaped(out, hrefs[i]);
        buf_adds(out, "</D:href>");
    }
    buf_adds(out, "</C:addressbook-multiget>");
}
