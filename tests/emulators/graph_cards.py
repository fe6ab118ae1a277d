"""Contacts of Graph as vCards and back: a reading of the field table (section 5 of the page) that is not the program's own, so that tests can
compare both sides. What Graph cannot hold is not in these cards; e-mail addresses have no kind there."""

import base64
import re

NAME = ("surname", "givenName", "middleName", "title", "generation")
ADDRESS = (None, None, "street", "city", "state", "postalCode", "countryOrRegion")
TEXTS = (("nickName", "NICKNAME"), ("jobTitle", "TITLE"), ("profession", "ROLE"), ("businessHomePage", "URL"))


def escaped(text):
    return re.sub(r"([\\;,])", r"\\\1", text.replace("\r\n", "\n")).replace("\n", "\\n")


def date_of(birthday):
    """The day that a stored instant means: section 7."""
    import datetime
    moment = datetime.datetime.strptime(birthday, "%Y-%m-%dT%H:%M:%SZ")
    whole = moment.minute in (0, 30) and moment.second == 0
    return (moment + datetime.timedelta(days=1) if moment.hour >= 13 and whole else moment).strftime("%Y-%m-%d")


def card_of(c, uid, photo=None):
    """c: the fields of a contact."""
    lines = ["BEGIN:VCARD", "VERSION:3.0", "UID:" + uid, "N:" + ";".join(escaped(c.get(n) or "") for n in NAME)]
    lines.append("FN:" + escaped(c.get("displayName") or ""))
    for field, kind in (("businessPhones", "WORK"), ("homePhones", "HOME")):
        lines += ["TEL;TYPE=%s:%s" % (kind, number) for number in c.get(field) or ()]
    lines += ["TEL;TYPE=CELL:" + c["mobilePhone"]] if c.get("mobilePhone") else []
    lines += ["EMAIL:" + m["address"] for m in c.get("emailAddresses") or () if "address" in m]
    for field, kind in (("businessAddress", ";TYPE=WORK"), ("homeAddress", ";TYPE=HOME"), ("otherAddress", "")):
        if c.get(field):
            lines.append("ADR%s:" % kind + ";".join(escaped(c[field].get(part) or "") for part in ADDRESS))
    if c.get("companyName") or c.get("department"):
        lines.append("ORG:" + ";".join(escaped(c.get(n) or "") for n in ("companyName", "department")))
    lines += [prop + ":" + escaped(c[field]) for field, prop in TEXTS if c.get(field)]
    lines += ["BDAY:" + date_of(c["birthday"])] if c.get("birthday") else []
    lines += ["NOTE:" + escaped(c["personalNotes"])] if c.get("personalNotes") else []
    lines += ["CATEGORIES:" + ",".join(escaped(n) for n in c["categories"])] if c.get("categories") else []
    lines += ["PHOTO;ENCODING=b;TYPE=JPEG:" + base64.b64encode(photo).decode()] if photo else []
    return "\r\n".join(lines + ["END:VCARD", ""])


COMPARED = ("N", "FN", "TEL", "EMAIL", "ADR", "ORG", "NICKNAME", "TITLE", "ROLE", "URL", "BDAY", "NOTE", "CATEGORIES")


def said(meaning):
    """What both sides must agree in, of harness.meaning(card)."""
    return {(name, () if name == "EMAIL" else kinds, ",".join(sorted(value.split(","))) if name == "CATEGORIES" else value)
            for name, kinds, value in meaning if name in COMPARED}
