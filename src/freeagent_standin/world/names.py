"""Made-up people, businesses and purchases. Some names are awkward on purpose: blanks, accents, apostrophes, emoji."""

from __future__ import annotations

COMPANIES = (
    "Alder & Finch Joinery Ltd",
    "Kestrel Lane Studio Ltd",
    "Harbour & Thistle Ltd",
    "Pomfret Signal Works Ltd",
    "Quillfeather Design Ltd",
    "Saltmarsh Engineering Ltd",
)

SOLE_TRADERS = ("Maeve O'Dowd Gardens", "R. Castellan Plastering", "Ines Hartley Translations")

AWKWARD_CONTACTS = (
    ("Café Ångström & Søn", "Łukasz", "Żółkiewski"),
    ("O'Neill's \"Best\" Bakery", "Siobhán", "O'Neill"),
    ("  Leading Blanks Ltd", "Una", "Blank"),
    ("株式会社ひかり", "光", "田中"),
    ("Sparkle ✨ Cleaning 🧽", "Zoë", "D'Arcy"),
    ("Müller und Söhne GmbH", "Jürgen", "Müller"),
    ("", "Anne-Marie", "de la Tour d'Auvergne"),
    ("Smith, Jones; Brown <partners> & Co", "Ada", "Brown"),
)

BUSINESS_HEADS = (
    "Bramble",
    "Larkspur",
    "Ridgeway",
    "Foxglove",
    "Tannery",
    "Copper",
    "Millrace",
    "Juniper",
    "Slate",
    "Beacon",
    "Willow",
    "Granite",
    "Heron",
    "Orchard",
    "Thornbury",
    "Marlowe",
    "Pendle",
    "Calder",
    "Ashdown",
    "Kilbride",
)

BUSINESS_TAILS = (
    "Interiors",
    "Studios",
    "Roofing",
    "Catering",
    "Logistics",
    "Press",
    "Pottery",
    "Consulting",
    "Kitchens",
    "Electrical",
    "Gardens",
    "Analytics",
    "Textiles",
    "Books",
    "Cycles",
    "Acoustics",
)

FIRST_NAMES = ("Petra", "Idris", "Noor", "Callum", "Beatrix", "Emeka", "Yasmin", "Gareth", "Freya", "Tomasz", "Priya")

LAST_NAMES = ("Lindqvist", "Hartley", "Okafor", "Pemberton", "Ap Rhys", "Nowak", "MacLeod", "Sharma", "Wilde", "Byrne")

STREETS = ("Tannery Yard", "Sawpit Lane", "Quay Street", "Station Approach", "Bakehouse Row", "Old Mill Road")

TOWNS = (
    ("Bristol", "BS1 9QX"),
    ("Stroud", "GL5 0AA"),
    ("Leith", "EH6 7XY"),
    ("Cardiff", "CF10 1ZZ"),
    ("York", "YO1 9QQ"),
)

WORK = (
    ("Bench joinery", "Hours", "62.5"),
    ("Site survey", "Days", "480.0"),
    ("Design consultancy", "Hours", "95.0"),
    ("Brass hinge set", "Products", "18.99"),
    ("Oak worktop, oiled", "Products", "249.5"),
    ("Workshop training", "Training", "320.0"),
    ("Maintenance retainer", "Months", "150.0"),
    ("Delivery and fitting", "Services", "85.0"),
    ("Drawing set", "Services", "137.25"),
    ("Project management", "Days", "415.75"),
)

SUPPLIES = (
    ("Oak boards", "103"),
    ("Ironmongery", "103"),
    ("Van hire", "104"),
    ("Subcontract joinery", "150"),
    ("Quarterly accounts", "292"),
    ("Trade magazine advert", "288"),
    ("Workshop rent", "251"),
    ("Broadband and line", "273"),
    ("Printed brochures", "276"),
)

# statement text, category, statement type, least and greatest pence
CARD_COSTS: tuple[tuple[str, str, str, int, int], ...] = (
    ("SCREWFIX DIRECT", "103", "POS", 450, 18000),
    ("TRAINLINE.COM", "365", "POS", 980, 14500),
    ("POST OFFICE COUNTER", "358", "POS", 145, 2800),
    ("COSTA COFFEE", "285", "POS", 310, 1890),
    ("HETZNER CLOUD", "268", "DEBIT", 560, 9900),
    ("ADOBE SYSTEMS", "269", "REPEATPMT", 1999, 6499),
    ("VODAFONE LTD", "274", "DIRECTDEBIT", 1800, 6200),
    ("SHELL FILLING STN", "283", "POS", 2200, 9800),
    ("AMZNMKTPLACE", "271", "POS", 399, 24900),
    ("STAPLES UK", "277", "POS", 250, 7600),
    ("BANK CHARGES", "363", "FEE", 100, 1500),
    ("AXA INSURANCE", "364", "DIRECTDEBIT", 3400, 12000),
    ("RYMAN STATIONERY", "277", "POS", 199, 4500),
    ("GOOGLE ADS", "288", "DEBIT", 500, 40000),
    ("CITY PARKING", "365", "POS", 120, 2400),
    ("TRAVIS PERKINS", "103", "POS", 899, 52000),
)

ACCOUNT_NAMES = ("Main", "Savings", "Company card", "Euro account")
