"""Invented names and words of the demo company's world: it sells planning software to plants, shops and warehouses.

Mail domains end in .example, which nobody can own; free-mail addresses hold an underscore, which Gmail never gives.
"""

COMPANY_HEADS = (
    "Adler", "Borealis", "Cinder", "Delmar", "Estrella", "Fjord", "Granit", "Halcyon", "Istria", "Juniper", "Kessler",
    "Lumen", "Meridian", "Nordwind", "Orchard", "Polder", "Quarry", "Rivage", "Solano", "Tamarack", "Umbra", "Vesper",
    "Wexford", "Xenia", "Yarrow", "Zephyr", "Aceros", "Brightwater", "Copperfield", "Drumlin", "Elbe",
)  # fmt: skip
COMPANY_TAILS = {
    "manufacturing": ("Werke", "Tooling", "Plastics", "Castings", "Motion", "Packaging"),
    "retail": ("Stores", "Outfitters", "Market", "Home", "Foods"),
    "software": ("Software", "Labs", "Systems", "Cloud"),
    "logistics": ("Logistics", "Freight", "Lines", "Warehousing"),
    "health": ("Medical", "Diagnostics", "Care", "Pharma"),
    "finance": ("Capital", "Insurance", "Bank", "Leasing"),
}
# Once every pair of the two is used up, another word follows.
COMPANY_ROUNDS = (
    "", "Group", "International", "Nord", "Süd", "Partners", "Holding", "Iberia", "Nordic", "Americas", "Asia", "West",
)  # fmt: skip
# name, domain, country, city, industry
NON_LATIN = (
    ("山田精密工業", "yamada-seimitsu", "JP", "大阪市", "manufacturing"),
    ("北海精机", "beihai-jingji", "CN", "青岛", "manufacturing"),
    ("Волга-Инструмент", "volga-instrument", "KZ", "Алматы", "manufacturing"),
    ("Ελληνικά Πλαστικά", "ellinika-plastika", "GR", "Θεσσαλονίκη", "manufacturing"),
    ("شركة النخيل للتغليف", "nakheel-packaging", "AE", "دبي", "manufacturing"),
    ("대한물류", "daehan-mulryu", "KR", "부산", "logistics"),
    ("桜フーズ", "sakura-foods", "JP", "札幌市", "retail"),
    ("מפעלי הגליל", "mifalei-hagalil", "IL", "חיפה", "health"),
    ("Смарт Логистика", "smart-logistika", "BG", "София", "logistics"),
    ("बनारस टेक्सटाइल", "banaras-textile", "IN", "वाराणसी", "retail"),
)  # fmt: skip
INDUSTRIES = {
    "manufacturing": "Manufacturing",
    "retail": "Retail",
    "software": "Software",
    "logistics": "Logistics",
    "health": "Health care",
    "finance": "Financial services",
}
SIC_OF = {
    "manufacturing": ("3541", "3089", "3569", "2653"),
    "retail": ("5311", "5411", "5651"),
    "software": ("7372", "7371"),
    "logistics": ("4213", "4225"),
    "health": ("8071", "3841", "2834"),
    "finance": ("6311", "6021", "6159"),
}
# country, city, sales region, language
COUNTRIES = (
    ("DE", "Berlin", "dach", "de"), ("DE", "Stuttgart", "dach", "de"), ("AT", "Linz", "dach", "de"),
    ("FR", "Lyon", "western-europe", "fr"), ("NL", "Utrecht", "western-europe", "nl"),
    ("ES", "Bilbao", "southern-europe", "es"), ("IT", "Torino", "southern-europe", "it"),
    ("SE", "Göteborg", "nordics", "sv"), ("DK", "Aarhus", "nordics", "da"), ("GB", "Leeds", "western-europe", "en"),
    ("US", "Chicago", "north-america", "en"), ("US", "Boston", "north-america", "en"),
    ("CA", "Montréal", "north-america", "fr"),
)  # fmt: skip
# slug, name, slug of the region above
REGIONS = (
    ("europe", "Europe", ""),
    ("dach", "DACH", "europe"),
    ("western-europe", "Western Europe", "europe"),
    ("southern-europe", "Southern Europe", "europe"),
    ("nordics", "Nordics", "europe"),
    ("north-america", "North America", ""),
    ("rest-of-world", "Rest of the world", ""),
)
FIRST_NAMES = (
    "Anna", "Tomás", "Li", "Sofia", "Jonas", "Amira", "Mateo", "Ingrid", "Noah", "Chiara", "Emil", "Zoë", "Karim",
    "Freya", "Luca", "Hanna", "Oskar", "Yuki", "Nadia", "Pablo", "Greta", "Idris", "Marta", "Viktor", "Elif", "Hugo",
    "Maren", "Bram", "Inês", "Søren", "Clara", "Ravi", "Leïla", "Piotr", "Aisha", "Gustav",
)  # fmt: skip
LAST_NAMES = (
    "Brandt", "Ortega", "Wei", "Greco", "Lindqvist", "Haddad", "Fernández", "Solberg", "Müller", "Rossi", "Novák",
    "de Vries", "Benali", "Dahl", "Moretti", "Keller", "Nyström", "Tanaka", "Ivanova", "Castro", "Weiß", "Okafor",
    "O’Neill", "Łukasik", "Bianchi", "Holm", "Dubois", "Schäfer", "Petrov", "Nakamura", "Silva", "van den Berg",
)  # fmt: skip
# first name, last name as written, and the part of the address before the @
NON_LATIN_PEOPLE = (
    ("裕子", "田中", "yuko.tanaka"), ("伟", "王", "wei.wang"), ("Ольга", "Сидорова", "olga.sidorova"),
    ("Νίκος", "Παπαδόπουλος", "nikos.papadopoulos"), ("فاطمة", "الحداد", "fatima.alhaddad"),
    ("민준", "김", "minjun.kim"), ("דנה", "לוי", "dana.levi"), ("अनिता", "शर्मा", "anita.sharma"),
)  # fmt: skip
# title, seniority, department, buying roles, how often
TITLES = (
    ("Chief Executive Officer", "c_level", "executive", ("executive_sponsor", "decision_maker"), 5),
    ("Chief Financial Officer", "c_level", "finance", ("financial_approver", "economic_buyer"), 6),
    ("Chief Information Officer", "c_level", "it", ("technical_decision_maker",), 6),
    ("VP Operations", "vp", "operations", ("decision_maker",), 7),
    ("VP Supply Chain", "vp", "operations", ("executive_sponsor", "champion"), 6),
    ("Head of Production IT", "director", "it", ("technical_decision_maker", "influencer"), 7),
    ("Finance Director", "director", "finance", ("economic_buyer",), 6),
    ("IT Manager", "manager", "it", ("influencer",), 8),
    ("Procurement Manager", "manager", "procurement", ("procurement", "gatekeeper"), 8),
    ("Demand Planning Manager", "manager", "operations", ("champion", "initiator"), 12),
    ("Plant Systems Lead", "manager", "engineering", ("champion",), 8),
    ("General Counsel", "director", "legal", ("legal_compliance",), 3),
    ("Planner", "individual", "operations", ("end_user",), 14),
    ("Data Analyst", "individual", "it", ("end_user",), 10),
    ("Marketing Manager", "manager", "marketing", (), 5),
)
# name, vendor, category, cloud provider, competitor, integration partner
TECHNOLOGIES = (
    ("Northstar ERP", "Northstar", "ERP", False, False, True),
    ("Ledgerline", "Ledgerline", "ERP", False, False, True),
    ("Contour CRM", "Contour", "CRM", False, False, True),
    ("Skyline Cloud", "Skyline", "Cloud", True, False, False),
    ("Basalt Cloud", "Basalt", "Cloud", True, False, False),
    ("Planwise", "Planwise", "Analytics", False, True, False),
    ("Demandly", "Demandly", "Analytics", False, True, False),
    ("Mailhall", "Mailhall", "Marketing automation", False, False, True),
    ("Tidewater DWH", "Tidewater", "Data warehouse", False, False, True),
)
# name, yearly price a seat or price of the service, category
PRODUCTS = (
    ("Planner Core", 900, "Software"),
    ("Planner Pro", 2400, "Software"),
    ("Forecast add-on", 650, "Software"),
    ("Rollout service", 5200, "Services"),
)
NEEDS = ("Reduce stock", "Shorten planning cycles", "Replace spreadsheets", "Connect plants", "Comply with audits")
# topic, the need it hints at
TOPICS = (
    ("Inventory planning", "Reduce stock"),
    ("Sales and operations planning", "Shorten planning cycles"),
    ("Beyond spreadsheets", "Replace spreadsheets"),
    ("Multi-plant planning", "Connect plants"),
    ("Audit trails", "Comply with audits"),
    ("Company news", ""),
)
LOST_REASONS = ("Price", "No decision", "Competitor", "Timing", "Missing function")
OBJECTIONS = ("Too expensive", "No time for a rollout", "Security review", "Another tool is in use", "On-premises only")
COMPETITORS = ("Planwise", "Demandly", "In-house spreadsheets")
TRIGGERS = ("New plant", "New head of supply chain", "ERP replacement", "Audit finding", "Stock-out last season")
# name, how often, how good the deals are that come from it: the bought list brings most and wins least
LEAD_SOURCES = (
    ("Bought contact list", 30, 0.25),
    ("Organic search", 20, 1.0),
    ("Webinar", 18, 1.2),
    ("Trade fair", 14, 1.05),
    ("Outbound call", 10, 0.9),
    ("Referral", 8, 1.6),
)
CHURN_REASONS = ("Too little used", "Taken over", "Price at renewal", "Changed to a competitor")
REJECT_REASONS = ("Student", "No budget", "Wrong department", "Competitor")
TAGS = ("Reference customer", "Price sensitive", "Pilot wanted", "Trade fair visitor")
LIKES = ("Short meetings", "Numbers first", "Site visits")
ATTITUDES = ("Early adopter", "Cautious", "Consensus seeker")
CONSENT_TOPICS = ("Newsletter", "Events")
# title, format, address, topic
CONTENT = (
    ("Guide to sales and operations planning", "whitepaper", "/guides/sop", "Sales and operations planning"),
    ("Planning for mid-market plants", "webinar", "/webinars/mid-market", "Multi-plant planning"),
    ("Kessler Werke: 18 % less stock", "case_study", "/customers/kessler", "Inventory planning"),
    ("Savings calculator", "calculator", "/calculator", "Inventory planning"),
    ("Ten signs that the spreadsheet is full", "article", "/blog/ten-signs", "Beyond spreadsheets"),
    ("Planner in four minutes", "video", "/videos/four-minutes", "Beyond spreadsheets"),
    ("What auditors ask about plans", "whitepaper", "/guides/audit", "Audit trails"),
    ("Live demonstration", "demo", "/demo", "Sales and operations planning"),
    ("What is new this spring", "article", "/news/spring", "Company news"),
)
# name, channel
CAMPAIGNS = (
    ("Planning newsletter", "email"),
    ("Mid-market webinar", "webinar"),
    ("Hannover trade fair", "event"),
    ("Search: demand planning", "paid_search"),
    ("Bought list: plant managers", "email"),
    ("Customer advisory", "email"),
)
PAGES = ("/", "/product", "/pricing", "/customers", "/integrations", "/security", "/blog", "/contact")
FEATURES = ("forecast", "scenario", "stock-targets", "approval", "export", "what-if")
SUPPORT_SUBJECTS = (
    "Forecast run is slow", "Import from the ERP fails", "Password reset", "Export misses a plant",
    "Question about stock targets", "Single sign-on", "Report looks wrong after the update",
)  # fmt: skip
NEXT_STEPS = (
    "Send the offer with three sites", "Arrange the meeting with finance", "Show the ERP connection",
    "Clear the security questionnaire", "Agree on the pilot plant", "Get the signature date",
)  # fmt: skip
NOTES = (
    "They plan {need} before the end of the year; the budget is with finance.",
    "Planning still takes two people a week. They want to {need}.",
    "Was sceptical at first, then asked for a test with their own data.",
    "Wants a price for all sites at once and a reference of the same size.",
)
QUOTES = (
    "We find out about stock-outs from the customer.",
    "Nobody trusts the numbers in the sheet any more.",
    "If it does not talk to our ERP we need not go on.",
    "The auditors want to see who changed the plan.",
)
TEAM = "Demo sales"
# username, first name, last name, role, in the sales team
PEOPLE = (
    ("demo.admin", "Demo", "Admin", "admin", False),
    ("demo.lea", "Lea", "Marchetti", "marketing_manager", False),
    ("demo.tom", "Tom", "Hansen", "sales_manager", True),
    ("demo.mira", "Mira", "König", "sales_rep", True),
    ("demo.jonas", "Jonas", "Weber", "sales_rep", True),
    ("demo.ana", "Ana", "Ruiz", "sales_rep", True),
    ("demo.iris", "Iris", "Nowak", "analyst", False),
    ("demo.paul", "Paul", "Okoye", "viewer", False),
    ("demo.erp", "ERP", "Connection", "integration", False),
)
