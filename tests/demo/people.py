"""Realistic contacts for the demo, the end-to-end tests and the benchmark: German and international, seeded, so that a run can be
repeated. One person is a dict; vcard() writes it the way a given kind of client would."""

import random

GIVEN = """Anna Lale Jürgen Björn Zoë Günther Mehmet Ayşe Łukasz François Søren Håkan Chloé Dörte Heike Uwe Sabine Thomas
Katharina Jens Ingrid Wolfgang Petra Matthias Ümit Fatma Hans-Peter Anne-Marie Sven Birgit Rainer Ulrike Ivan Olga Nguyễn
José María Siobhán Giulia Matteo Agnieszka Krzysztof Yuki 明 Ольга Γιώργος""".split()
FAMILY = """Müller Schmidt Özdemir Weiß Großmann Schröder Yılmaz Kowalski Nowák Lefèvre Andersen Åkesson Meyer-Lüdenscheidt
von_der_Heide Krüger Böhm Jäger Kraus Vogel Fuchs Hoffmann Schäfer Koch Bauer Richter Klein Wolf Neumann Schwarz Zimmermann
Braun Hofmann Lange Schmitt Werner Krause Lehmann Nguyen García_Márquez O'Brien de_la_Cruz Rossi Bianchi Ivanova 山田
Παπαδόπουλος Иванова""".split()
TOWNS = [("Hamburg", "20095", "40"), ("Lübeck", "23552", "451"), ("München", "80331", "89"), ("Köln", "50667", "221"),
         ("Görlitz", "02826", "3581"), ("Düsseldorf", "40213", "211"), ("Kiel", "24103", "431")]
STREETS = "Hauptstraße Mühlenweg Am_Bahnhof Königsallee Straße_der_Einheit Gänsemarkt Hinter_der_Wache".split()
COMPANIES = ["Feuerwehr Musterstadt", "Bäckerei Krüger GmbH", "Autohaus Weiß & Söhne", "Ingenieurbüro Ørsted", "Stadtwerke",
             "Müller, Meyer; Partner", "Druckerei Čapek", "Verein der Freunde e. V."]
ROLES = ["Gruppenführer", "Geschäftsführerin", "Kassenwart", "Zugführer", "Einkauf", "Vertrieb", "Jugendwart"]


def person(rng, number):
    """A person; number makes phone and e-mail unique."""
    given = rng.choice(GIVEN).replace("_", " ")
    family = rng.choice(FAMILY).replace("_", " ")
    town, code, area = rng.choice(TOWNS)
    p = {
        "uid": "%08x-%04x-4%03x-8%03x-%012x" % (rng.getrandbits(32), rng.getrandbits(16), rng.getrandbits(12),
                                                rng.getrandbits(12), rng.getrandbits(48)),
        "given": given, "family": family, "mobile": "+49 151 %08d" % (10000000 + number),
        "email": "kontakt%d@example.org" % number,
    }
    if rng.random() < 0.6:
        p["work"] = "(0%s) %d" % (area, 300000 + number)
    if rng.random() < 0.5:
        p["adr"] = ["", "", "%s %d" % (rng.choice(STREETS).replace("_", " "), rng.randrange(1, 99)), town, "", code, "Deutschland"]
    if rng.random() < 0.5:
        p["org"] = rng.choice(COMPANIES)
        p["title"] = rng.choice(ROLES)
    if rng.random() < 0.3:
        p["bday"] = "%04d-%02d-%02d" % (rng.randrange(1940, 2012), rng.randrange(1, 13), rng.randrange(1, 29))
    if rng.random() < 0.2:
        p["note"] = "Atemschutz, G26.3;\nSchlüssel hat %s" % rng.choice(GIVEN)
    if rng.random() < 0.3:
        p["categories"] = rng.sample(["Wehr", "Vorstand", "Presse", "Lieferanten", "Jugend"], rng.randrange(1, 3))
    return p


def people(seed, count):
    rng = random.Random(seed)
    return [person(rng, i) for i in range(count)]


def escape(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")


def fold(line):
    """At most 75 octets, never inside a character."""
    out, octets = "", 0
    for ch in line:
        n = len(ch.encode())
        if octets + n > 75:
            out, octets = out + "\r\n ", 1
        out, octets = out + ch, octets + n
    return out + "\r\n"


def vcard(p, style="store"):
    """style: "store" (as we keep it) or "phone" (another client's habits: bare order, Apple label, extra X- line)."""
    lines = ["BEGIN:VCARD", "VERSION:3.0", "UID:" + p["uid"]]
    lines.append("N:%s;%s;;;" % (escape(p["family"]), escape(p["given"])))
    lines.append("FN:%s %s" % (escape(p["given"]), escape(p["family"])))
    lines.append("TEL;TYPE=CELL:" + p["mobile"] if style == "store" else "TEL;type=CELL;type=VOICE:" + p["mobile"])
    if "work" in p:
        lines.append("TEL;TYPE=WORK,VOICE:" + p["work"])
    lines.append("EMAIL;TYPE=INTERNET:" + p["email"] if style == "store" else "EMAIL:" + p["email"])
    if "adr" in p:
        lines.append("ADR;TYPE=HOME:" + ";".join(escape(x) for x in p["adr"]))
    for key, name in (("org", "ORG"), ("title", "TITLE"), ("bday", "BDAY"), ("note", "NOTE")):
        if key in p:
            lines.append(name + ":" + escape(p[key]))
    if "categories" in p:
        lines.append("CATEGORIES:" + ",".join(escape(c) for c in p["categories"]))
    if style == "phone":
        lines += ["item1.URL:https://example.org/" + p["uid"][:8], "item1.X-ABLabel:Vereinsseite", "X-KLINGELTON:laut"]
    lines.append("END:VCARD")
    return "".join(fold(l) for l in lines)
