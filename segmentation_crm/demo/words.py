"""Invented names and words of the demo company's world."""

COMPANY_HEADS = (
    "Adler", "Borealis", "Cinder", "Delmar", "Estrella", "Fjord", "Granit", "Halcyon", "Istria", "Juniper", "Kessler",
    "Lumen", "Meridian", "Nordwind", "Orchard", "Polder", "Quarry", "Rivage", "Solano", "Tamarack", "Umbra", "Vesper",
    "Wexford", "Xenia", "Yarrow", "Zephyr", "Aceros", "Brightwater", "Copperfield", "Drumlin",
)  # fmt: skip
COMPANY_TAILS = {
    "manufacturing": ("Werke", "Tooling", "Plastics", "Castings", "Motion", "Packaging"),
    "retail": ("Stores", "Outfitters", "Market", "Home", "Foods"),
    "software": ("Software", "Labs", "Systems", "Cloud", "Analytics"),
    "logistics": ("Logistics", "Freight", "Lines", "Warehousing"),
    "health": ("Medical", "Diagnostics", "Care", "Pharma"),
    "finance": ("Capital", "Insurance", "Bank", "Leasing"),
}
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
COUNTRIES = (
    ("DE", "Berlin"), ("DE", "Stuttgart"), ("FR", "Lyon"), ("NL", "Utrecht"), ("ES", "Bilbao"), ("IT", "Torino"),
    ("SE", "Göteborg"), ("GB", "Leeds"), ("US", "Chicago"), ("US", "Boston"), ("CA", "Montréal"), ("JP", "Ōsaka"),
)  # fmt: skip
FIRST_NAMES = (
    "Anna", "Tomás", "Li", "Sofia", "Jonas", "Amira", "Mateo", "Ingrid", "Noah", "Chiara", "Emil", "Zoë", "Karim",
    "Freya", "Luca", "Hanna", "Oskar", "Yuki", "Nadia", "Pablo", "Greta", "Idris", "Marta", "Viktor", "Elif", "Hugo",
)  # fmt: skip
# Who works at the demo company: username, first name, last name. They cannot log in.
REPS = (("demo.mira", "Mira", "König"), ("demo.jonas", "Jonas", "Weber"), ("demo.ana", "Ana", "Ruiz"))
TEAM = "Demo sales"
LAST_NAMES = (
    "Brandt", "Ortega", "Wei", "Greco", "Lindqvist", "Haddad", "Fernández", "Solberg", "Müller", "Rossi", "Novák",
    "de Vries", "Benali", "Dahl", "Moretti", "Keller", "Nyström", "Tanaka", "Ivanova", "Castro", "Weiß", "Okafor",
)  # fmt: skip
# title, seniority, department, buying roles
TITLES = (
    ("Chief Executive Officer", "c_level", "executive", ("executive_sponsor", "decision_maker")),
    ("Chief Financial Officer", "c_level", "finance", ("financial_approver", "economic_buyer")),
    ("Chief Information Officer", "c_level", "it", ("technical_decision_maker",)),
    ("VP Operations", "vp", "operations", ("decision_maker",)),
    ("Head of Production IT", "director", "it", ("technical_decision_maker", "influencer")),
    ("IT Manager", "manager", "it", ("influencer",)),
    ("Procurement Manager", "manager", "procurement", ("procurement", "gatekeeper")),
    ("Marketing Manager", "manager", "marketing", ("champion", "initiator")),
    ("Plant Systems Lead", "manager", "engineering", ("champion",)),
    ("Planner", "individual", "operations", ("end_user",)),
    ("Data Analyst", "individual", "it", ("end_user",)),
)
# name, vendor, category, cloud provider, competitor, integration partner
TECHNOLOGIES = (
    ("Northstar ERP", "Northstar", "ERP", False, False, True),
    ("Contour CRM", "Contour", "CRM", False, False, True),
    ("Skyline Cloud", "Skyline", "Cloud", True, False, False),
    ("Basalt Cloud", "Basalt", "Cloud", True, False, False),
    ("Planwise", "Planwise", "Analytics", False, True, False),
    ("Demandly", "Demandly", "Analytics", False, True, False),
    ("Ledgerline", "Ledgerline", "ERP", False, False, True),
    ("Mailhall", "Mailhall", "Marketing automation", False, False, True),
)
PRODUCTS = (("Planner Core", 900), ("Planner Pro", 2400), ("Forecast add-on", 650), ("Rollout service", 5200))
NEEDS = ("Reduce stock", "Shorten planning cycles", "Replace spreadsheets", "Connect plants", "Comply with audits")
LOST_REASONS = ("Price", "No decision", "Competitor", "Timing")
CONTENT = (
    ("Guide to sales and operations planning", "whitepaper", "/guides/sop"),
    ("Planning for mid-market plants", "webinar", "/webinars/mid-market"),
    ("Kessler Werke: 18 % less stock", "case_study", "/customers/kessler"),
    ("Savings calculator", "calculator", "/calculator"),
)
